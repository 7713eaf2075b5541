//! The integration tests, in one binary so that they link once.

mod acquire;
mod axum_app;
mod core;
mod fuzz;
mod layer;
mod long;
mod peers;
mod replay;
