//! Sales of the last hour, minute by minute.
//!
//! **Invariant.** There are always [`MINUTES`] minutes, the last of which is the present one; what is older is forgotten.

use pulse_core::Timestamp;
use pulse_data::orders::{Minute, Sales};

/// How far back one sees.
pub(crate) const MINUTES: usize = 60;

/// Minutes over which the trend is averaged.
const SMOOTH: usize = 5;

/// What was sold in a minute, or in several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sold {
    /// Orders.
    pub(crate) orders: i64,
    /// What they come to, in pence.
    pub(crate) pence: i64,
}

impl Sold {
    fn add(&mut self, orders: i64, pence: i64) {
        self.orders = self.orders.saturating_add(orders);
        self.pence = self.pence.saturating_add(pence);
    }
}

/// The last hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trade {
    /// The present minute, counted from 1970.
    now: i64,
    /// The oldest first.
    minutes: [Sold; MINUTES],
}

const fn minute(at: Timestamp) -> i64 {
    at.0.div_euclid(60_000)
}

/// The instant from which on the hour before `now` is shown.
pub(crate) fn since(now: Timestamp) -> Timestamp {
    let minutes = i64::try_from(MINUTES).unwrap_or(60);
    Timestamp((minute(now) - minutes + 1) * 60_000)
}

impl Trade {
    /// The hour before `now`; minutes outside of it are left out.
    pub(crate) fn new(now: Timestamp, past: &[Minute]) -> Self {
        let mut trade = Self { now: minute(now), minutes: [Sold::default(); MINUTES] };
        for one in past {
            if let Some(place) = trade.place(one.minute) {
                trade.minutes[place].add(one.orders, one.pence);
            }
        }
        trade
    }

    fn place(&self, minute: i64) -> Option<usize> {
        let back = usize::try_from(self.now - minute).ok()?;
        (MINUTES - 1).checked_sub(back)
    }

    /// Time goes on. A clock that was set back changes nothing.
    pub(crate) fn roll(&mut self, now: Timestamp) {
        let by = usize::try_from(minute(now) - self.now).unwrap_or(0).min(MINUTES);
        self.minutes.rotate_left(by);
        self.minutes[MINUTES - by..].fill(Sold::default());
        self.now = self.now.max(minute(now));
    }

    /// Something was sold in this minute.
    pub(crate) fn add(&mut self, sales: Sales) {
        self.minutes[MINUTES - 1].add(sales.orders, sales.pence);
    }

    /// The minutes, the oldest first.
    pub(crate) const fn minutes(&self) -> &[Sold; MINUTES] {
        &self.minutes
    }

    /// The present minute so far.
    pub(crate) const fn this_minute(&self) -> Sold {
        self.minutes[MINUTES - 1]
    }

    /// The whole hour.
    pub(crate) fn hour(&self) -> Sold {
        sum(&self.minutes)
    }

    /// The hour in twelfths of five minutes, the newest first, each with the minutes that have passed since its end.
    pub(crate) fn twelfths(&self) -> impl Iterator<Item = (usize, Sold)> {
        self.minutes.rchunks(MINUTES / 12).enumerate().map(|(n, part)| (n * (MINUTES / 12), sum(part)))
    }
}

fn sum(minutes: &[Sold]) -> Sold {
    let mut whole = Sold::default();
    for one in minutes {
        whole.add(one.orders, one.pence);
    }
    whole
}

/// The moving average of values: of each with the ones before it, five at most.
pub(crate) fn trend(values: &[i64]) -> Vec<i64> {
    let average = |end: usize| {
        let window = &values[(end + 1).saturating_sub(SMOOTH)..=end];
        let sum = window.iter().fold(0_i64, |sum, value| sum.saturating_add(*value));
        sum / i64::try_from(window.len()).unwrap_or(1)
    };
    (0..values.len()).map(average).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_core::OrderId;

    const NOW: Timestamp = Timestamp(1_000 * 60_000 + 59_999);

    fn sold(orders: i64, pence: i64) -> Sold {
        Sold { orders, pence }
    }

    #[test]
    fn an_hour_holds_sixty_minutes_and_no_more() {
        let past = [(940, 1), (941, 2), (1_000, 3), (1_001, 4)];
        let past = past.map(|(minute, orders)| Minute { minute, orders, pence: 10 * orders });
        let trade = Trade::new(NOW, &past);
        assert_eq!(trade.hour(), sold(5, 50), "the minutes before and after the hour are not in it");
        assert_eq!((trade.minutes()[0], trade.this_minute()), (sold(2, 20), sold(3, 30)));
        assert_eq!(since(NOW), Timestamp(941 * 60_000));
    }

    #[test]
    fn time_moves_the_minutes_on_and_a_clock_set_back_does_not() {
        let mut trade = Trade::new(NOW, &[]);
        let one = Sales { last: OrderId(1), orders: 1, pence: 100 };
        trade.add(one);
        trade.roll(Timestamp(NOW.0 + 2 * 60_000));
        assert_eq!((trade.minutes()[MINUTES - 3], trade.this_minute()), (sold(1, 100), sold(0, 0)));
        trade.roll(NOW);
        assert_eq!(trade.minutes()[MINUTES - 3], sold(1, 100));
        trade.roll(Timestamp(NOW.0 + 1_000 * 60_000));
        assert_eq!(trade.hour(), sold(0, 0));
    }

    #[test]
    fn twelfths_add_up_to_the_hour() {
        let past: Vec<Minute> = (941..=1_000).map(|n| Minute { minute: n, orders: n, pence: n }).collect();
        let trade = Trade::new(NOW, &past);
        let twelfths: Vec<(usize, Sold)> = trade.twelfths().collect();
        assert_eq!((twelfths.len(), twelfths[0].0, twelfths[11].0), (12, 0, 55));
        assert_eq!(twelfths[0].1.orders, (996..=1_000).sum::<i64>());
        assert_eq!(twelfths.iter().map(|(_, part)| part.orders).sum::<i64>(), trade.hour().orders);
    }

    #[test]
    fn the_trend_follows_slowly() {
        assert_eq!(trend(&[10, 0, 0, 0, 0, 0]), [10, 5, 3, 2, 2, 0]);
        assert!(trend(&[]).is_empty());
    }
}
