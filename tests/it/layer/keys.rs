//! Who shares a limit with whom, seen through the layer.

use std::net::SocketAddr;

use http::Request;
use tower_ratelimit::{
    ClientIp, Framework, Key, KeyError, KeyExtractor, ManualClock, OnMissingKey, Peer, Policy, Quota,
    RateLimit, RateLimitLayer, RequestHead, extension, global, header,
};

use super::support::{Hello, admitted, from, limited, send, with};

/// One request per key and hour.
fn once(key: impl KeyExtractor) -> RateLimit<Hello> {
    limited(&RateLimitLayer::new(Policy::new("once", Quota::per_hour(1)).key(key)).clock(ManualClock::new()))
}

/// Sends the requests in turn: true for each that was somebody new.
async fn strangers<const N: usize>(key: impl KeyExtractor, requests: [Request<()>; N]) -> [bool; N] {
    let mut service = once(key);
    let mut new = [false; N];
    for (new, request) in new.iter_mut().zip(requests) {
        *new = send(&mut service, request).await.status() == 200;
    }
    new
}

fn two(first: &str, second: &str) -> Request<()> {
    Request::builder().header("x-a", first).header("x-b", second).body(()).unwrap()
}

#[tokio::test]
async fn parts_of_a_key_do_not_run_together() {
    let pairs = || [two("ab", "c"), two("a", "bc"), two("ab", "c"), two("a", "bc")];
    let expected = [true, true, false, false];
    assert_eq!(strangers((header("x-a"), header("x-b")), pairs()).await, expected);
    let closure = |head: &RequestHead<'_>| {
        Ok(Key::tuple([Key::text(head.header_str("x-a")?)?, Key::text(head.header_str("x-b")?)?]))
    };
    assert_eq!(strangers(closure, pairs()).await, expected);

    // What a separator would confuse.
    let joins = [two("a:b", "c"), two("a", "b:c"), two("a,b", "c"), two("a", "b,c")];
    assert_eq!(strangers((header("x-a"), header("x-b")), joins).await, [true; 4]);
    // A length that is part of the text.
    let lengths = [two("a", "1:b"), two("a\\0", "b"), two("3:a", "b"), two("a", "\\u{1}b")];
    assert_eq!(strangers((header("x-a"), header("x-b")), lengths).await, [true; 4]);
    // Tuples of different depth.
    let mixed = |head: &RequestHead<'_>| {
        let (a, b) = (Key::text(head.header_str("x-a")?)?, Key::text(head.header_str("x-b")?)?);
        Ok(match head.uri().path() {
            "/left" => Key::tuple([Key::tuple([a.clone(), b]), a]),
            "/right" => Key::tuple([a.clone(), Key::tuple([b, a])]),
            _ => Key::tuple([a.clone(), b, a]),
        })
    };
    let at = |path: &str| {
        let mut request = two("a", "b");
        *request.uri_mut() = path.parse().unwrap();
        request
    };
    assert_eq!(strangers(mixed, [at("/left"), at("/right"), at("/")]).await, [true; 3]);
}

#[tokio::test]
async fn the_order_and_the_number_of_parts_count() {
    assert_eq!(strangers((header("x-a"), header("x-b")), [two("a", "b"), two("b", "a")]).await, [true; 2]);
    let parts = |head: &RequestHead<'_>| match head.uri().path() {
        "/1" => (header("x-a"),).extract(head),
        "/3" => (header("x-a"), header("x-a"), header("x-a")).extract(head),
        "/4" => (header("x-a"), header("x-a"), header("x-a"), header("x-a")).extract(head),
        _ => header("x-a").extract(head),
    };
    let at = |path: &str| Request::builder().uri(path).header("x-a", "v").body(()).unwrap();
    assert_eq!(strangers(parts, [at("/0"), at("/1"), at("/3"), at("/4")]).await, [true; 4]);
}

#[tokio::test]
async fn a_user_named_like_an_address_is_not_the_address() {
    let user = |name: &str| with("x-user", name);
    let key = |head: &RequestHead<'_>| match head.header_str("x-user") {
        Ok(name) => Key::text(name),
        Err(_) => ClientIp::peer().extract(head),
    };
    assert_eq!(strangers(key, [from("192.0.2.1"), user("192.0.2.1")]).await, [true; 2]);
    let key = header("x-user").or(ClientIp::peer());
    let requests = [user("192.0.2.1"), user("192.0.2.1/32"), from("192.0.2.1"), from("192.0.2.1")];
    assert_eq!(strangers(key, requests).await, [true, true, true, false]);
}

