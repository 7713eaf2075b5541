//! Texts of limits: what is read is written and read again as the same, and what is not is told why.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use rate_core::algorithm::{Algorithm, AlgorithmName, AnyAlgorithm};
use rate_core::{ParseQuotaError, Quota};

/// Reads `text` as everything that can be read from a text.
///
/// # Panics
///
/// If what was read cannot be read back from how it is written, contradicts what else was read, or was refused without
/// saying what.
pub fn check(text: &str) {
    let quota: Option<Quota> = read(text);
    let algorithm: Option<AnyAlgorithm> = read(text);
    let _: Option<AlgorithmName> = read(text);

    if let Some(quota) = quota {
        assert_eq!(algorithm.map(|algorithm| algorithm.quota()), Some(quota), "a quota alone is the default");
        assert_eq!(algorithm.map(|algorithm| algorithm.name()), Some(AlgorithmName::Gcra));
        let rebuilt = Quota::new(quota.limit(), quota.period());
        assert_eq!(rebuilt.and_then(|rebuilt| rebuilt.try_burst(quota.burst_size())), Ok(quota));
        AlgorithmName::ALL.into_iter().for_each(|name| over(name, quota));
    }
    if let Some(algorithm) = algorithm {
        let quota = algorithm.quota();
        assert_eq!(algorithm.capacity(), quota.burst_size());
        assert_eq!(algorithm.name().over(quota).map(|other| other.quota()), Ok(quota));
        assert!(algorithm.bounds().units() >= algorithm.capacity());
    }
}

fn read<T>(text: &str) -> Option<T>
where
    T: FromStr<Err = ParseQuotaError> + Display + Debug + PartialEq,
{
    match text.parse::<T>() {
        Ok(value) => {
            let written = value.to_string();
            assert_eq!(written.parse().as_ref(), Ok(&value), "{text:?} is written {written:?}");
            Some(value)
        }
        Err(error) => {
            let beginning: String = text.chars().take(64).collect();
            let (named, message) = (format!("quota {beginning:?}: "), error.to_string());
            assert!(message.starts_with(&named) && message.len() > named.len(), "{message}");
            None
        }
    }
}

/// Every algorithm counts the quota that was read, or says which part of it it cannot.
fn over(name: AlgorithmName, quota: Quota) {
    match name.over(quota) {
        Ok(algorithm) => {
            assert_eq!(algorithm.name(), name);
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm), "{name} over {quota}");
        }
        Err(error) => assert!(error.to_string().contains(error.field()), "{name} over {quota}: {error}"),
    }
}
