//! `application/problem+json`, RFC 9457.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A problem, ready to be serialized.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    pub(super) kind: &'a str,
    pub(super) title: &'a str,
    pub(super) status: u16,
    pub(super) detail: &'a str,
    pub(super) instance: &'a str,
}

impl Problem<'_> {
    /// The JSON text.
    pub(super) fn to_json(&self) -> Vec<u8> {
        // A map of strings and a number cannot fail to serialize into memory.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Serialize for Problem<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.kind)?;
        map.serialize_entry("title", self.title)?;
        map.serialize_entry("status", &self.status)?;
        map.serialize_entry("detail", self.detail)?;
        map.serialize_entry("instance", self.instance)?;
        map.end()
    }
}
