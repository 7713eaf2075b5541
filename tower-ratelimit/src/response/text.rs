//! Text that is put together for each answer.

use bytes::Bytes;

/// Text written without allocating, up to `N` bytes.
#[derive(Debug)]
pub(super) struct Text<const N: usize> {
    short: [u8; N],
    len: usize,
    /// All of it, once it is too long.
    long: Vec<u8>,
}

impl<const N: usize> Text<N> {
    pub(super) fn new() -> Self {
        Self { short: [0; N], len: 0, long: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match self.short.get_mut(self.len..self.len + bytes.len()) {
            Some(room) if self.long.is_empty() => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            _ => self.push_long(bytes),
        }
    }

    #[cold]
    fn push_long(&mut self, bytes: &[u8]) {
        if self.long.is_empty() {
            self.long.extend_from_slice(&self.short[..self.len]);
        }
        self.long.extend_from_slice(bytes);
    }

    #[inline]
    pub(super) fn push_number(&mut self, number: u64) {
        self.push(itoa::Buffer::new().format(number).as_bytes());
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        if self.long.is_empty() { &self.short[..self.len] } else { &self.long }
    }

    /// The text in an allocation of its own length: one that has room to spare takes a second one to be shared.
    pub(super) fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_may_be_longer_than_foreseen() {
        let mut text = Text::<8>::new();
        let mut all = Vec::new();
        for part in ["a", "", "bcdefg", "h", "ijklmnopqrstuvwxyz", "", "0"] {
            text.push(part.as_bytes());
            all.extend_from_slice(part.as_bytes());
            assert_eq!(text.as_bytes(), all);
        }
        text.push_number(u64::MAX);
        assert!(text.as_bytes().ends_with(u64::MAX.to_string().as_bytes()));
        assert_eq!(text.to_bytes(), text.as_bytes());
    }
}