#[tokio::test]
async fn keys_of_different_kinds_with_the_same_bytes_are_different() {
    let word = u64::from_le_bytes(*b"ABCDEFGH");
    let keys = move |head: &RequestHead<'_>| {
        let text = Key::text("ABCDEFGH")?;
        Ok(match head.uri().path() {
            "/text" => text,
            "/number" => Key::id(word),
            "/wide" => Key::id128(word.into()),
            "/one" => Key::tuple([text]),
            "/two" => Key::tuple([Key::tuple([text])]),
            "/none" => Key::tuple([]),
            _ => global().extract(head)?,
        })
    };
    let at = |path: &str| Request::builder().uri(path).body(()).unwrap();
    let all = ["/text", "/number", "/wide", "/one", "/two", "/none", "/"].map(at);
    assert_eq!(strangers(keys, all).await, [true; 7]);
    // The bucket of those without a key is not the bucket of everybody, nor of an empty tuple.
    let some = |head: &RequestHead<'_>| match head.uri().path() {
        "/missing" => Err(KeyError::missing("no key")),
        "/none" => Ok(Key::tuple([])),
        _ => global().extract(head),
    };
    let policy = Policy::new("some", Quota::per_hour(1)).key(some).on_missing_key(OnMissingKey::SharedBucket);
    let layer = RateLimitLayer::new(policy).clock(ManualClock::new());
    for path in ["/missing", "/none", "/"] {
        assert_eq!(admitted(&mut limited(&layer), 3, || at(path)).await, 1, "{path}");
    }
}

#[tokio::test]
async fn a_headers_name_is_part_of_the_key_in_any_case() {
    let key = header("X-Api-Key").or(header("x-user"));
    let requests = [with("x-api-key", "v"), with("x-user", "v"), with("X-API-KEY", "v")];
    assert_eq!(strangers(key, requests).await, [true, true, false]);
    // Values are not folded: what is one credential and what two is the application's to say.
    assert_eq!(strangers(header("x-user"), [with("x-user", "Ann"), with("x-user", "ann")]).await, [true; 2]);
}

#[test]
#[should_panic(
    expected = "`x user` is not a header name; use letters, digits and hyphens, such as `x-tenant`"
)]
fn a_name_that_is_no_header_is_refused_at_once() {
    let _ = header("x user");
}

#[tokio::test]
async fn closures_and_own_extractors_are_keys() {
    struct Tenant;
    impl KeyExtractor for Tenant {
        fn extract(&self, request: &RequestHead<'_>) -> Result<Key, KeyError> {
            Key::text(request.header_str("x-tenant")?)
        }
    }
    let tenants = || [with("x-tenant", "blue"), with("x-tenant", "red"), with("x-tenant", "blue")];
    assert_eq!(strangers(Tenant, tenants()).await, [true, true, false]);
    assert_eq!(strangers((Tenant, global()), tenants()).await, [true, true, false]);
    let path = |head: &RequestHead<'_>| Key::text(head.uri().path());
    let at = |path: &str| Request::builder().uri(path).body(()).unwrap();
    assert_eq!(strangers(path, [at("/a"), at("/b"), at("/a?x=1")]).await, [true, true, false]);
    let method = |head: &RequestHead<'_>| Key::text(head.method().as_str());
    assert_eq!(strangers(method, [at("/a"), at("/b")]).await, [true, false]);
}

#[test]
fn text_that_is_no_key_is_an_error() {
    for text in ["", "a\0b", "a\nb", "\u{7f}", "\u{85}", &"ä".repeat(129)] {
        assert!(Key::text(text).is_err(), "{text:?}");
    }
    for text in [" ", "ä", "名前", &"ä".repeat(128)] {
        assert!(Key::text(text).is_ok(), "{text:?}");
    }
}

#[derive(Clone)]
struct Account(u64);

impl From<&Account> for Key {
    fn from(account: &Account) -> Self {
        Self::id(account.0)
    }
}

