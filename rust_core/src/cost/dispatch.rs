//! On which day an order leaves each warehouse. Calendars come as tables of instants; this module knows no time zones.

use std::ops::Range;

use crate::ids::WarehouseId;

/// Days since 1970, by the calendar of the place.
pub type LocalDay = i32;

const DAY_MS: u64 = 86_400_000;

/// Cut-off instants, the earliest first, and the day on which what came before each leaves.
type Calendar = Box<[(u64, LocalDay)]>;

/// What orders leave on, by warehouse.
#[derive(Debug, Default)]
pub struct Dispatches {
    calendars: Vec<Option<Calendar>>,
    /// What `at` found last, by warehouse, and when it holds.
    leaves: Vec<Option<LocalDay>>,
    holds: Range<u64>,
}

impl Dispatches {
    /// Sets a warehouse's calendar: pairs of cut-off instants (milliseconds since 1970) and the day on which orders that come
    /// before each leave. An order at the instant itself goes with the next. With none, an order leaves on the day it comes,
    /// UTC.
    pub fn set(&mut self, warehouse: WarehouseId, calendar: Option<Vec<(u64, LocalDay)>>) {
        let at = warehouse as usize;
        if self.calendars.len() <= at {
            self.calendars.resize(at + 1, None);
        }
        self.calendars[at] = calendar.map(|mut pairs| {
            pairs.sort_unstable();
            pairs.into_boxed_slice()
        });
        self.holds = 0..0;
    }

    /// The days on which orders of an instant leave, of so many warehouses by number; none beyond the last known cut-off.
    pub fn at(&mut self, now_ms: u64, warehouses: usize) -> &[Option<LocalDay>] {
        if !self.holds.contains(&now_ms) || self.leaves.len() != warehouses {
            self.look_up(now_ms, warehouses);
        }
        &self.leaves
    }

    fn look_up(&mut self, now_ms: u64, warehouses: usize) {
        let today = now_ms / DAY_MS;
        // Between two midnights of UTC and the nearest cut-offs nothing changes.
        let mut holds = today * DAY_MS..(today + 1).saturating_mul(DAY_MS);
        self.leaves.clear();
        for warehouse in 0..warehouses {
            let Some(Some(calendar)) = self.calendars.get(warehouse) else {
                self.leaves.push(LocalDay::try_from(today).ok());
                continue;
            };
            let next = calendar.partition_point(|&(cutoff_ms, _)| cutoff_ms <= now_ms);
            if let Some(&(cutoff_ms, _)) = next.checked_sub(1).and_then(|last| calendar.get(last)) {
                holds.start = holds.start.max(cutoff_ms);
            }
            if let Some(&(cutoff_ms, _)) = calendar.get(next) {
                holds.end = holds.end.min(cutoff_ms);
            }
            self.leaves.push(calendar.get(next).map(|&(_, day)| day));
        }
        self.holds = holds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_before_the_cut_off_leaves_that_day_and_one_at_it_the_next() {
        let mut dispatches = Dispatches::default();
        dispatches.set(1, Some(vec![(3 * DAY_MS, 4), (DAY_MS + 500, 1), (2 * DAY_MS + 500, 2)]));
        for (now_ms, day) in [
            (0, Some(1)),
            (DAY_MS + 499, Some(1)),
            (DAY_MS + 500, Some(2)),
            (DAY_MS + 499, Some(1)),
            (2 * DAY_MS + 500, Some(4)),
            (3 * DAY_MS - 1, Some(4)),
            (3 * DAY_MS, None),
        ] {
            assert_eq!(dispatches.at(now_ms, 2)[1], day, "{now_ms}");
        }
    }

    #[test]
    fn without_a_calendar_an_order_leaves_on_its_day() {
        let mut dispatches = Dispatches::default();
        assert_eq!(dispatches.at(5 * DAY_MS - 1, 3), [Some(4); 3]);
        assert_eq!(dispatches.at(5 * DAY_MS, 3), [Some(5); 3]);
        dispatches.set(2, Some(vec![(9 * DAY_MS, 12)]));
        assert_eq!(dispatches.at(5 * DAY_MS, 3), [Some(5), Some(5), Some(12)]);
        dispatches.set(2, None);
        assert_eq!(dispatches.at(5 * DAY_MS, 4), [Some(5); 4]);
        assert_eq!(dispatches.at(u64::MAX, 1), [None]);
    }
}
