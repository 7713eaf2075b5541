//! The integration tests, in one binary so that they link once.

mod axum_app;
mod core;
mod layer;
mod long;
mod peers;
mod replay;