#[derive(Clone)]
struct Login(&'static str);

impl TryFrom<&Login> for Key {
    type Error = KeyError;

    fn try_from(login: &Login) -> Result<Self, KeyError> {
        Self::text(login.0)
    }
}

#[tokio::test]
async fn an_extension_is_a_key_by_from_and_by_try_from() {
    let account = |id| Request::builder().extension(Account(id)).body(()).unwrap();
    assert_eq!(
        strangers(extension::<Account>(), [account(1), account(2), account(1)]).await,
        [true, true, false]
    );
    let login = |name| Request::builder().extension(Login(name)).body(()).unwrap();
    assert_eq!(
        strangers(extension::<Login>(), [login("ann"), login("bob"), login("ann")]).await,
        [true, true, false]
    );
    let refusal = send(&mut once(extension::<Login>()), login("")).await;
    assert_eq!(refusal.status(), 400);
    // As a fallback for requests without an account, and as a part.
    let key = || extension::<Account>().or(ClientIp::peer());
    assert_eq!(
        strangers(key(), [account(1), from("192.0.2.1"), from("192.0.2.1")]).await,
        [true, true, false]
    );
    let key = (extension::<Account>(), key());
    assert_eq!(strangers(key, [account(1), account(2), account(1)]).await, [true, true, false]);
}

#[tokio::test]
async fn addresses_are_counted_by_network_and_however_they_are_written() {
    let mapped =
        [from("192.0.2.1"), from("::ffff:192.0.2.1"), from("::ffff:c000:201"), from("::ffff:192.0.2.2")];
    assert_eq!(strangers(ClientIp::peer(), mapped).await, [true, false, false, true]);
    // Looks like one, is none.
    let lookalikes =
        [from("192.0.2.1"), from("2001:db8::192.0.2.1"), from("::192.0.2.1"), from("64:ff9b::192.0.2.1")];
    assert_eq!(strangers(ClientIp::peer(), lookalikes).await, [true; 4]);

    let local = [from("::1"), from("::2"), from("fe80::1"), from("fe80::2"), from("127.0.0.1")];
    assert_eq!(strangers(ClientIp::peer(), local).await, [true; 5]);

    let wide = ClientIp::peer().ipv6_prefix(48).unwrap();
    let sites = || [from("2001:db8:1:1::1"), from("2001:db8:1:2::1"), from("2001:db8:2:1::1")];
    assert_eq!(strangers(wide, sites()).await, [true, false, true]);
    assert_eq!(strangers(ClientIp::peer(), sites()).await, [true; 3]);
    // On a link there is nobody to have given out networks.
    assert_eq!(strangers(wide, [from("fe80::1"), from("fe80::2")]).await, [true; 2]);
}

#[tokio::test]
async fn ports_scopes_and_headers_do_not_change_who_a_peer_is() {
    let peer = |text: &str| {
        let address: SocketAddr = text.parse().unwrap();
        let builder =
            Request::builder().extension(address).header("x-forwarded-for", format!("{}", address.port()));
        builder.header("forwarded", "for=198.51.100.1").header("x-real-ip", text).body(()).unwrap()
    };
    let requests = [peer("192.0.2.1:1"), peer("192.0.2.1:2"), peer("192.0.2.1:65535")];
    assert_eq!(strangers(ClientIp::peer(), requests).await, [true, false, false]);
    let requests = [peer("[2001:db8::1%1]:1"), peer("[2001:db8::1%2]:1")];
    assert_eq!(strangers(ClientIp::peer(), requests).await, [true, false]);
}

#[tokio::test]
async fn the_peer_is_where_the_framework_says() {
    #[derive(Clone)]
    struct Connection(SocketAddr);
    let mine = Framework {
        peer: |extensions| extensions.get::<Connection>().map(|connection| Peer::Tcp(connection.0)),
        route: |_| Some("/users/{id}"),
    };
    let key = |head: &RequestHead<'_>| Key::text(head.matched_route().unwrap_or("none"));
    let layer = RateLimitLayer::new([
        Policy::new("peer", Quota::per_hour(1)),
        Policy::new("route", Quota::per_hour(2)).key(key),
    ]);
    let mut service = limited(&layer.clock(ManualClock::new()).framework(mine).on_event(|_| ()));
    let both = |own: &str| {
        // An address in the usual place is not looked at any more.
        let mut request = from("192.0.2.1");
        request.extensions_mut().insert(Connection(own.parse().unwrap()));
        request
    };
    let requests =
        [both("198.51.100.1:1"), both("198.51.100.1:2"), both("198.51.100.2:1"), both("198.51.100.3:1")];
    let mut statuses = Vec::new();
    for request in requests {
        statuses.push(send(&mut service, request).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 429, 200, 429]);
    assert_eq!(send(&mut service, from("192.0.2.1")).await.status(), 500);
}
