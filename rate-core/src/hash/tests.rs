use std::collections::HashSet;

use super::*;

#[test]
fn another_secret_gives_other_fingerprints_and_digests() {
    let one = Secret::from_bytes([1; 16]);
    assert_eq!(one, Secret::from_bytes([1; 16]));
    let fingerprint = |secret| Multilinear::new(secret).fingerprint("ann");
    assert_eq!(fingerprint(one), fingerprint(Secret::from_bytes([1; 16])));
    for byte in 0..16 {
        let mut bytes = [1; 16];
        bytes[byte] = 2;
        let other = Secret::from_bytes(bytes);
        assert_ne!(fingerprint(one), fingerprint(other), "byte {byte}");
        assert_ne!(one.digest(Fingerprint(7)), other.digest(Fingerprint(7)), "byte {byte}");
    }
    assert_ne!(Secret::random(), Secret::random());
}

#[test]
fn a_digest_is_that_of_another_implementation_of_the_function() {
    let key = *b"0123456789abcdef";
    for fingerprint in [0, 1, 0x0102_0304_0506_0708, u64::MAX] {
        let mut other = siphasher::sip::SipHasher24::new_with_key(&key);
        // The lowest byte first, whatever machine this is.
        other.write(&[2, 0, 0, 0, 0, 0, 0, 0]);
        other.write(&fingerprint.to_le_bytes());
        other.write(&[0; 8]);
        let digest = Secret::from_bytes(key).digest(Fingerprint(fingerprint));
        assert_eq!(digest.as_u64(), other.finish());
    }
}

#[test]
fn no_purpose_shares_words_with_another() {
    let secret = Secret::from_bytes([3; 16]);
    let words: HashSet<_> = [Purpose::Multipliers, Purpose::LongKeys, Purpose::Digest]
        .into_iter()
        .flat_map(|purpose| (0..100).map(move |number| secret.function(purpose, [number, 0])))
        .collect();
    assert_eq!(words.len(), 300);
}

#[test]
fn a_digest_is_shown_as_sixteen_digits_and_a_fingerprint_not_at_all() {
    assert_eq!(Digest(0xab).to_string(), "00000000000000ab");
    assert_eq!(Digest(u64::MAX).to_string(), "ffffffffffffffff");
    assert_eq!(format!("{:?}", Digest(0xab)), "Digest(00000000000000ab)");
    assert_eq!(format!("{:?}", Fingerprint(0xab)), "Fingerprint(..)");
}
