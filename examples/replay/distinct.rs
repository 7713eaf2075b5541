//! Numbers for what occurs again and again.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Deref;

/// Each value once, by index.
#[derive(Debug)]
pub(crate) struct Distinct<T> {
    values: Vec<T>,
    indices: HashMap<T, usize>,
}

impl<T: Clone + Eq + Hash> Distinct<T> {
    /// The index of `value`, which is kept when it is new.
    pub(crate) fn index(&mut self, value: T) -> usize {
        let values = &mut self.values;
        *self.indices.entry(value).or_insert_with_key(|value| {
            values.push(value.clone());
            values.len() - 1
        })
    }
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self { values: Vec::new(), indices: HashMap::new() }
    }
}

impl<T> Deref for Distinct<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}
