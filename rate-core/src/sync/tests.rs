//! Two threads, for the models of the files that use these atomics.

use std::sync::Arc;

use loom::thread;

/// Which of two roles the main thread plays.
#[derive(Clone, Copy)]
pub(crate) struct Race {
    swapped: bool,
}

/// Checks `model` under every interleaving, with the roles given to the threads in both ways.
///
/// Loom finds a race between a write and the *last* access before it. A thread that reads a word before it writes it is
/// itself that last access, and hides the reader it races with; unless the reader is run later, which is the other way.
pub(crate) fn in_every_order(model: impl Fn(Race) + Send + Sync + 'static) {
    let model = Arc::new(model);
    for swapped in [false, true] {
        let model = model.clone();
        loom::model(move || model(Race { swapped }));
    }
}

impl Race {
    /// Plays both roles at once and returns what each came to.
    pub(crate) fn between<S: Clone + 'static, A: 'static, B: 'static>(
        self,
        shared: &S,
        one: impl FnOnce(&S) -> A + 'static,
        other: impl FnOnce(&S) -> B + 'static,
    ) -> (A, B) {
        let theirs = shared.clone();
        if self.swapped {
            let one = thread::spawn(move || one(&theirs));
            let other = other(shared);
            (one.join().expect("no panic"), other)
        } else {
            let other = thread::spawn(move || other(&theirs));
            (one(shared), other.join().expect("no panic"))
        }
    }
}
