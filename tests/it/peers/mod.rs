//! What other limiters got wrong: one test for each bug, named after it. Each says in a line whose it was.
//!
//! Where an algorithm can have the bug, all six are asked, and in every way there is to ask them.
//!
//! # Not here
//!
//! | row | why |
//! |---|---|
//! | the time that `deny-path-cost` speaks of | in the bench: rows `layer/total/refused` beside `layer/total/fields`, and `keyed/…` deny beside allow |
//! | the time that `adaptive-insert-scaling` speaks of | in the bench too: rows `keyed/u64/new` with 10,000 and 1,000,000 keys |
//! | the ten million keys of `key-flood-cap` | `long::flood` |
//!
//! # Not yet applicable
//!
//! | row | until there is |
//! |---|---|
//! | `xff-spoof`, `xff-untrusted-peer` | a key that reads forwarding headers: none does, and `layer::keys` sees that they are not read |
//! | `method-filter-headers` | a policy that leaves requests out |
//! | `redis-lua-equals-memory`, `redis-ttl-always`, `redis-noscript / wrongtype / corrupt`, `redis-cluster-slot`, `redis-hang / slow / down at boot`, `partition-longer-than-window` | a store that is not memory; also the parts of `clock-backwards` and `key-redaction` that speak of Redis |

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod answers;
mod callers;
mod changes;
mod http;
mod memory;
mod quotas;
mod rates;
mod refusals;
mod time;
mod together;
mod waiting;

/// An instant that is nowhere near the beginning of a window.
const START: u64 = 1_234_567_891;
