//! What clients are told: quota fields on every answer, and a refusal in place of one.

mod answer;
mod fields;
mod headers;
mod instance;
mod number;
mod problem;
mod rejection;
mod text;
mod wording;

pub use fields::Fields;
pub(crate) use fields::{FieldValues, PolicyFields};
pub(crate) use headers::RejectionHeaders;
pub use rejection::{Rejection, RejectionKind};
pub(crate) use wording::Wording;
