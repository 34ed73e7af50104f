//! Straight lines below what a zone charges, the highest that touch the freight of the heaviest shipment. What they take of
//! the tariff is worked out once for it; of an order they take its weight only.

use super::tariff::{Zone, count_below};

/// What never lies above the freight of a shipment of up to some weight: so much per shipment, and per kilogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minorant {
    /// Per shipment.
    pub fixed: i64,
    /// Per kilogram.
    pub per_kg: i64,
}

impl Minorant {
    /// What a shipment of so many grams costs by it at the most, rounded down.
    fn at(self, weight_g: i64) -> i64 {
        self.fixed.saturating_add(by_weight(self.per_kg, weight_g, 0))
    }

    /// Of the cheapest of several, for shipments of up to `most_g` grams: the chord below the lowest of their lines.
    #[must_use]
    pub fn of_cheapest(all: impl Iterator<Item = Self> + Clone, most_g: i64) -> Self {
        let fixed = all.clone().map(|one| one.fixed).min().unwrap_or(0);
        let top = all.map(|one| one.at(most_g)).min().unwrap_or(0);
        let per_kg = if most_g > 0 { top.saturating_sub(fixed).saturating_mul(1000) / most_g } else { 0 };
        Self { fixed, per_kg: per_kg.max(0) }
    }
}

/// So much per kilogram of so many grams, `up` thousandths added before it is cut to whole minor units.
fn by_weight(per_kg: i64, weight_g: i64, up: i64) -> i64 {
    if let Some(thousandths) = per_kg.checked_mul(weight_g).and_then(|product| product.checked_add(up)) {
        return thousandths / 1000;
    }
    let thousandths = i128::from(per_kg) * i128::from(weight_g) + i128::from(up);
    i64::try_from(thousandths / 1000).unwrap_or(i64::MAX)
}

/// A weight at which a zone's freight bends or jumps up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Corner {
    at_g: i64,
    freight: i64,
    /// The place of the corner before it on the lower hull of all up to this; its own where it is the first.
    before: u32,
    /// Through nothing, a rate per kilogram that no corner up to this lies below.
    least_per_kg: i64,
}

/// The corners of a zone, the lightest first. Between them freight is straight or jumps up: a line that is below it at all
/// of them is below it everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Floor {
    corners: Box<[Corner]>,
    /// Their weights once more: what is searched lies close together.
    at_g: Box<[i64]>,
    /// Up to this weight freight is that of the corner at or above it.
    steps_end_g: i64,
}

impl Floor {
    pub(super) fn of(zone: &Zone) -> Self {
        let (last_g, amount) = zone.steps.last().map_or((0, 0), |step| (step.up_to_g, step.amount));
        let kink_g = if zone.per_kg > 0 {
            let below_minimum = i128::from(zone.minimum) - i128::from(zone.base) - i128::from(amount);
            let more_g = below_minimum.max(0) * 1000 / i128::from(zone.per_kg);
            last_g.saturating_add(i64::try_from(more_g).unwrap_or(i64::MAX))
        } else {
            last_g
        };
        let mut places: Vec<i64> = zone.steps.iter().map(|step| step.up_to_g).collect();
        places.extend([0, kink_g, kink_g.saturating_add(1)]);
        places.sort_unstable();
        places.dedup();
        let mut corners: Vec<Corner> = Vec::with_capacity(places.len());
        let mut least_per_kg = i64::MAX;
        for at_g in places {
            let freight = zone.freight(at_g, false);
            if at_g > 0 {
                least_per_kg = least_per_kg.min(freight.saturating_mul(1000) / at_g);
            }
            let mut before = corners.len().saturating_sub(1);
            while corners.get(before).is_some_and(|corner| {
                let further = corners[corner.before as usize];
                further.at_g < corner.at_g && !is_flatter((at_g, freight), further, *corner)
            }) {
                before = corners[before].before as usize;
            }
            corners.push(Corner { at_g, freight, before: before as u32, least_per_kg });
        }
        let at_g = corners.iter().map(|corner| corner.at_g).collect();
        Self { corners: corners.into(), at_g, steps_end_g: last_g }
    }

    /// The line for shipments of up to `most_g` grams.
    pub(super) fn minorant(&self, zone: &Zone, most_g: i64) -> Minorant {
        let lighter = count_below(&self.at_g, |at_g| *at_g < most_g);
        let top = if most_g <= self.steps_end_g { self.corners[lighter].freight } else { zone.freight(most_g, false) };
        let corners = &self.corners[..lighter];
        let Some(mut touched) = corners.last() else { return Minorant { fixed: top, per_kg: 0 } };
        let lightest = touched;
        // The line through the heaviest leans on the hull of what is lighter.
        loop {
            let further = &corners[touched.before as usize];
            if further.at_g == touched.at_g || !is_flatter((most_g, top), *touched, *further) {
                break;
            }
            touched = further;
        }
        let (rise, run) = slope((most_g, top), touched);
        let per_kg = i64::try_from(rise.div_ceil(run)).unwrap_or(i64::MAX);
        let fixed = top - by_weight(per_kg, most_g, 999);
        if fixed >= 0 {
            return Minorant { fixed, per_kg };
        }
        Minorant { fixed: 0, per_kg: lightest.least_per_kg.min(top.saturating_mul(1000) / most_g) }
    }
}

