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
    ///
    /// Zero takes nothing, and is always admitted; more than the policy's burst is refused for ever.
    fn units(&self, request: &RequestHead<'_>) -> u64;

    /// The units that every request takes, if it is known that they are always as many.
    ///
    /// What makes a policy useless is then refused when the layer is built: zero would limit nobody, and more than the burst
    /// would admit nobody. A closure says `None`, and may return either.
    fn constant(&self) -> Option<u64> {
        None
    }
}

impl Cost for u64 {
    fn units(&self, _: &RequestHead<'_>) -> u64 {
        *self
    }

    fn constant(&self) -> Option<u64> {
        Some(*self)
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
