//! Who is asking: keys and how they are taken from a request.

mod client_ip;
mod encoding;
mod error;
mod extractor;
mod sources;

pub use client_ip::ClientIp;
pub use encoding::Key;
pub(crate) use encoding::MAX_PART;
pub use error::{KeyError, KeyErrorKind};
pub use extractor::{KeyExtractor, Or};
pub use sources::{Extension, Global, Header, extension, global, header};
