use super::*;

/// A machine whose clocks are set by hand.
struct Machine {
    ticks: Cell<u64>,
    os: Cell<u64>,
    /// How often the operating system's clock was read.
    asked: Cell<u64>,
}

/// Ticks per nanosecond.
const SPEED: u64 = 3;

impl Machine {
    fn new() -> Self {
        Self { ticks: Cell::new(1 << 40), os: Cell::new(5), asked: Cell::new(0) }
    }

    fn pass(&self, nanos: u64) {
        self.os.set(self.os.get() + nanos);
        self.ticks.set(self.ticks.get().wrapping_add(nanos * SPEED));
    }

    /// A machine, a thread's anchor, and a base that knows the counter's rate.
    fn warm() -> (Self, Anchor, Base) {
        let (machine, anchor, base) = (Self::new(), Anchor::new(), Base::new());
        for wait in [0, 1, WARM_UP - 2] {
            machine.pass(wait);
            assert_eq!(anchor.now(&base, &machine), machine.os.get());
            assert_eq!(anchor.window.get(), 0, "the rate is not known yet");
        }
        machine.pass(1);
        assert_eq!(anchor.now(&base, &machine), machine.os.get());
        assert!(anchor.window.get() > 0, "the rate is known");
        (machine, anchor, base)
    }
}

impl Clocks for Machine {
    fn ticks(&self) -> u64 {
        self.ticks.get()
    }

    fn os(&self) -> u64 {
        self.asked.set(self.asked.get() + 1);
        self.os.get()
    }
}

#[test]
fn time_is_counted_between_two_looks_at_the_clock() {
    let (machine, anchor, base) = Machine::warm();
    for _ in 0..1_000 {
        machine.pass(997);
        let now = anchor.now(&base, &machine);
        assert!(machine.os.get().abs_diff(now) <= 1, "{now}, not {}", machine.os.get());
    }
    // A millisecond in windows of a tenth of one, and three looks before the rate was known.
    assert!((10..=14).contains(&machine.asked.get()), "{}", machine.asked.get());
    assert!(!base.is_doubted());
}

#[test]
fn a_thread_that_slept_begins_anew() {
    let (machine, anchor, base) = Machine::warm();
    for sleep in [WINDOW, 1_000 * WINDOW, 1_000_000 * WINDOW] {
        machine.pass(sleep);
        // The operating system's clock is being slowed down, and a reading of it is late.
        machine.os.set(machine.os.get() - sleep / 2_000 + 500);
        assert_eq!(anchor.now(&base, &machine), machine.os.get());
        assert!(!base.is_doubted());
        machine.os.set(machine.os.get() - 500);
    }
}

#[test]
fn a_counter_that_jumps_is_never_asked_again() {
    // By one tick, to another core's counter, before and behind, and a virtual machine that was moved.
    for jump in
        [1_u64.wrapping_neg(), 1 << 20, (1_u64 << 20).wrapping_neg(), 1 << 50, (1_u64 << 41).wrapping_neg()]
    {
        let (machine, anchor, base) = Machine::warm();
        machine.ticks.set(machine.ticks.get().wrapping_add(jump));
        for _ in 0..10 {
            assert_eq!(anchor.now(&base, &machine), machine.os.get(), "{jump}");
            machine.pass(WINDOW / 3);
        }
        assert!(base.is_doubted(), "{jump}");
        assert_eq!(Anchor::new().now(&base, &machine), machine.os.get(), "another thread");
    }
}

#[test]
fn a_counter_that_steps_back_within_a_window_makes_time_stand_still() {
    let (machine, anchor, base) = Machine::warm();
    machine.pass(WINDOW / 2);
    let before = anchor.now(&base, &machine);
    machine.ticks.set(machine.ticks.get() - WINDOW / 3 * SPEED);
    assert_eq!(anchor.now(&base, &machine), before);
    machine.pass(WINDOW);
    assert_eq!(anchor.now(&base, &machine), machine.os.get());
    assert!(base.is_doubted());
}

#[test]
fn a_counter_that_stands_still_while_nobody_runs_is_found_out_when_somebody_does() {
    let (machine, anchor, base) = Machine::warm();
    machine.os.set(machine.os.get() + 1_000_000_000);
    machine.pass(WINDOW / 2);
    // Late, so that less is admitted; and for a window only.
    assert!(anchor.now(&base, &machine) < machine.os.get());
    machine.pass(WINDOW);
    assert_eq!(anchor.now(&base, &machine), machine.os.get());
    assert!(base.is_doubted());
}

