//! The network a request comes from.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::{Key, KeyError, KeyExtractor, Or};
use crate::RequestHead;
use crate::policy::ConfigError;
use crate::request::Peer;

/// The network of the transport peer, as a key.
///
/// IPv4 addresses count one by one. IPv6 addresses count by their /64, because one host owns all 2⁶⁴ addresses of it
/// (RFC 6177); loopback and link-local addresses stay whole. An IPv4-mapped address such as `::ffff:192.0.2.1` *is* the
/// IPv4 address.
///
/// No header is read: behind a proxy every request has the proxy's address.
///
/// # Examples
///
/// ```
/// use std::net::SocketAddr;
/// use http::Request;
/// use tower_ratelimit::{ClientIp, KeyExtractor, RequestHead};
///
/// let key_of = |peer: &str| {
///     let peer: SocketAddr = peer.parse().expect("an address");
///     let request = Request::builder().extension(peer).body(()).expect("a request");
///     ClientIp::peer().extract(&RequestHead::of(&request)).expect("a peer")
/// };
/// assert_eq!(key_of("[2001:db8:1:2:3:4:5:6]:443"), key_of("[2001:db8:1:2::9]:80"));
/// assert_ne!(key_of("[2001:db8:1:2::1]:443"), key_of("[2001:db8:1:3::1]:443"));
/// assert_eq!(key_of("192.0.2.1:80"), key_of("[::ffff:192.0.2.1]:80"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp {
    ipv6_prefix: u8,
}

impl ClientIp {
    /// The transport peer, IPv6 by /64.
    #[must_use]
    pub const fn peer() -> Self {
        Self { ipv6_prefix: 64 }
    }

    /// How many leading bits of an IPv6 address count, from 32 to 128.
    ///
    /// # Errors
    ///
    /// Outside that range.
    pub fn ipv6_prefix(self, bits: u8) -> Result<Self, ConfigError> {
        if (32..=128).contains(&bits) {
            Ok(Self { ipv6_prefix: bits })
        } else {
            Err(ConfigError::ipv6_prefix(bits))
        }
    }

    /// The key of a client with this address, for [`Handle::forget`](crate::Handle::forget).
    #[must_use]
    pub fn key_of(&self, address: IpAddr) -> Key {
        match address {
            IpAddr::V4(v4) => Key::ipv4(v4),
            IpAddr::V6(v6) => self.key_of_v6(v6),
        }
    }

    fn key_of_v6(self, address: Ipv6Addr) -> Key {
        if let Some(mapped) = address.to_ipv4_mapped() {
            return Key::ipv4(mapped);
        }
        let is_whole = address.is_loopback() || address.is_unicast_link_local();
        Key::ipv6(address, if is_whole { 128 } else { self.ipv6_prefix })
    }

    /// Asks `other` when there is no peer.
    pub fn or<K: KeyExtractor>(self, other: K) -> Or<Self, K> {
        Or::new(self, other)
    }
}

impl KeyExtractor for ClientIp {
    #[inline]
    fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
        match request.peer() {
            Some(Peer::Tcp(SocketAddr::V4(peer))) => Ok(Key::ipv4(*peer.ip())),
            Some(Peer::Tcp(SocketAddr::V6(peer))) => Ok(self.key_of_v6(*peer.ip())),
            Some(Peer::Unix) => Err(KeyError::unconfigured(
                "the peer is a Unix socket, which has no address; give the policy another key, such as `header(..)` or \
                 `global()`",
            )),
            None => Err(KeyError::no_peer()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        ClientIp::peer().key_of(text.parse().expect("an address"))
    }

    #[test]
    fn mapped_ipv4_addresses_stay_apart() {
        // axum-governor and actix-governor masked these as IPv6, and all of IPv4 shared one bucket.
        assert_ne!(key("::ffff:1.2.3.4"), key("::ffff:5.6.7.8"));
        assert_eq!(key("::ffff:1.2.3.4"), key("1.2.3.4"));
        assert_ne!(key("2001:db8::1.2.3.4"), key("1.2.3.4"));
    }

    #[test]
    fn a_thousand_addresses_of_one_network_are_one_client() {
        for host in 0..1_000 {
            assert_eq!(key(&format!("2001:db8:0:7::{host:x}")), key("2001:db8:0:7::"));
        }
        assert_ne!(key("2001:db8:0:8::1"), key("2001:db8:0:7::1"));
    }

    #[test]
    fn loopback_and_link_local_addresses_stay_whole() {
        assert_ne!(key("::1"), key("::2"));
        assert_ne!(key("fe80::1"), key("fe80::2"));
    }

    #[test]
    fn prefixes_that_make_no_sense_are_refused() {
        for bits in [0, 31, 129, 255] {
            let error = ClientIp::peer().ipv6_prefix(bits).expect_err("out of range").to_string();
            assert!(error.contains(&bits.to_string()), "{error}");
        }
        let wide = ClientIp::peer().ipv6_prefix(48).expect("in range");
        let network = |text: &str| wide.key_of(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("2001:db8:1::1"), network("2001:db8:2::1"));
    }
}
