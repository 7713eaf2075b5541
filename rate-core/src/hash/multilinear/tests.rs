//! The function against the formula, against chance, and on the keys that people use.

mod apart;
mod chance;
mod formula;

use super::*;

/// A key of these bytes and nothing else, in one write.
struct Bytes<'a>(&'a [u8]);

impl Hash for Bytes<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write(self.0);
    }
}

fn random() -> Multilinear {
    Multilinear::new(Secret::random())
}
