//! Quotas and algorithms in configuration files, as their text form.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ParseQuotaError, Quota};
use crate::algorithm::AnyAlgorithm;

impl Serialize for Quota {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for AnyAlgorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quota {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text { such_as: "a quota such as \"10/s burst 20\"", of: PhantomData })
    }
}

impl<'de> Deserialize<'de> for AnyAlgorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let such_as = "a quota and an algorithm such as \"100/min sliding-window\"";
        deserializer.deserialize_str(Text { such_as, of: PhantomData })
    }
}

struct Text<T> {
    such_as: &'static str,
    of: PhantomData<T>,
}

impl<T: FromStr<Err = ParseQuotaError>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.such_as)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}
