use std::hash::{BuildHasher, RandomState};

use super::*;

/// The words that a key writes.
#[derive(Default)]
pub(super) struct Words(Vec<u64>);

impl Words {
    pub(super) fn of(key: &impl Hash) -> Vec<u64> {
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
