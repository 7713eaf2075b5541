//! What a request costs.

use crate::RequestHead;

/// How many units of a quota a request takes.
///
/// Implemented for `u64` and for closures, and for no other integer: a second one would leave the type of `5` in
/// `.cost(5)` undecided.
///
/// # Examples
///
/// ```
/// use tower_ratelimit::{Policy, Quota, RequestHead};
///
/// let flat = Policy::new("flat", Quota::per_minute(60)).cost(5);
/// let by_path = Policy::new("by-path", Quota::per_minute(60))
///     .cost(|request: &RequestHead<'_>| if request.uri().path() == "/export" { 10 } else { 1 });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cost",
    note = "a cost is a `u64` or a closure `|request: &RequestHead<'_>| -> u64`"
)]
pub trait Cost: Send + Sync + 'static {
    /// Units this request takes.
    fn units(&self, request: &RequestHead<'_>) -> u64;
}

impl Cost for u64 {
    fn units(&self, _: &RequestHead<'_>) -> u64 {
        *self
    }
}

impl<F> Cost for F
where
    F: Fn(&RequestHead<'_>) -> u64 + Send + Sync + 'static,
{
    fn units(&self, request: &RequestHead<'_>) -> u64 {
        self(request)
    }
}
