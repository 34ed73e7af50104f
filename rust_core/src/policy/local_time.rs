//! Wall-clock time of a zone, from a table of its offsets that comes with the book: the rules of zones are Python's to know.

use serde::Deserialize;

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// Offsets of a zone: from which instant (milliseconds since 1970), and how many seconds east of UTC.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Offsets(Vec<(i64, i64)>);

impl Offsets {
    /// Minutes on the wall since the first of January 1970, 00:00 there. What lies before the table counts as its begin.
    fn minutes(&self, now_ms: i64) -> i64 {
        let next = self.0.partition_point(|&(from_ms, _)| from_ms <= now_ms);
        let offset_s = self.0.get(next.saturating_sub(1)).map_or(0, |&(_, offset_s)| offset_s);
        now_ms.saturating_add(offset_s * 1000).div_euclid(MINUTE_MS)
    }
}

/// Hours of days of the week, on the wall.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    /// Minutes of the day: from, and up to but not with. Where the first is not the lesser, it goes on after midnight.
    hours: Option<(i64, i64)>,
    /// Days that it begins on: Monday is the lowest bit.
    weekdays: u8,
    offsets: Offsets,
}

impl Window {
    /// Whether an instant is within it. What goes on after midnight belongs to the day that it began on.
    pub(super) fn holds(&self, now_ms: u64) -> bool {
        let minutes = self.offsets.minutes(i64::try_from(now_ms).unwrap_or(i64::MAX));
        let (day, minute) = (minutes.div_euclid(DAY_MINUTES), minutes.rem_euclid(DAY_MINUTES));
        // The first of January 1970 was a Thursday.
        let begins_on = |day: i64| self.weekdays >> (day + 3).rem_euclid(7) & 1 == 1;
        match self.hours {
            None => begins_on(day),
            Some((from, until)) if from < until => (from..until).contains(&minute) && begins_on(day),
            Some((from, until)) => (minute >= from && begins_on(day)) || (minute < until && begins_on(day - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const EVERY_DAY: u8 = 0x7f;

    fn window(hours: Option<(i64, i64)>, weekdays: u8, offsets: &[(i64, i64)]) -> Window {
        Window { hours, weekdays, offsets: Offsets(offsets.to_vec()) }
    }

    #[test]
    fn a_window_ends_before_its_end() {
        let nine_to_five = window(Some((9 * 60, 17 * 60)), EVERY_DAY, &[(0, 0)]);
        for (minutes, inside) in [(9 * 60 - 1, false), (9 * 60, true), (17 * 60 - 1, true), (17 * 60, false)] {
            assert_eq!(nine_to_five.holds(minutes * 60_000), inside, "{minutes}");
        }
    }

    /// 1970-01-01 was a Thursday: Friday's evening goes on into Saturday, and Saturday's is none.
    #[test]
    fn what_goes_on_after_midnight_belongs_to_the_day_it_began_on() {
        let friday = window(Some((20 * 60, 2 * 60)), 1 << 4, &[(0, 0)]);
        for (hours, inside) in [(25, false), (24 + 20, true), (48 + 1, true), (48 + 2, false), (48 + 20, false)] {
            assert_eq!(friday.holds(hours * HOUR_MS), inside, "{hours}");
        }
    }

    #[test]
    fn days_without_hours_are_whole_days_of_the_zone() {
        let thursday = window(None, 1 << 3, &[(0, 8 * 3600)]);
        assert!(thursday.holds(15 * HOUR_MS) && !thursday.holds(16 * HOUR_MS));
    }

    /// New York, 2026-03-08 (2 o'clock becomes 3) and 2026-11-01 (2 o'clock becomes 1).
    #[test]
    fn hours_follow_the_zone_through_its_changes() {
        let offsets = [(0, -5 * 3600), (1_772_953_200_000, -4 * 3600), (1_793_512_800_000, -5 * 3600)];
        let skipped = window(Some((120, 180)), EVERY_DAY, &offsets);
        let spring_day_ms = 1_772_946_000_000;
        let inside = (0..23 * 60).filter(|minute| skipped.holds(spring_day_ms + minute * 60_000)).count();
        assert_eq!(inside, 0, "the hour from 2 to 3 did not happen");
        let twice = window(Some((60, 120)), EVERY_DAY, &offsets);
        let autumn_day_ms = 1_793_505_600_000;
        let inside = (0..25 * 60).filter(|minute| twice.holds(autumn_day_ms + minute * 60_000)).count();
        assert_eq!(inside, 120, "the hour from 1 to 2 came twice");
    }

    #[test]
    fn no_instant_is_too_far_away() {
        let always = window(None, EVERY_DAY, &[]);
        assert!(always.holds(0) && always.holds(u64::MAX));
    }
}
