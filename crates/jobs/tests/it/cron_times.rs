//! Which instants an expression means, above all where clocks change.

use jiff::Timestamp;
use jobs::{BadCron, Cron, NewJob};
use proptest::prelude::*;
use serde_json::json;

fn entry(expression: &str, zone: &str) -> Cron {
    Cron::new("e", expression, zone, NewJob::new("w", json!({}))).unwrap()
}

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// The next ticks after an instant, as UTC without the date's year.
fn next(expression: &str, zone: &str, after: &str, n: usize) -> Vec<String> {
    let entry = entry(expression, zone);
    let mut at = ms(after);
    (0..n)
        .map(|_| {
            at = entry.next(at).unwrap();
            Timestamp::from_millisecond(at).unwrap().strftime("%m-%d %H:%M").to_string()
        })
        .collect()
}

#[test]
fn a_tick_is_by_the_clock_of_its_zone_summer_and_winter() {
    assert_eq!(next("30 8 * * *", "Europe/London", "2026-01-10T12:00:00Z", 1), ["01-11 08:30"]);
    assert_eq!(next("30 8 * * *", "Europe/London", "2026-07-10T12:00:00Z", 1), ["07-11 07:30"]);
    assert_eq!(next("30 8 * * *", "Asia/Kolkata", "2026-07-10T12:00:00Z", 1), ["07-11 03:00"]);
    assert_eq!(next("0 12 * * MON-FRI", "UTC", "2026-11-27T12:00:00Z", 2), ["11-30 12:00", "12-01 12:00"]);
    assert_eq!(next("0 0 29 2 *", "UTC", "2026-11-27T12:00:00Z", 1), ["02-29 00:00"]);
}

#[test]
fn a_fixed_time_that_does_not_exist_runs_once_right_after_the_gap() {
    // In London clocks go from 01:00 to 02:00 on 29 March 2026.
    let ticks = next("30 1 * * *", "Europe/London", "2026-03-28T00:00:00Z", 3);
    assert_eq!(ticks, ["03-28 01:30", "03-29 01:00", "03-30 00:30"]);
}

#[test]
fn a_fixed_time_that_comes_twice_runs_the_first_time() {
    // In London clocks go from 02:00 back to 01:00 on 25 October 2026.
    let ticks = next("30 1 * * *", "Europe/London", "2026-10-24T00:00:00Z", 3);
    assert_eq!(ticks, ["10-24 00:30", "10-25 00:30", "10-26 01:30"]);
}

#[test]
fn a_step_follows_the_clock_nothing_in_the_gap_and_both_times_in_the_fold() {
    let gap = next("*/30 * * * *", "Europe/London", "2026-03-29T00:15:00Z", 3);
    assert_eq!(gap, ["03-29 00:30", "03-29 01:00", "03-29 01:30"]);
    let fold = next("*/30 * * * *", "Europe/London", "2026-10-25T00:15:00Z", 4);
    assert_eq!(fold, ["10-25 00:30", "10-25 01:00", "10-25 01:30", "10-25 02:00"]);
}

#[test]
fn a_gap_at_midnight_moves_the_day_s_tick_and_does_not_lose_it() {
    // In Santiago midnight of 6 September 2026 does not exist: clocks go from 00:00 to 01:00.
    let ticks = next("0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", 2);
    assert_eq!(ticks, ["09-06 04:00", "09-07 03:00"]);
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let job = || NewJob::new("w", json!({}));
    let bad = Cron::new("nightly", "61 * * * *", "UTC", job()).unwrap_err();
    assert!(matches!(bad, BadCron::Expression { .. }));
    assert!(bad.to_string().contains("\"nightly\" has the expression \"61 * * * *\""), "{bad}");
    let bad = Cron::new("nightly", "* * * * *", "Europe/Londn", job()).unwrap_err();
    assert!(matches!(bad, BadCron::Zone { .. }));
    assert!(bad.to_string().contains("Europe/London, or UTC"), "{bad}");
}

const EXPRESSIONS: [&str; 8] = [
    "30 1 * * *",
    "0 2 * * *",
    "*/7 * * * *",
    "15 */2 * * *",
    "0 0 1 * *",
    "59 23 * * SUN",
    "0,30 1,2 * 3,10 *",
    "*/20 30 1 * * *",
];
const ZONES: [&str; 6] =
    ["UTC", "Europe/London", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kolkata"];

proptest! {
    /// Looking back finds what looking forward goes through: no tick is fired twice or passed over by a leader that
    /// looks now and then.
    #[test]
    fn the_last_tick_is_the_newest_of_those_that_come(
        expression in 0..EXPRESSIONS.len(),
        zone in 0..ZONES.len(),
        // Two weeks around each change of 2026, and anything else.
        near in prop_oneof![Just("2026-03-22T00:00:00Z"), Just("2026-10-18T00:00:00Z"), Just("2026-09-01T00:00:00Z")],
        minutes in 0_i64..20_160,
        look in 1_i64..3_000,
    ) {
        let entry = entry(EXPRESSIONS[expression], ZONES[zone]);
        let from = ms(near) + minutes * 60_000;
        let now = from + look * 60_000;
        let mut newest = None;
        let mut at = from;
        while let Some(tick) = entry.next(at).filter(|tick| *tick <= now) {
            prop_assert!(tick > at, "forward");
            newest = Some(tick);
            at = tick;
        }
        prop_assert_eq!(entry.last(now).filter(|tick| *tick > from), newest);
    }
}
