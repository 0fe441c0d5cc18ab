//! How long an endpoint asks to be left alone: `Retry-After`, as RFC 9110 has it.
//!
//! **Invariant.** What can't be read is no wish. A wish is bounded by [`LONGEST_ASKED`], so that no endpoint puts a message
//! off beyond the pauses that the shop itself would make; and it only ever lengthens those.

use std::time::{Duration, SystemTime};

use pulse_core::Timestamp;

/// The longest pause that an endpoint is granted: as long as the longest of the back-off.
pub const LONGEST_ASKED: Duration = super::WEBHOOK_BACKOFF.most;

/// The pause that an answer asks for at an instant: of a status that speaks of later (429, 503) and a header of seconds or of
/// a date. A date that has passed asks for nothing.
///
/// ```
/// use std::time::Duration;
/// use pulse_core::Timestamp;
/// use pulse_jobs::asked_pause;
/// let now = Timestamp(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT
/// assert_eq!(asked_pause(429, Some("120"), now), Some(Duration::from_secs(120)));
/// assert_eq!(asked_pause(503, Some("Sun, 06 Nov 1994 08:50:07 GMT"), now), Some(Duration::from_secs(30)));
/// assert_eq!(asked_pause(500, Some("120"), now), None);
/// ```
pub fn asked_pause(status: u16, header: Option<&str>, now: Timestamp) -> Option<Duration> {
    let header = header.filter(|_| matches!(status, 429 | 503))?.trim();
    let asked = if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are a long time.
        Duration::from_secs(header.parse().unwrap_or(u64::MAX))
    } else {
        let until = httpdate::parse_http_date(header).ok()?;
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).ok()?);
        until.duration_since(now).unwrap_or_default()
    };
    Some(asked.min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(784_111_777_000);

    #[test]
    fn every_form_of_a_date_is_read_and_nonsense_is_no_wish() {
        let half_a_minute = Some(Duration::from_secs(30));
        for date in
            ["Sun, 06 Nov 1994 08:50:07 GMT", "Sunday, 06-Nov-94 08:50:07 GMT", "Sun Nov  6 08:50:07 1994"]
        {
            assert_eq!(asked_pause(503, Some(date), NOW), half_a_minute, "{date}");
        }
        let past = "Sun, 06 Nov 1994 08:00:00 GMT";
        assert_eq!(asked_pause(429, Some(past), NOW), Some(Duration::ZERO));
        for nonsense in ["", " ", "soon", "-5", "1.5", "+3", "12 s", "Sun, 99 Nov 1994 08:50:07 GMT"] {
            assert_eq!(asked_pause(429, Some(nonsense), NOW), None, "{nonsense:?}");
        }
        assert_eq!(asked_pause(429, None, NOW), None);
        assert_eq!(asked_pause(200, Some("30"), NOW), None);
        assert_eq!(asked_pause(429, Some("99999999999999999999999"), NOW), Some(LONGEST_ASKED));
    }

    proptest! {
        #[test]
        fn no_wish_is_longer_than_the_longest(header in ".{0,40}", seconds: u64, at in 0..=4_000_000_000_000_i64) {
            for header in [header, seconds.to_string()] {
                if let Some(asked) = asked_pause(503, Some(&header), Timestamp(at)) {
                    prop_assert!(asked <= LONGEST_ASKED);
                }
            }
        }
    }
}
