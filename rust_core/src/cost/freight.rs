//! What a whole shipment costs, and lines that never lie above that.

use super::tariff::{Carrier, Zone};
use super::{LocalDay, Service};
use crate::cost::Lane;

/// A carrier that serves a lane, and the zone that it does so in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Number of the carrier.
    pub carrier: u8,
    /// Its zone.
    pub zone: u8,
}

/// What a day of lateness counts for when a carrier is chosen. Not booked; none unless a policy asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Haste {
    /// Minor units a day.
    pub per_day: i64,
    /// Days after this one count.
    pub after: LocalDay,
}

impl Haste {
    /// What arriving on a day counts for; a day that is not known, nothing.
    #[must_use]
    pub fn of(&self, day: Option<LocalDay>) -> i64 {
        let late = day.map_or(0, |day| (i64::from(day) - i64::from(self.after)).max(0));
        self.per_day.saturating_mul(late)
    }
}

/// What never lies above the freight of a shipment of up to some weight: so much per shipment, and per kilogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minorant {
    /// Per shipment.
    pub fixed: i64,
    /// Per kilogram.
    pub per_kg: i64,
}

impl Minorant {
    /// Of one zone, for shipments of up to `most_g` grams: the line that touches the freight of the heaviest and is as high
    /// as it can be elsewhere.
    #[must_use]
    pub fn of(zone: &Zone, most_g: i64) -> Self {
        let top = zone.freight(most_g, false);
        if most_g <= 0 {
            return Self { fixed: top, per_kg: 0 };
        }
        // Between these freight is straight or jumps up: a line that is below it at all of them is below it everywhere.
        let (last_g, amount) = zone.steps.last().map_or((0, 0), |step| (step.up_to_g, step.amount));
        let below_minimum = i128::from(zone.minimum) - i128::from(zone.base) - i128::from(amount);
        let kink_g = match zone.per_kg {
            ..=0 => last_g,
            per_kg => {
                let more_g = below_minimum.max(0) * 1000 / i128::from(per_kg);
                last_g.saturating_add(i64::try_from(more_g).unwrap_or(i64::MAX))
            }
        };
        let places = || {
            let steps = zone.steps.iter().map(|step| step.up_to_g);
            [0, kink_g, kink_g.saturating_add(1)].into_iter().chain(steps).filter(|at| (0..most_g).contains(at))
        };
        let steepest = places().map(|at| {
            let rise = i128::from(top - zone.freight(at, false)) * 1000;
            let run = i128::from(most_g - at);
            ((rise + run - 1) / run).clamp(0, i128::from(i64::MAX)) as i64
        });
        let per_kg = steepest.max().unwrap_or(0);
        let fixed = i128::from(top) - (i128::from(per_kg) * i128::from(most_g) + 999) / 1000;
        if fixed >= 0 {
            return Self { fixed: fixed as i64, per_kg };
        }
        let through_nothing = places()
            .chain([most_g])
            .filter(|&at| at > 0)
            .map(|at| (i128::from(zone.freight(at, false)) * 1000 / i128::from(at)).min(i128::from(i64::MAX)) as i64);
        Self { fixed: 0, per_kg: through_nothing.min().unwrap_or(0) }
    }

    /// What a shipment of so many grams costs by it at the most, rounded down.
    fn at(self, weight_g: i64) -> i64 {
        let by_weight = i128::from(self.per_kg) * i128::from(weight_g) / 1000;
        self.fixed.saturating_add(by_weight.min(i128::from(i64::MAX)) as i64)
    }

    /// Of the cheapest of several, for shipments of up to `most_g` grams: the chord below the lowest of their lines.
    #[must_use]
    pub fn of_cheapest(all: impl Iterator<Item = Self> + Clone, most_g: i64) -> Self {
        let fixed = all.clone().map(|one| one.fixed).min().unwrap_or(0);
        let top = all.map(|one| one.at(most_g)).min().unwrap_or(0);
        let per_kg = if most_g > 0 { i128::from(top - fixed) * 1000 / i128::from(most_g) } else { 0 };
        Self { fixed, per_kg: per_kg.clamp(0, i128::from(i64::MAX)) as i64 }
    }
}

