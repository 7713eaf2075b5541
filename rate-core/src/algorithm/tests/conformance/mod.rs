//! The behaviours that every algorithm has: one list, run for each of them, in states that it can be in and at instants that
//! matter, in nanoseconds and microseconds and on scales where all there is can be tried.

mod admission;
mod behind;
mod debit;
mod extremes;
mod penalty;
mod refund;
mod reserve;
mod subject;
mod subjects;
mod time;
mod words;

macro_rules! behave {
    ($subjects:ident: $($file:ident: $($behaviour:ident)*;)*) => {$($(
        #[test]
        fn $behaviour() {
            for subject in super::subjects::$subjects.iter() {
                super::$file::$behaviour(subject);
            }
        }
    )*)*};
}

macro_rules! behaves {
    ($subjects:ident) => {
        behave! { $subjects:
            admission:
                a_fresh_key_has_its_capacity
                nothing_is_free_and_changes_nothing
                more_than_the_capacity_is_never_admitted
                after_exactly_the_wait_it_is_admitted
                what_remains_can_be_taken_and_no_more
                as_much_as_there_is_can_be_taken_at_once
                what_is_admitted_is_charged;
            time:
                it_is_as_good_as_new_after_the_reset
                it_is_fresh_from_the_first_tick_at_which_it_cannot_be_told_from_a_new_one
                an_idle_key_is_never_better_than_a_new_one
                waiting_takes_nothing_away
                a_late_request_is_admitted_no_more
                a_late_request_rewinds_nothing_and_delays_nobody;
            penalty:
                a_penalized_key_is_admitted_nothing_until_then
                a_penalty_makes_nobody_better_off
                a_penalty_that_is_over_is_none;
            extremes:
                a_long_gap_is_like_any_other
                nobody_is_unlimited_at_the_end_of_time
                no_wait_is_told_that_does_not_help
                nothing_panics_or_wraps;
        }
    };
}

macro_rules! behaves_in_refunds {
    ($subjects:ident) => {
        behave! { $subjects:
            refund:
                a_refund_at_once_undoes_the_charge
                a_refund_makes_nobody_better_off_than_without_the_charge
                a_refund_takes_nothing_away
                a_second_refund_of_a_charge_gives_nothing
                a_refund_of_what_has_come_back_gives_nothing
                a_refund_gives_no_more_than_was_taken;
        }
    };
}

macro_rules! behaves_in_penalties {
    ($subjects:ident) => {
        behave! { $subjects:
            penalty:
                no_refund_lifts_a_penalty;
        }
    };
}

macro_rules! behaves_in_reservations {
    ($subjects:ident) => {
        behave! { $subjects:
            reserve:
                a_reservation_that_need_not_wait_is_a_check
                a_reservation_waits_until_its_turn_and_no_longer_than_it_wants_to
                a_refused_reservation_is_accepted_after_exactly_the_wait
                reservations_are_kept_in_the_order_they_are_made_in
                no_check_passes_a_reservation
                cancelling_the_last_reservation_leaves_no_trace
                cancelling_a_reservation_before_others_gives_nothing
                a_reservation_of_nothing_or_too_much_changes_nothing;
        }
    };
}

macro_rules! behaves_in_words {
    ($subjects:ident) => {
        behave! { $subjects:
            words:
                a_state_fits_a_word
                words_are_answered_as_states_are
                a_state_that_was_dropped_leaves_no_less_behind
                who_comes_late_finds_a_dropped_key_full
                what_was_taken_later_is_known_to_have_been
                losing_who_has_taken_more_admits_more;
            behind:
                who_comes_after_others_waits_no_longer_than_they_take;
        }
    };
}

macro_rules! behaves_in_lines {
    ($subjects:ident) => {
        behave! { $subjects:
            behind:
                who_comes_after_others_waits_until_they_have_taken_theirs;
        }
    };
}

macro_rules! behaves_in_debits {
    ($subjects:ident) => {
        behave! { $subjects:
            debit:
                a_debit_takes_what_there_is_and_as_much_as_may_be_owed
                a_debit_is_earned_back_before_anything_is_admitted;
        }
    };
}

mod gcra {
    behaves!(GCRA);
    behaves_in_words!(GCRA);
    behaves_in_lines!(GCRA);
    behaves_in_refunds!(GCRA);
    behaves_in_reservations!(GCRA);
    behaves_in_debits!(GCRA);
}

mod leaky_bucket {
    behaves!(LEAKY_BUCKET);
    behaves_in_words!(LEAKY_BUCKET);
    behaves_in_lines!(LEAKY_BUCKET);
    behaves_in_reservations!(LEAKY_BUCKET);
}

mod fixed_window {
    behaves!(FIXED_WINDOW);
    behaves_in_words!(FIXED_WINDOW);
    behaves_in_lines!(FIXED_WINDOW);
    behaves_in_refunds!(FIXED_WINDOW);
    behaves_in_penalties!(FIXED_WINDOW);
}

mod calendar_window {
    behaves!(CALENDAR_WINDOW);
    behaves_in_words!(CALENDAR_WINDOW);
    behaves_in_lines!(CALENDAR_WINDOW);
    behaves_in_refunds!(CALENDAR_WINDOW);
    behaves_in_penalties!(CALENDAR_WINDOW);
}

mod sliding_window {
    behaves!(SLIDING_WINDOW);
    behaves_in_words!(SLIDING_WINDOW);
    behaves_in_refunds!(SLIDING_WINDOW);
    behaves_in_penalties!(SLIDING_WINDOW);
}

mod sliding_log {
    behaves!(SLIDING_LOG);
    behaves_in_refunds!(SLIDING_LOG);
    behaves_in_penalties!(SLIDING_LOG);
}

mod any {
    behaves!(ANY);
}
