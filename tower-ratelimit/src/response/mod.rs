//! What clients are told: quota fields on every answer, and a refusal in place of one.

mod fields;
mod problem;
mod rejection;

pub use fields::Fields;
pub(crate) use fields::{FieldValues, PolicyFields};
pub use rejection::{Rejection, RejectionKind};
