use std::collections::HashSet;

use super::*;

/// A key of these bytes and nothing else, in one write.
struct Bytes<'a>(&'a [u8]);

impl Hash for Bytes<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write(self.0);
    }
}

#[test]
fn whole_blocks_have_the_value_of_the_reference_implementation() {
    // SipHash-1-3 of the bytes 0, 1, 2, … under the key 0, 1, …, 15, and one value of the reference under the key zero.
    let counting: Vec<u8> = (0..64).collect();
    let secret = Secret::from_bytes(std::array::from_fn(|index| index as u8));
    for (length, expected) in
        [(0, 0xabac_0158_050f_c4dc), (8, 0x3690_9511_8d29_9a8e), (16, 0xcc4f_dd1a_7d90_8b66)]
    {
        assert_eq!(secret.fingerprint(&Bytes(&counting[..length])).as_u64(), expected, "{length} bytes");
    }
    let zero = Secret::from_bytes([0; 16]);
    assert_eq!(zero.fingerprint(&Bytes(&[])).as_u64(), 0xd1fb_a762_150c_532c);
}

#[test]
fn an_integer_has_the_value_of_its_eight_bytes() {
    let secret = Secret::from_bytes(*b"0123456789abcdef");
    let number = 0x0102_0304_0506_0708_u64;
    assert_eq!(secret.fingerprint(&number), secret.fingerprint(&Bytes(&number.to_le_bytes())));
}

#[test]
fn a_short_block_holds_its_bytes_and_their_number() {
    let bytes = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77];
    for length in 1..=7 {
        let mut expected = [0; 8];
        expected[..length].copy_from_slice(&bytes[..length]);
        expected[7] = 0xf8 + length as u8;
        assert_eq!(short_block(&bytes[..length]), u64::from_le_bytes(expected), "{length} bytes");
    }
}

#[test]
fn no_str_is_taken_for_the_filling_up_of_another() {
    // "ab" and "ab\0\0\0\0\0\x02" were one key under every secret: the block of a short end was closed before the byte
    // that tells where a `str` ends, and then looked like eight bytes of content.
    let secret = Secret::random();
    assert_ne!(secret.fingerprint("ab"), secret.fingerprint("ab\0\0\0\0\0\x02"));
    let mut texts = HashSet::new();
    for (length, fill) in (0..48_usize).flat_map(|length| (0..16).map(move |fill| (length, fill))) {
        let text = "x".repeat(length) + &"\0".repeat(fill);
        // Every byte that an end of up to 63 bytes could be filled up with.
        texts.extend((0..128_u8).map(|last| format!("{text}{}", char::from(last))));
        texts.insert(text);
    }
    let alone = texts.iter().map(|text| secret.fingerprint(text));
    let with_a_word =
        texts.iter().flat_map(|text| [0, 0xff, 1_u64 << 56].map(|word| secret.fingerprint(&(text, word))));
    let fingerprints: HashSet<_> = alone.chain(with_a_word).collect();
    assert_eq!(fingerprints.len(), 4 * texts.len(), "two keys share a fingerprint");
}

#[test]
fn parts_of_a_tuple_do_not_run_into_each_other() {
    let secret = Secret::random();
    let long = "0123456789abcdefghijklmnopqrstuvwxyz";
    let halves: HashSet<_> =
        (0..=long.len()).map(|middle| secret.fingerprint(&long.split_at(middle))).collect();
    assert_eq!(halves.len(), long.len() + 1);
    // What one part is filled up with, as content of the other.
    let fillings = ["ab", "ab\0", "ab\0\0\0\0\0\0", "ab\0\0\0\0\0\x02", "ab\0\0\0\0\0\0ab"];
    let pairs: HashSet<_> =
        fillings.iter().flat_map(|one| fillings.map(|other| secret.fingerprint(&(*one, other)))).collect();
    assert_eq!(pairs.len(), fillings.len() * fillings.len());
    let slices = [
        secret.fingerprint(&(vec![1_u8, 2], vec![3_u8])),
        secret.fingerprint(&(vec![1_u8], vec![2_u8, 3])),
        secret.fingerprint(&(vec![1_u8, 2, 3], Vec::<u8>::new())),
        secret.fingerprint(&vec![vec![1_u8, 2, 3]]),
    ];
    assert_eq!(HashSet::from(slices).len(), 4);
}

#[test]
fn integers_of_every_width_and_value_are_told_apart() {
    let secret = Secret::random();
    let numbers: HashSet<_> = (0..64)
        .flat_map(|bit| [1_u64 << bit, (1 << bit) - 1])
        .map(|number| secret.fingerprint(&number))
        .collect();
    // Zero, and all ones below each bit; 1 is both a power and a power less one.
    assert_eq!(numbers.len(), 64 + 64 - 1);
    let bytes: HashSet<_> = (0..=u8::MAX)
        .flat_map(|byte| [secret.fingerprint(&byte), secret.fingerprint(&(byte, 0_u16))])
        .chain((0..=u16::from(u8::MAX)).map(|short| secret.fingerprint(&(short, 1_u8))))
        .collect();
    assert_eq!(bytes.len(), 3 * 256);
}

#[test]
fn another_secret_gives_other_fingerprints() {
    let one = Secret::from_bytes([1; 16]);
    assert_eq!(one, Secret::from_bytes([1; 16]));
    for byte in 0..16 {
        let mut bytes = [1; 16];
        bytes[byte] = 2;
        assert_ne!(one.fingerprint("ann"), Secret::from_bytes(bytes).fingerprint("ann"), "byte {byte}");
    }
    assert_ne!(Secret::random(), Secret::random());
}

#[test]
fn a_fingerprint_is_shown_as_sixteen_digits() {
    assert_eq!(Fingerprint(0xab).to_string(), "00000000000000ab");
    assert_eq!(Fingerprint(u64::MAX).to_string(), "ffffffffffffffff");
}