#[test]
fn a_window_that_was_slowed_down_says_nothing_about_the_counter() {
    // It was judged by the slower rate, and a thread that slept a second after one doubted an exact counter.
    let (machine, anchor, base) = Machine::warm();
    machine.pass(WINDOW - 1);
    let _ = anchor.now(&base, &machine);
    machine.pass(1);
    machine.os.set(machine.os.get() - 500);
    let _ = anchor.now(&base, &machine);
    assert!(
        anchor.rate.get() < base.rate(Reading { ticks: machine.ticks(), os: machine.os() }).expect("known")
    );
    machine.pass(1_000_000_000);
    let _ = anchor.now(&base, &machine);
    assert!(!base.is_doubted());
}

#[test]
fn a_counter_that_changes_its_rate_is_found_out_within_a_window() {
    let (machine, anchor, base) = Machine::warm();
    let mut worst = 0;
    for _ in 0..1_000 {
        // A twentieth slower.
        machine.os.set(machine.os.get() + 1_000);
        machine.ticks.set(machine.ticks.get() + 950 * SPEED);
        worst = worst.max(machine.os.get().abs_diff(anchor.now(&base, &machine)));
    }
    assert!(base.is_doubted());
    assert!(worst <= WINDOW / 15, "{worst} ns behind");
}

#[test]
fn a_counter_that_stands_still_or_counts_something_else_is_not_used() {
    for speed in [0, 1_000_000] {
        let (machine, anchor, base) = (Machine::new(), Anchor::new(), Base::new());
        for _ in 0..5 {
            machine.os.set(machine.os.get() + WARM_UP);
            machine.ticks.set(machine.ticks.get() + WARM_UP * speed);
            assert_eq!(anchor.now(&base, &machine), machine.os.get());
        }
        assert!(base.is_doubted() && anchor.window.get() == 0, "{speed} ticks per nanosecond");
    }
}

/// A machine on which something comes in between the two clocks.
struct Interrupted(Machine, Cell<bool>);

impl Clocks for Interrupted {
    fn ticks(&self) -> u64 {
        self.0.ticks()
    }

    fn os(&self) -> u64 {
        let os = self.0.os();
        if self.1.get() {
            self.0.pass(INTERRUPTED);
        }
        os
    }
}

#[test]
fn a_reading_that_was_interrupted_is_no_anchor() {
    let (machine, anchor, base) = Machine::warm();
    let machine = Interrupted(machine, Cell::new(true));
    for missed in 1..=PATIENCE + 10 {
        assert_eq!(base.is_doubted(), missed > PATIENCE + 1, "the reading itself takes too long");
        machine.0.pass(2 * WINDOW);
        let os = machine.0.os.get();
        assert_eq!(anchor.now(&base, &machine), os);
        assert_eq!(anchor.window.get(), 0);
    }
}

#[test]
fn a_counter_is_judged_by_the_next_look_that_is_not_interrupted() {
    // Only looks within a window were judged. Interrupted at the end of each, a counter four times too fast ran away.
    let (machine, anchor, base) = Machine::warm();
    let machine = Interrupted(machine, Cell::new(false));
    let mut worst = 0;
    for _ in 0..100_000 {
        machine.0.os.set(machine.0.os.get() + 100);
        machine.0.ticks.set(machine.0.ticks.get() + 400 * SPEED);
        let window = anchor.window.get();
        machine.1.set(window > 0 && machine.0.ticks.get() - anchor.ticks.get() >= window);
        worst = worst.max(anchor.now(&base, &machine).saturating_sub(machine.0.os.get()));
    }
    assert!(base.is_doubted());
    assert!(worst <= WINDOW, "{worst} ns ahead");
}

#[test]
fn interruptions_now_and_then_say_nothing_about_the_counter() {
    let (machine, anchor, base) = Machine::warm();
    let machine = Interrupted(machine, Cell::new(true));
    for turn in 0..3 * PATIENCE {
        machine.1.set(turn % 2 == 0);
        machine.0.pass(2 * WINDOW);
        anchor.now(&base, &machine);
    }
    assert!(!base.is_doubted() && anchor.window.get() > 0);
}

#[test]
fn time_never_runs_backwards_and_never_away() {
    let (machine, anchor, base) = Machine::warm();
    let (mut before, mut worst) = (0, 0);
    for step in 0..4_000_000_u64 {
        // The operating system slows its clock down by half a thousandth, and later makes up for it.
        let odd = u64::from(step % 200 == 0);
        machine.ticks.set(machine.ticks.get() + 10 * SPEED);
        machine.os.set(machine.os.get() + if step < 2_000_000 { 10 - odd } else { 10 + odd });
        let now = anchor.now(&base, &machine);
        assert!(now >= before, "{now} after {before}");
        worst = worst.max(machine.os.get().abs_diff(now));
        before = now;
    }
    assert!(worst <= 200, "{worst} ns off");
    assert!(!base.is_doubted());
}