/// By how much freight grows from a corner to a heavier place, in thousandths, and over how many grams.
fn slope((at_g, freight): (i64, i64), from: &Corner) -> (u64, u64) {
    // Freight is so bounded that its thousandths fit, and it never falls.
    let rise = freight.saturating_sub(from.freight).max(0).unsigned_abs().saturating_mul(1000);
    (rise, at_g.saturating_sub(from.at_g).max(1).unsigned_abs())
}

/// Whether the way from `one` up to a heavier place is less steep than that from `other`.
fn is_flatter(place: (i64, i64), one: Corner, other: Corner) -> bool {
    let ((rise, run), (other_rise, other_run)) = (slope(place, &one), slope(place, &other));
    u128::from(rise) * u128::from(other_run) < u128::from(other_rise) * u128::from(run)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cost::tariff::Step;

    fn zone() -> impl Strategy<Value = Zone> {
        let steps = prop::collection::vec((1_i64..3000, 0_i64..900), 0..6);
        (0_i64..500, prop_oneof![Just(0), 0_i64..700], 0_i64..1500, steps).prop_map(|(base, per_kg, minimum, parts)| {
            let (mut up_to_g, mut amount) = (0, 0);
            let steps = parts.into_iter().map(|(more_g, more)| {
                (up_to_g, amount) = (up_to_g + more_g, amount + more);
                Step { up_to_g, amount }
            });
            Zone { base, per_kg, minimum, steps: steps.collect(), ..Zone::default() }
        })
    }

    /// The highest line below all corners, by a look at each.
    fn by_each_corner(zone: &Zone, most_g: i64) -> Minorant {
        let freight = |at| zone.freight(at, false);
        let corners: Vec<i64> =
            Floor::of(zone).corners.iter().map(|corner| corner.at_g).filter(|&at| at < most_g).collect();
        let top = freight(most_g);
        let slope = |&at: &i64| (1000 * (top - freight(at)) + most_g - at - 1) / (most_g - at);
        let per_kg = corners.iter().map(slope).max().unwrap_or(0);
        let fixed = top - (per_kg * most_g + 999) / 1000;
        if fixed >= 0 {
            return Minorant { fixed, per_kg };
        }
        let rates = corners.iter().chain([&most_g]).filter(|&&at| at > 0).map(|&at| 1000 * freight(at) / at);
        Minorant { fixed: 0, per_kg: rates.min().unwrap_or(0) }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// At every weight up to the most; and it touches the freight of the heaviest, unless it would fall below nothing.
        #[test]
        fn a_minorant_is_never_above_the_freight(zone in zone(), most_g in 0_i64..12_000) {
            let line = Floor::of(&zone).minorant(&zone, most_g);
            prop_assert!(line.fixed >= 0 && line.per_kg >= 0);
            for weight_g in (0..=most_g).step_by(7).chain(zone.steps.iter().map(|step| step.up_to_g.min(most_g))) {
                prop_assert!(line.at(weight_g) <= zone.freight(weight_g, true), "{} g, {:?}", weight_g, line);
            }
            prop_assert!(line.fixed == 0 || zone.freight(most_g, false) - line.at(most_g) <= 1 + most_g / 1000);
        }

        #[test]
        fn no_line_below_all_corners_is_higher(zone in zone(), most_g in 0_i64..12_000) {
            prop_assert_eq!(Floor::of(&zone).minorant(&zone, most_g), by_each_corner(&zone, most_g));
        }

        #[test]
        fn the_chord_is_below_the_cheapest(zones in prop::collection::vec(zone(), 1..4), most_g in 0_i64..12_000) {
            let lines: Vec<Minorant> = zones.iter().map(|zone| Floor::of(zone).minorant(zone, most_g)).collect();
            let chord = Minorant::of_cheapest(lines.iter().copied(), most_g);
            for weight_g in (0..=most_g).step_by(13).chain([most_g]) {
                let cheapest = zones.iter().map(|zone| zone.freight(weight_g, true)).min().unwrap();
                prop_assert!(chord.at(weight_g) <= cheapest);
            }
        }
    }

    #[test]
    fn absurd_rates_and_weights_end_at_a_bound() {
        let most = i64::MAX;
        for (base, per_kg, minimum) in [(most, most, most), (0, most, 0), (0, 1, most), (0, 0, 0)] {
            let steps = vec![Step { up_to_g: most / 2, amount: 0 }, Step { up_to_g: most, amount: most }];
            let zone = Zone { base, per_kg, minimum, steps, ..Zone::default() };
            for most_g in [0, 1, most / 2, most - 1, most] {
                let line = Floor::of(&zone).minorant(&zone, most_g);
                assert!(line.fixed >= 0 && line.per_kg >= 0 && line.at(most_g) <= zone.freight(most_g, true));
            }
        }
    }
}
