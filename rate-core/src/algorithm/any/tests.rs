use super::*;
use crate::Quota;

const DAY: u64 = 86_400 * 1_000_000_000;

fn read(text: &str) -> AnyAlgorithm {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// One of each.
fn all() -> [AnyAlgorithm; 7] {
    let quota = Quota::per_second(10);
    [
        Gcra::new(quota.burst(20)).into(),
        LeakyBucket::new(quota.burst(3)).into(),
        FixedWindow::new(quota).into(),
        CalendarWindow::day(1_000).into(),
        CalendarWindow::month(1_000).into(),
        SlidingWindow::new(quota).into(),
        SlidingLog::new(quota).into(),
    ]
}

#[test]
fn every_algorithm_is_read_as_it_is_written() {
    let texts = [
        "10/s burst 20",
        "10/s burst 3 leaky-bucket",
        "10/s fixed-window",
        "1000/day calendar-window",
        "1000/month calendar-window",
        "10/s sliding-window",
        "10/s sliding-log",
    ];
    for (algorithm, text) in all().into_iter().zip(texts) {
        assert_eq!(algorithm.to_string(), text);
        assert_eq!(read(text), algorithm);
    }
    let staggered = FixedWindow::new(Quota::per_minute(100)).staggered();
    assert_eq!(read("100/min fixed-window staggered"), staggered.into());
    assert_eq!(AnyAlgorithm::from(staggered).to_string(), "100/min fixed-window staggered");
}

#[test]
fn what_need_not_be_said_is_left_out() {
    assert_eq!(read("10/s gcra"), Gcra::new(Quota::per_second(10)).into());
    assert_eq!(read("10/s gcra").to_string(), "10/s");
    assert_eq!(AnyAlgorithm::from(Quota::per_second(10)), read("10/s"));
    assert_eq!(read("5/month"), CalendarWindow::month(5).into());
}

#[test]
fn a_text_that_is_no_algorithm_names_what_is_wrong() {
    for (text, part) in [
        ("", "expected `N/PERIOD`"),
        ("10", "expected `N/PERIOD`"),
        ("x/month", "limit must be a whole number"),
        ("0/month", "at least 1 unit"),
        ("10/s leaky", "must be one of gcra, leaky-bucket"),
        ("10/s gcra staggered", "only fixed-window may be followed by `staggered`"),
        ("10/s fixed-window shifted", "only fixed-window"),
        ("10/s fixed-window staggered twice", "only fixed-window"),
        ("10/s sliding-log 5", "only fixed-window"),
        // A month is no number of seconds.
        ("10/month gcra", "a month is counted by calendar-window only"),
        ("10/month fixed-window", "write 30day for fixed-window"),
        ("10/s calendar-window", "must be a day, or 28 to 31 of them"),
        ("10/s burst 20 sliding-window", "burst has no meaning"),
    ] {
        let error = text.parse::<AnyAlgorithm>().expect_err(text);
        assert!(error.to_string().contains(part), "{text:?}: {error}");
    }
}

#[test]
fn it_is_described_by_name_and_quota() {
    let names = [
        AlgorithmName::Gcra,
        AlgorithmName::LeakyBucket,
        AlgorithmName::FixedWindow,
        AlgorithmName::CalendarWindow,
        AlgorithmName::CalendarWindow,
        AlgorithmName::SlidingWindow,
        AlgorithmName::SlidingLog,
    ];
    let quota = Quota::per_second(10);
    let quotas = [
        quota.burst(20),
        quota.burst(3),
        quota,
        Quota::per_day(1_000),
        Quota::new(1_000, core::time::Duration::from_nanos(31 * DAY)).expect("a quota"),
        quota,
        quota,
    ];
    for ((algorithm, name), quota) in all().into_iter().zip(names).zip(quotas) {
        assert_eq!((algorithm.name(), algorithm.quota()), (name, quota));
    }
}

#[test]
fn only_aligned_windows_ask_what_time_it_is() {
    // Half a second into a second, and an hour before midnight.
    let utc = DAY - 3_600 * 1_000_000_000 + 500_000_000;
    for algorithm in all() {
        let (anchored, full) = (algorithm.anchored(utc), algorithm.capacity());
        let spent = anchored.admit(anchored.fresh(), 0, full).expect("a new key");
        let wait = anchored.admit(spent.clone(), 0, 1);
        match algorithm.name() {
            AlgorithmName::FixedWindow => assert_eq!(wait, Err(500_000_000)),
            AlgorithmName::CalendarWindow if algorithm.bounds().ticks() == DAY => {
                assert_eq!(wait, Err(3_600 * 1_000_000_000 - 500_000_000));
            }
            AlgorithmName::CalendarWindow => assert_eq!(wait, Err(31 * DAY - utc)),
            _ => assert_eq!(anchored, algorithm),
        }
    }
}

#[test]
fn it_answers_as_the_algorithm_itself_does() {
    macro_rules! same {
        ($algorithm:expr, $kind:ident) => {{
            let (one, any) = ($algorithm, AnyAlgorithm::from($algorithm));
            assert_eq!(any.fresh(), AnyState::$kind(one.fresh()));
            assert_eq!((any.capacity(), any.bounds()), (one.capacity(), one.bounds()));
            let spent = one.admit(one.fresh(), DAY, 2).expect("a new key");
            let of_any = any.admit(any.fresh(), DAY, 2).expect("a new key");
            assert_eq!(of_any, AnyState::$kind(spent.clone()));
            for now in [DAY, DAY + 1, 3 * DAY] {
                assert_eq!(any.standing(of_any.clone(), now), one.standing(spent.clone(), now));
                for cost in [0, 1, one.capacity(), one.capacity() + 1] {
                    let next = one.admit(spent.clone(), now, cost).map(AnyState::$kind);
                    assert_eq!(any.admit(of_any.clone(), now, cost), next);
                }
                let penalized = one.penalized(spent.clone(), now, now + 5);
                assert_eq!(any.penalized(of_any.clone(), now, now + 5), AnyState::$kind(penalized));
            }
            assert_eq!(any.fresh_from(of_any), one.fresh_from(spent));
        }};
    }
    let quota = Quota::per_second(10);
    same!(Gcra::new(quota), Tat);
    same!(LeakyBucket::new(quota), Tat);
    same!(FixedWindow::new(quota), Count);
    same!(CalendarWindow::month(10), Count);
    same!(SlidingWindow::new(quota), Counts);
    same!(SlidingLog::new(quota), Log);
}

#[test]
fn a_state_of_another_algorithm_is_that_of_a_new_key() {
    for algorithm in all() {
        for other in all() {
            let state = other.admit(other.fresh(), 5, 1).expect("a new key");
            if core::mem::discriminant(&state) != core::mem::discriminant(&algorithm.fresh()) {
                let new = algorithm.standing(algorithm.fresh(), 5);
                assert_eq!(algorithm.standing(state, 5), new, "{algorithm} of {other}");
            }
        }
    }
}

#[test]
fn an_algorithm_is_anchored_by_itself_or_else_by_its_limiter() {
    for window in [AnyAlgorithm::from(FixedWindow::new(Quota::per_day(10))), CalendarWindow::day(10).into()] {
        let wait = |algorithm: AnyAlgorithm| {
            let spent = algorithm.admit(algorithm.fresh(), 0, 10).expect("a fresh key");
            algorithm.admit(spent, 0, 1).expect_err("all of it is taken")
        };
        assert_eq!(wait(window), DAY);
        assert_eq!(wait(window.or_anchored(1)), DAY - 1, "nobody has said anything else");
        assert_eq!(wait(window.anchored(2).or_anchored(1)), DAY - 2, "{window} was anchored");
        assert_eq!(wait(window.anchored(0).or_anchored(1)), DAY, "to the very instant that is assumed");
    }
}

#[test]
fn what_was_taken_is_given_back_as_the_algorithm_does() {
    for algorithm in all() {
        let spent = algorithm.admit(algorithm.fresh(), 100, 3).expect("a fresh key");
        let back = |units, at, now| algorithm.refund(spent.clone(), Charged { units, at }, now);
        if algorithm.name() == AlgorithmName::LeakyBucket {
            assert_eq!(back(3, 100, 100), (spent.clone(), 0), "what has passed it has passed");
            continue;
        }
        assert_eq!(back(2, 100, 100).1, 2, "{algorithm}");
        let (state, units) = back(u64::MAX, 100, 100);
        assert_eq!(units, 3, "{algorithm}");
        assert_eq!(algorithm.standing(state, 100), algorithm.standing(algorithm.fresh(), 100), "{algorithm}");
        // Of another state's charge nothing is known.
        assert_eq!(algorithm.refund(algorithm.fresh(), Charged { units: 3, at: 100 }, 100).1, 0);
    }
}

#[test]
fn a_limit_equals_the_text_it_was_made_of() {
    // Whoever asked whether the configuration has changed was told so each time: the limiter had anchored its windows.
    for text in [
        "10/s burst 20",
        "10/s burst 20 leaky-bucket",
        "100/min fixed-window",
        "100/min fixed-window staggered",
        "100/day calendar-window",
        "1000/month",
        "100/min sliding-window",
        "100/min sliding-log",
    ] {
        let parsed: AnyAlgorithm = text.parse().expect(text);
        let built = crate::KeyedLimiter::builder_of(parsed).capacity(1).build().expect("one key fits");
        assert_eq!(crate::Limiter::of(parsed).limit(), parsed);
        assert_eq!(built.limit(), parsed);
        assert_eq!(built.with_limit(parsed).limit(), parsed);
        // Where the windows begin can be asked for.
        let [one, other] = [1, 2].map(|utc| parsed.anchored(utc));
        let has_windows = matches!(parsed.name(), AlgorithmName::FixedWindow | AlgorithmName::CalendarWindow);
        assert!(one == other && one.is_aligned_with(&one), "{text}");
        assert_eq!(one.is_aligned_with(&other), !has_windows, "{text}");
        assert!(parsed.is_aligned_with(&parsed.anchored(0)), "{text}");
    }
    assert!(!read("1/s").is_aligned_with(&read("2/s")));
    let different: Vec<AnyAlgorithm> =
        all().into_iter().chain([FixedWindow::new(Quota::per_second(1)).into()]).collect();
    for (place, one) in different.iter().enumerate() {
        assert!(different.iter().enumerate().all(|(other, two)| (one == two) == (place == other)), "{one}");
    }
    let window = FixedWindow::new(Quota::per_minute(100));
    assert_ne!(window, window.staggered());
    assert_ne!(window, FixedWindow::new(Quota::per_minute(101)));
    assert_ne!(window, FixedWindow::new(Quota::per_hour(100)));
    assert_ne!(CalendarWindow::day(100), CalendarWindow::month(100));
    assert_ne!(CalendarWindow::day(100), CalendarWindow::day(101));
}
