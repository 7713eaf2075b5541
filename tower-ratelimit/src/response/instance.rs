//! A name for one refusal: what a user can quote and an operator can find among the denials that are logged.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where each byte's two digits go.
const PLACES: [usize; 16] = [9, 11, 13, 15, 18, 20, 23, 25, 28, 30, 33, 35, 37, 39, 41, 43];

/// The two digits of each byte.
static DIGITS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte / 16], DIGITS[byte % 16]];
        byte += 1;
    }
    pairs
};

/// A random UUID (version 4 of RFC 9562) as a URN.
///
/// A counter under two secret functions: as unpredictable as their secrets, at the price of two short hashes.
#[derive(Clone, Copy)]
pub(super) struct Instance(u128);

impl Instance {
    pub(super) fn new() -> Self {
        static SECRETS: OnceLock<[RandomState; 2]> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let [high, low] = SECRETS.get_or_init(|| [RandomState::new(), RandomState::new()]);
        // Relaxed: only the numbers have to differ.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let high = high.hash_one(count) & 0xffff_ffff_ffff_0fff | 0x4000;
        let low = low.hash_one(count) >> 2 | 1 << 63;
        Self(u128::from(high) << 64 | u128::from(low))
    }

    /// `urn:uuid:` and 32 digits in groups of 8, 4, 4, 4 and 12.
    pub(super) fn text(self) -> [u8; 45] {
        let mut text = *b"urn:uuid:........-....-....-....-............";
        for (byte, at) in self.0.to_be_bytes().into_iter().zip(PLACES) {
            text[at..at + 2].copy_from_slice(&DIGITS[usize::from(byte)]);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_random_uuid_of_version_4() {
        let texts: Vec<_> = (0..100).map(|_| Instance::new().text()).collect();
        for text in &texts {
            let text = std::str::from_utf8(text).expect("ASCII");
            let uuid = text.strip_prefix("urn:uuid:").expect("a URN");
            let groups: Vec<_> = uuid.split('-').collect();
            assert_eq!(
                groups.iter().map(|group| group.len()).collect::<Vec<_>>(),
                [8, 4, 4, 4, 12],
                "{text}"
            );
            assert!(uuid.bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9' | b'a'..=b'f')), "{text}");
            assert!(groups[2].starts_with('4'), "{text}");
            assert!(groups[3].starts_with(['8', '9', 'a', 'b']), "{text}");
        }
        let mut distinct = texts.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), texts.len());
    }
}
