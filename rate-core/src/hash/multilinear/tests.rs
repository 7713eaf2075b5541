use core::any::type_name;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::*;

/// A key of these bytes and nothing else, in one write.
struct Bytes<'a>(&'a [u8]);

impl Hash for Bytes<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write(self.0);
    }
}

/// The words that a key writes.
#[derive(Default)]
struct Words(Vec<u64>);

impl Words {
    fn of(key: &impl Hash) -> Vec<u64> {
        let mut words = Self::default();
        key.hash(&mut words);
        words.0
    }
}

impl Hasher for Words {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.split_at(bytes.len() / 8 * 8);
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        last[rest.len()] = 1;
        self.0.push(u64::from_le_bytes(last));
        self.0.extend(words.chunks(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes"))));
    }

    fn write_u8(&mut self, value: u8) {
        self.0.push(value.into());
    }

    fn write_u16(&mut self, value: u16) {
        self.0.push(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.0.push(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.0.push(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.0.push(value as u64);
    }

    fn write_u128(&mut self, value: u128) {
        self.0.extend([value as u64, (value >> 64) as u64]);
    }

    fn finish(&self) -> u64 {
        unreachable!("only the words are asked for")
    }
}

impl Multilinear {
    /// The formula of the module's page, as it stands there.
    fn by_the_formula(&self, words: &[u64]) -> Fingerprint {
        let mut blocks: Vec<_> = words.chunks(WORDS).map(|block| self.hash_of(block)).collect();
        let last = blocks.pop().unwrap_or(0);
        let before = blocks.into_iter().fold(0, |before, block| self.chain(before, block));
        Fingerprint(if before == 0 { self.spread(last) } else { self.chain(before, last) })
    }

    fn hash_of(&self, words: &[u64]) -> u64 {
        let count = (u128::from(self.count) << 64).wrapping_mul(words.len() as u128);
        let products =
            words.iter().zip(self.words).map(|(word, multiplier)| multiplier.wrapping_mul((*word).into()));
        (products.fold(count, u128::wrapping_add) >> 64) as u64
    }
}

fn random() -> Multilinear {
    Multilinear::new(Secret::random())
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
fn any_writes_have_the_value_of_the_formula() {
    let state = RandomState::new();
    let mut drawn = 0_u64;
    let mut draw = || {
        drawn += 1;
        state.hash_one(drawn)
    };
    for round in 0..20_000 {
        let longest = if round % 10 == 0 { 700 } else { 40 };
        let writes = Writes(
            (0..draw() % 8)
                .map(|_| match (draw() % 7, draw()) {
                    (0, bits) => Write::Byte(bits as u8),
                    (1, bits) => Write::Short(bits as u16),
                    (2, bits) => Write::Word(bits as u32),
                    (3, bits) => Write::Long(bits),
                    (4, bits) => Write::Size(bits as usize),
                    (5, bits) => Write::Wide(u128::from(bits) << 64 | u128::from(draw())),
                    (_, bits) => Write::Bytes((0..bits % longest).map(|_| draw() as u8).collect()),
                })
                .collect(),
        );
        let function = Multilinear::new(Secret::from_bytes([(draw() % 8) as u8; 16]));
        assert_eq!(function.fingerprint(&writes), function.by_the_formula(&Words::of(&writes)), "{writes:?}");
    }
}

#[test]
fn keys_of_every_length_have_the_value_of_the_formula() {
    let function = random();
    let bytes: Vec<u8> = (0..2_000).map(|index| (index * 7) as u8).collect();
    for length in 0..bytes.len() {
        let key = Bytes(&bytes[..length]);
        assert_eq!(function.fingerprint(&key), function.by_the_formula(&Words::of(&key)), "{length} bytes");
        let pair = (7_u64, key);
        assert_eq!(function.fingerprint(&pair), function.by_the_formula(&Words::of(&pair)), "{length} bytes");
    }
}

/// Integers, one after the other.
struct Numbers<'a>(&'a [u64]);

impl Hash for Numbers<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.iter().for_each(|number| hasher.write_u64(*number));
    }
}

/// Over the choice of the secret, two keys agree in six given bits of their fingerprints with 64 of 4,096 secrets, give or
/// take six times the deviation of 8. The upper bits choose the first line of a table, the lower ones the second.
fn assert_independent<A: Hash, B: Hash>(pairs: impl Iterator<Item = (A, B)>) {
    let functions: Vec<_> =
        (0..4_096_u128).map(|seed| Multilinear::new(Secret::from_bytes(seed.to_le_bytes()))).collect();
    for (pair, (one, other)) in pairs.enumerate() {
        for shift in [58, 26] {
            let bits = |fingerprint: Fingerprint| fingerprint.0 >> shift & 63;
            let shared = functions
                .iter()
                .filter(|function| bits(function.fingerprint(&one)) == bits(function.fingerprint(&other)))
                .count();
            assert!(
                (16..=112).contains(&shared),
                "pair {pair}, bits from {shift}: {shared} of 4,096 secrets"
            );
        }
    }
}

#[test]
fn numbers_that_an_attacker_would_choose_share_a_hash_as_rarely_as_chance_has_it() {
    let zeros = [0; 100];
    let (mut blocks, mut swapped) = ([0; 65], [0; 65]);
    (blocks[0], swapped[32]) = (1, 1);
    let pairs: [(&[u64], &[u64]); 15] = [
        (&blocks, &swapped),
        (&blocks[..64], &swapped[..64]),
        (&[0], &[1]),
        (&[0], &[1 << 63]),
        (&[1], &[u64::MAX]),
        (&[1, 2], &[2, 1]),
        (&[1 << 32, 0], &[0, 1 << 32]),
        (&[], &[0]),
        (&[0], &[0, 0]),
        (&[7], &[7, 0]),
        (&zeros[..1], &zeros[..5]),
        (&zeros[..16], &zeros[..32]),
        (&zeros[..32], &zeros[..33]),
        (&zeros[..32], &zeros[..64]),
        (&zeros[..64], &zeros[..65]),
    ];
    assert_independent(pairs.into_iter().map(|(one, other)| (Numbers(one), Numbers(other))));
}

#[test]
fn texts_that_an_attacker_would_choose_share_a_hash_as_rarely_as_chance_has_it() {
    let zeros = [0; 600];
    let mut one_bit_far = zeros;
    one_bit_far[250] = 1;
    let pairs: [(&[u8], &[u8]); 10] = [
        (b"", b"\0"),
        (b"", b"\x01"),
        (b"\x01", b"\0\x01"),
        (b"\0\0\0\0\0\0\0\x01", b"\0\0\0\0\0\0\x01"),
        (&zeros[..0], &zeros[..8]),
        (&zeros[..8], &zeros[..16]),
        (&zeros[..248], &zeros[..256]),
        (&zeros[..264], &zeros[..520]),
        (&zeros[..256], &one_bit_far[..256]),
        (&zeros, &one_bit_far),
    ];
    assert_independent(pairs.into_iter().map(|(one, other)| (Bytes(one), Bytes(other))));
}

#[test]
fn the_spread_can_be_undone() {
    // Else two sums would share a fingerprint more often than the sums are equal.
    for _ in 0..100 {
        let function = random();
        // Newton's iteration: each step doubles the bits that are right, of which an odd number has three at once.
        let inverse = (0..5).fold(function.spread, |inverse, _| {
            inverse.wrapping_mul(2_u64.wrapping_sub(function.spread.wrapping_mul(inverse)))
        });
        for sum in [0, 1, u64::MAX, 1 << 32, function.count] {
            let spread = function.spread(sum);
            let product = (spread ^ spread >> 32).wrapping_mul(inverse);
            assert_eq!(product ^ product >> 32, sum, "{spread:x}");
        }
    }
}

#[test]
fn an_integer_has_the_same_value_on_every_machine() {
    let function = random();
    assert_eq!(function.fingerprint(&7_usize), function.fingerprint(&7_u64));
    assert_eq!(function.fingerprint(&7_u128), function.fingerprint(&(7_u64, 0_u64)));
}

#[test]
fn no_str_is_taken_for_the_filling_up_of_another() {
    // With an earlier function "ab" and "ab\0\0\0\0\0\x02" were one key under every secret: the block of a short end was
    // closed before the byte that tells where a `str` ends, and then looked like eight bytes of content. Here the word at
    // the end of the first is the first word of the last.
    let function = random();
    assert_ne!(function.fingerprint("ab"), function.fingerprint("ab\0\0\0\0\0\x02"));
    assert_ne!(function.fingerprint("ab"), function.fingerprint("ab\x01\0\0\0\0\0"));
    let mut texts = HashSet::new();
    for (length, fill) in (0..48_usize).flat_map(|length| (0..16).map(move |fill| (length, fill))) {
        let text = "x".repeat(length) + &"\0".repeat(fill);
        // Every byte that an end of up to 63 bytes could be filled up with.
        texts.extend((0..128_u8).map(|last| format!("{text}{}", char::from(last))));
        texts.insert(text);
    }
    let alone = texts.iter().map(|text| function.fingerprint(text));
    let with_a_word =
        texts.iter().flat_map(|text| [0, 0xff, 1_u64 << 56].map(|word| function.fingerprint(&(text, word))));
    let fingerprints: HashSet<_> = alone.chain(with_a_word).collect();
    assert_eq!(fingerprints.len(), 4 * texts.len(), "two keys share a fingerprint");
}

#[test]
fn parts_of_a_tuple_do_not_run_into_each_other() {
    let function = random();
    let long = "0123456789abcdefghijklmnopqrstuvwxyz";
    let halves: HashSet<_> =
        (0..=long.len()).map(|middle| function.fingerprint(&long.split_at(middle))).collect();
    assert_eq!(halves.len(), long.len() + 1);
    // What one part is filled up with, as content of the other.
    let fillings = ["ab", "ab\0", "ab\x01", "ab\0\0\0\0\0\0", "ab\0\0\0\0\0\x02", "ab\0\0\0\0\0\0ab"];
    let pairs: HashSet<_> =
        fillings.iter().flat_map(|one| fillings.map(|other| function.fingerprint(&(*one, other)))).collect();
    assert_eq!(pairs.len(), fillings.len() * fillings.len());
    let slices = [
        function.fingerprint(&(vec![1_u8, 2], vec![3_u8])),
        function.fingerprint(&(vec![1_u8], vec![2_u8, 3])),
        function.fingerprint(&(vec![1_u8, 2, 3], Vec::<u8>::new())),
        function.fingerprint(&vec![vec![1_u8, 2, 3]]),
    ];
    assert_eq!(HashSet::from(slices).len(), 4);
}

#[test]
fn integers_of_every_width_and_value_are_told_apart() {
    let function = random();
    let numbers: HashSet<_> = (0..64)
        .flat_map(|bit| [1_u64 << bit, (1 << bit) - 1])
        .map(|number| function.fingerprint(&number))
        .collect();
    // Zero, and all ones below each bit; 1 is both a power and a power less one.
    assert_eq!(numbers.len(), 64 + 64 - 1);
    let bytes: HashSet<_> = (0..=u8::MAX)
        .flat_map(|byte| [function.fingerprint(&byte), function.fingerprint(&(byte, 0_u16))])
        .chain((0..=u16::from(u8::MAX)).map(|short| function.fingerprint(&(short, 1_u8))))
        .collect();
    assert_eq!(bytes.len(), 3 * 256);
}

/// Keys of one type, as many as there are different ones.
fn assert_told_apart<K: Hash + Ord + fmt::Debug>(mut keys: Vec<K>) {
    keys.sort();
    keys.dedup();
    let function = random();
    let (mut words, mut fingerprints) = (HashMap::new(), HashSet::new());
    for key in &keys {
        if let Some(other) = words.insert(Words::of(key), key) {
            panic!("{key:?} writes what {other:?} does");
        }
        fingerprints.insert(function.fingerprint(key).0);
    }
    assert_eq!(fingerprints.len(), keys.len(), "{}", type_name::<K>());
}

#[test]
fn values_of_a_type_that_people_use_as_a_key_are_told_apart() {
    #[derive(Clone, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
    enum Caller {
        Nobody,
        Everybody,
        Account(u64),
        Token { text: String, bytes: Vec<u8> },
        Of(Option<Box<Caller>>, bool),
        Address(IpAddr),
    }

    // Up to three of these, which look like what is written behind texts, of lengths around that of a word.
    let ends = [0, 1, 2, 4, 7, b'a', 0x80, 0xff];
    let mut bytes: Vec<Vec<u8>> = (0..4_u32)
        .flat_map(|length| {
            (0..8_usize.pow(length))
                .map(move |number| (0..length).map(|place| ends[number >> (3 * place) & 7]).collect())
        })
        .collect();
    let short = bytes[..64].to_vec();
    for length in [5, 7, 8, 15, 16, 240, 247, 248, 256] {
        bytes.extend(short.iter().map(|end| [&vec![0; length][..], end].concat()));
    }
    let texts: Vec<_> = bytes.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    let (few, few_texts) = (&bytes[..80], &texts[..80]);

    assert_told_apart(bytes.clone());
    assert_told_apart(bytes.iter().map(|bytes| Cow::Borrowed(&bytes[..])).collect());
    assert_told_apart(texts.clone());
    assert_told_apart(texts.iter().map(OsString::from).collect());
    assert_told_apart(
        texts.iter().flat_map(|text| few_texts.iter().map(move |other| (text, other))).collect(),
    );
    assert_told_apart(bytes.iter().flat_map(|one| few.iter().map(move |other| vec![one, other])).collect());
    assert_told_apart(
        bytes.iter().map(|bytes| bytes.iter().map(|byte| Some(*byte)).collect::<Vec<_>>()).collect(),
    );
    assert_told_apart(
        bytes.iter().map(|bytes| bytes.iter().map(|byte| u16::from(*byte)).collect::<Vec<_>>()).collect(),
    );
    assert_told_apart(bytes.iter().filter_map(|bytes| <[u8; 3]>::try_from(&bytes[..]).ok()).collect());
    assert_told_apart((0..100).map(|length| vec![(); length]).collect());
    assert_told_apart((0..char::MAX as u32).step_by(17).filter_map(char::from_u32).collect());
    assert_told_apart((0..128).flat_map(|bit| [1_u128 << bit, !(1 << bit)]).collect());
    assert_told_apart((0..128).flat_map(|bit| [1_i128 << bit, !(1 << bit)]).collect());
    assert_told_apart(vec![None, Some(None), Some(Some(0_u8)), Some(Some(1))]);

    let addresses: Vec<IpAddr> = (0..32)
        .map(|bit| Ipv4Addr::from(1 << bit).into())
        .chain((0..128).map(|bit| Ipv6Addr::from(1 << bit).into()))
        .collect();
    assert_told_apart(
        addresses.iter().flat_map(|ip| [0, 1, 256].map(|port| SocketAddr::new(*ip, port))).collect(),
    );
    let callers = [Caller::Nobody, Caller::Everybody]
        .into_iter()
        .chain((0..9).map(Caller::Account))
        .chain(addresses.into_iter().map(Caller::Address))
        .chain(
            few.iter()
                .zip(few_texts.iter().rev())
                .map(|(bytes, text)| Caller::Token { text: text.clone(), bytes: bytes.clone() }),
        );
    let nested = callers
        .clone()
        .flat_map(|caller| [true, false].map(|flag| Caller::Of(Some(caller.clone().into()), flag)));
    assert_told_apart(
        callers.chain(nested).chain([Caller::Of(None, true), Caller::Of(None, false)]).collect(),
    );
}
