//! The text of an error, written where nothing can be formatted: in a `const fn`.
//!
//! A quota in a `const` that cannot be built is a compile error, and the same call at run time a panic. Both have to name
//! the value, as the error does; so all three are this text.

/// A text of at most 256 bytes, which every message fits: a test writes the longest.
#[derive(Clone, Copy)]
pub(super) struct Message {
    bytes: [u8; 256],
    len: usize,
}

impl Message {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; 256], len: 0 }
    }

    pub(super) const fn text(mut self, text: &str) -> Self {
        // Neither iterators nor `copy_from_slice` are const on the MSRV.
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() {
            self.bytes[self.len + at] = text[at];
            at += 1;
        }
        self.len += at;
        self
    }

    pub(super) const fn number(mut self, number: u128) -> Self {
        if number >= 10 {
            self = self.number(number / 10);
        }
        self.bytes[self.len] = b'0' + (number % 10) as u8;
        self.len += 1;
        self
    }

    /// The last `count` digits of `number`, zeros in front included.
    pub(super) const fn digits(mut self, number: u128, count: u32) -> Self {
        if count > 1 {
            self = self.digits(number / 10, count - 1);
        }
        self.number(number % 10)
    }

    pub(super) const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            // Only whole texts and digits were written.
            Err(_) => unreachable!(),
        }
    }
}