/// How volume counts on a lane that several may serve: as with whoever charges it least.
#[must_use]
pub fn least_volumetric<'a>(carriers: impl Iterator<Item = &'a Carrier>) -> u32 {
    let divisors = carriers.map(|carrier| carrier.cm3_per_kg);
    // None charges nothing for volume: as good as the greatest divisor there is.
    divisors.map(|divisor| divisor.wrapping_sub(1)).max().map_or(0, |most| most.wrapping_add(1))
}

/// A lane whose freight is so much per shipment and per kilogram of each line.
pub(super) fn linear_lane(lane: Lane, carriers: &[Carrier], rate: Rate) -> Lane {
    let carrier = &carriers[usize::from(rate.carrier)];
    let zone = &carrier.zones[usize::from(rate.zone)];
    Lane {
        fixed: lane.fixed.saturating_add(zone.base).min(super::COST_MAX),
        per_kg: zone.per_kg,
        cm3_per_kg: carrier.cm3_per_kg,
        carrier: Some(rate.carrier),
        zone: Some(rate.zone),
        service: if carrier.cm3_per_kg == 0 { Service::Linear } else { Service::ByVolume },
        ..lane
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cost::tariff::Step;

    fn zone() -> impl Strategy<Value = Zone> {
        let steps = prop::collection::vec((1_i64..3000, 0_i64..900), 0..4);
        (0_i64..500, 0_i64..700, 0_i64..1500, steps).prop_map(|(base, per_kg, minimum, parts)| {
            let (mut up_to_g, mut amount) = (0, 0);
            let steps = parts.into_iter().map(|(more_g, more)| {
                (up_to_g, amount) = (up_to_g + more_g, amount + more);
                Step { up_to_g, amount }
            });
            Zone { base, per_kg, minimum, steps: steps.collect(), ..Zone::default() }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// At every weight up to the most; and it touches the freight of the heaviest, unless it would fall below nothing.
        #[test]
        fn a_minorant_is_never_above_the_freight(zone in zone(), most_g in 0_i64..12_000) {
            let line = Minorant::of(&zone, most_g);
            prop_assert!(line.fixed >= 0 && line.per_kg >= 0);
            for weight_g in (0..=most_g).step_by(7).chain(zone.steps.iter().map(|step| step.up_to_g.min(most_g))) {
                prop_assert!(line.at(weight_g) <= zone.freight(weight_g, true), "{} g, {:?}", weight_g, line);
            }
            prop_assert!(line.fixed == 0 || zone.freight(most_g, false) - line.at(most_g) <= 1 + most_g / 1000);
        }

        #[test]
        fn the_chord_is_below_the_cheapest(zones in prop::collection::vec(zone(), 1..4), most_g in 0_i64..12_000) {
            let lines: Vec<Minorant> = zones.iter().map(|zone| Minorant::of(zone, most_g)).collect();
            let chord = Minorant::of_cheapest(lines.iter().copied(), most_g);
            for weight_g in (0..=most_g).step_by(13).chain([most_g]) {
                let cheapest = zones.iter().map(|zone| zone.freight(weight_g, true)).min().unwrap();
                prop_assert!(chord.at(weight_g) <= cheapest);
            }
        }
    }

    #[test]
    fn volume_counts_as_with_whoever_charges_it_least() {
        let by = |divisors: &[u32]| {
            let carriers: Vec<Carrier> =
                divisors.iter().map(|&cm3_per_kg| Carrier { cm3_per_kg, ..Carrier::default() }).collect();
            least_volumetric(carriers.iter())
        };
        assert_eq!((by(&[5000, 6000]), by(&[5000, 0, 6000]), by(&[]), by(&[5000])), (6000, 0, 0, 5000));
    }

    #[test]
    fn only_days_after_the_asked_one_count() {
        let haste = Haste { per_day: 300, after: 10 };
        assert_eq!([Some(9), Some(10), Some(12), None].map(|day| haste.of(day)), [0, 0, 600, 0]);
        assert_eq!(Haste { per_day: i64::MAX, after: LocalDay::MIN }.of(Some(LocalDay::MAX)), i64::MAX);
    }
}
