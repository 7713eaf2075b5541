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
fn the_value_is_that_of_the_reference_implementation() {
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

/// Writes of any size, one after the other.
#[derive(Debug)]
struct Writes(Vec<Write>);

#[derive(Debug)]
enum Write {
    Byte(u8),
    Short(u16),
    Word(u32),
    Long(u64),
    Size(usize),
    Wide(u128),
    Bytes(Vec<u8>),
}

impl Hash for Writes {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for write in &self.0 {
            match write {
                Write::Byte(value) => hasher.write_u8(*value),
                Write::Short(value) => hasher.write_u16(*value),
                Write::Word(value) => hasher.write_u32(*value),
                Write::Long(value) => hasher.write_u64(*value),
                Write::Size(value) => hasher.write_usize(*value),
                Write::Wide(value) => hasher.write_u128(*value),
                Write::Bytes(bytes) => hasher.write(bytes),
            }
        }
    }
}

#[test]
#[cfg(all(target_endian = "little", target_pointer_width = "64"))]
fn any_writes_have_the_value_of_another_implementation() {
    let random = RandomState::new();
    let mut drawn = 0_u64;
    let mut draw = || {
        drawn += 1;
        random.hash_one(drawn)
    };
    for _ in 0..20_000 {
        let writes = Writes(
            (0..draw() % 8)
                .map(|_| match (draw() % 7, draw()) {
                    (0, bits) => Write::Byte(bits as u8),
                    (1, bits) => Write::Short(bits as u16),
                    (2, bits) => Write::Word(bits as u32),
                    (3, bits) => Write::Long(bits),
                    (4, bits) => Write::Size(bits as usize),
                    (5, bits) => Write::Wide(u128::from(bits) << 64 | u128::from(draw())),
                    (_, bits) => Write::Bytes((0..bits % 40).map(|_| draw() as u8).collect()),
                })
                .collect(),
        );
        let key: [u8; 16] = std::array::from_fn(|_| draw() as u8);
        let mut other = siphasher::sip::SipHasher13::new_with_key(&key);
        writes.hash(&mut other);
        assert_eq!(Secret::from_bytes(key).fingerprint(&writes).as_u64(), other.finish(), "{writes:?}");
    }
}

#[test]
#[cfg(all(target_endian = "little", target_pointer_width = "64"))]
fn keys_people_use_have_the_value_of_another_implementation() {
    fn check<Q: Hash + ?Sized>(key: &Q) {
        let mut other = siphasher::sip::SipHasher13::new_with_key(b"0123456789abcdef");
        key.hash(&mut other);
        assert_eq!(Secret::from_bytes(*b"0123456789abcdef").fingerprint(key).as_u64(), other.finish());
    }
    for length in 0..64 {
        check("x".repeat(length).as_str());
        check(&(7_u8, "x".repeat(length), 9_u32));
    }
    check(&u64::MAX);
    check(&(1_u8, 2_u16, 3_u32, -4_i64, 5_i128, 'c', true));
    check(&"192.0.2.1".parse::<std::net::IpAddr>().expect("an address"));
    check(&"2001:db8::1".parse::<std::net::IpAddr>().expect("an address"));
    check(&"[2001:db8::1]:80".parse::<std::net::SocketAddr>().expect("an address"));
}

#[test]
fn an_integer_has_the_value_of_its_bytes() {
    let secret = Secret::from_bytes(*b"0123456789abcdef");
    let number = 0x0102_0304_0506_0708_u64;
    assert_eq!(secret.fingerprint(&number), secret.fingerprint(&Bytes(&number.to_le_bytes())));
    assert_eq!(secret.fingerprint(&7_u16), secret.fingerprint(&Bytes(&[7, 0])));
    // The same on a machine of 32 bits.
    assert_eq!(secret.fingerprint(&7_usize), secret.fingerprint(&7_u64));
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
