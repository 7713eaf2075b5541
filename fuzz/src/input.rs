//! Bytes as choices and numbers.

/// What is left of the fuzzer's bytes. After the last one everything is zero.
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// One of so many choices.
    pub(super) fn choice(&mut self, choices: u8) -> u8 {
        self.byte() % choices
    }

    /// Any number, small ones and those at the ends most often.
    pub(super) fn number(&mut self) -> u64 {
        match self.choice(8) {
            0..=2 => u64::from(self.byte()),
            3 => self.bytes(2),
            4 => self.bytes(4),
            5 => self.bytes(8),
            // Beside a power of two.
            6 => (1_u64 << self.choice(64)).wrapping_add(self.bytes(1)).wrapping_sub(128),
            _ => u64::MAX - u64::from(self.byte()),
        }
    }

    fn bytes(&mut self, count: usize) -> u64 {
        (0..count).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }
}
