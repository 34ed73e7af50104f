//! Carriers and their zones: what each charges for a shipment, and where it goes.

use std::sync::Arc;

use super::COST_MAX;
use super::place::{Asked, Place, plain};

/// Carriers of one tariff, and zones of one carrier.
pub const CARRIERS_MAX: usize = 32;
/// Zones of one carrier.
pub const ZONES_MAX: usize = 255;

/// What a shipment of up to a weight costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Grams, this weight included.
    pub up_to_g: i64,
    /// Instead of so much per kilogram.
    pub amount: i64,
}

/// One row of the tariff: places and distances, and what a shipment there costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Name of the zone.
    pub name: Box<str>,
    /// The zone reaches this far; `u32::MAX` for however far.
    pub max_m: u32,
    /// Countries that it is in; none for any.
    pub countries: Vec<Box<str>>,
    /// Regions, as countries.
    pub regions: Vec<Box<str>>,
    /// What postcodes begin with, as countries.
    pub postcodes: Vec<Box<str>>,
    /// Per shipment.
    pub base: i64,
    /// Per kilogram; where there are steps, beyond the last.
    pub per_kg: i64,
    /// The least that a shipment costs.
    pub minimum: i64,
    /// The lightest first; amounts never fall.
    pub steps: Vec<Step>,
    /// Days from leaving the warehouse to arriving, where that is known.
    pub transit_days: Option<u8>,
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            name: "".into(),
            max_m: u32::MAX,
            countries: Vec::new(),
            regions: Vec::new(),
            postcodes: Vec::new(),
            base: 0,
            per_kg: 0,
            minimum: 0,
            steps: Vec::new(),
            transit_days: None,
        }
    }
}

impl Zone {
    fn by_distance_only(&self) -> bool {
        self.max_m < u32::MAX && self.countries.is_empty() && self.regions.is_empty() && self.postcodes.is_empty()
    }

    fn takes(&self, place: &Place) -> bool {
        let named = |names: &[Box<str>], name: &str| names.is_empty() || names.iter().any(|one| **one == *name);
        named(&self.countries, place.country)
            && named(&self.regions, place.region)
            && (self.postcodes.is_empty() || self.postcodes.iter().any(|prefix| place.postcode.starts_with(&**prefix)))
    }

    /// Whether freight is so much per shipment and so much per kilogram, and nothing else.
    fn linear(&self) -> bool {
        self.steps.is_empty() && self.minimum <= self.base
    }

    /// What a shipment of so many grams costs, rounded up or down to whole minor units.
    pub(super) fn freight(&self, weight_g: i64, round_up: bool) -> i64 {
        let by_weight = match self.steps.get(count_below(&self.steps, |step| step.up_to_g < weight_g)) {
            Some(step) => step.amount,
            None => {
                let (from_g, amount) = self.steps.last().map_or((0, 0), |step| (step.up_to_g, step.amount));
                let thousandths = self.per_kg.saturating_mul(weight_g - from_g);
                amount.saturating_add(thousandths.saturating_add(if round_up { 999 } else { 0 }) / 1000)
            }
        };
        self.base.saturating_add(by_weight).max(self.minimum).min(COST_MAX)
    }
}

/// How many values of a slice come before the first that is not below something, as all after it are not. Mostly few do, so
/// the first are looked at first; and all, where the last does.
pub(super) fn count_below<T>(sorted: &[T], is_below: impl Fn(&T) -> bool) -> usize {
    if sorted.last().is_none_or(&is_below) {
        return sorted.len();
    }
    let (mut start, mut end) = (0, 4);
    while end < sorted.len() && is_below(&sorted[end - 1]) {
        (start, end) = (end, 2 * end);
    }
    start + sorted[start..end.min(sorted.len())].partition_point(is_below)
}

/// Who carries shipments, and for how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carrier {
    /// Its name; none for the only carrier of a tariff that names none.
    pub name: Option<Arc<str>>,
    /// Service levels that it serves; none for all.
    pub service_levels: Vec<Box<str>>,
    /// The first that takes a destination decides.
    pub zones: Vec<Zone>,
    /// Cubic centimetres that are charged as a kilogram at the least; 0 where volume is not charged.
    pub cm3_per_kg: u32,
    /// A shipment's weight is rounded up to a multiple of so many grams; 0 for to the gram.
    pub weight_step_g: i64,
}

impl Carrier {
    /// The zones that a place is in, whatever the distance; none where its service level is not served.
    pub(super) fn zones_at(&self, place: &Place) -> Vec<usize> {
        if !self.service_levels.is_empty() && !self.service_levels.iter().any(|level| **level == *place.service_level) {
            return Vec::new();
        }
        (0..self.zones.len()).filter(|&zone| self.zones[zone].takes(place)).collect()
    }

    /// The first of these zones that reaches so far. Where all zones are distances alone, the last one takes what lies
    /// beyond it.
    pub(super) fn zone_within(&self, zones: &[usize], metres: u32) -> Option<usize> {
        let within = zones.iter().copied().find(|&zone| metres <= self.zones[zone].max_m);
        let beyond = || zones.last().copied().filter(|_| self.zones.iter().all(Zone::by_distance_only));
        within.or_else(beyond)
    }

    /// Whether its freight in a zone is exactly so much per shipment and so much per kilogram of each line.
    pub(super) fn linear(&self, zone: usize) -> bool {
        self.weight_step_g <= 1 && self.zones[zone].linear()
    }

    /// What a shipment of so many chargeable grams costs.
    #[must_use]
    pub fn freight(&self, zone: usize, weight_g: i64) -> i64 {
        self.zones[zone].freight(self.billed_g(weight_g), true)
    }

    /// The grams that it charges for so many chargeable ones.
    #[must_use]
    pub fn billed_g(&self, weight_g: i64) -> i64 {
        match self.weight_step_g {
            ..=1 => weight_g,
            step_g => weight_g.saturating_add(step_g - 1) / step_g * step_g,
        }
    }

    /// What of destinations its zones ask for. Names of places are made plain, to be found as orders write them.
    pub(super) fn prepare(&mut self) -> Asked {
        let mut asked = Asked { service_level: !self.service_levels.is_empty(), ..Asked::default() };
        self.service_levels.iter_mut().for_each(make_plain);
        for zone in &mut self.zones {
            for names in [&mut zone.countries, &mut zone.regions, &mut zone.postcodes] {
                names.iter_mut().for_each(make_plain);
            }
            asked.country |= !zone.countries.is_empty();
            asked.region |= !zone.regions.is_empty();
            let longest = zone.postcodes.iter().map(|prefix| prefix.chars().count()).max();
            asked.postcode_chars = asked.postcode_chars.max(longest.unwrap_or(0));
        }
        asked
    }
}

fn make_plain(name: &mut Box<str>) {
    let mut out = String::with_capacity(name.len());
    plain(&mut out, name, usize::MAX);
    *name = out.into();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(pairs: &[(i64, i64)]) -> Vec<Step> {
        pairs.iter().map(|&(up_to_g, amount)| Step { up_to_g, amount }).collect()
    }

    #[test]
    fn steps_reach_to_their_weight_and_kilograms_count_beyond_the_last() {
        let zone = Zone { base: 100, per_kg: 300, steps: steps(&[(1000, 500), (5000, 900)]), ..Zone::default() };
        for (weight_g, freight) in [(0, 600), (1000, 600), (1001, 1000), (5000, 1000), (5001, 1001), (6000, 1300)] {
            assert_eq!(zone.freight(weight_g, true), freight, "{weight_g} g");
        }
        assert_eq!(zone.freight(5001, false), 1000);
    }

    #[test]
    fn values_below_are_counted_as_one_by_one() {
        for length in 0..40 {
            let sorted: Vec<i64> = (0..length).map(|at| 2 * at).collect();
            for value in -1..2 * length + 1 {
                let one_by_one = sorted.iter().filter(|one| **one < value).count();
                assert_eq!(count_below(&sorted, |one| *one < value), one_by_one, "{value} of {length}");
            }
        }
    }

    #[test]
    fn a_shipment_costs_its_minimum_at_the_least() {
        let zone = Zone { base: 100, per_kg: 300, minimum: 700, ..Zone::default() };
        assert_eq!([0, 2000, 2001].map(|weight_g| zone.freight(weight_g, true)), [700, 700, 701]);
        assert!(!zone.linear() && Zone { minimum: 100, ..zone }.linear());
    }

    #[test]
    fn the_weight_of_a_shipment_is_rounded_up() {
        let zones = vec![Zone { per_kg: 300, ..Zone::default() }];
        let carrier = Carrier { zones, weight_step_g: 500, ..Carrier::default() };
        assert_eq!([0, 1, 500, 501].map(|weight_g| carrier.freight(0, weight_g)), [0, 150, 150, 300]);
        assert!(!carrier.linear(0) && Carrier { weight_step_g: 1, ..carrier }.linear(0));
    }

    #[test]
    fn absurd_weights_and_rates_end_at_the_bound() {
        let zones = vec![Zone { base: i64::MAX, per_kg: i64::MAX, steps: steps(&[(1, i64::MAX)]), ..Zone::default() }];
        let carrier = Carrier { zones, weight_step_g: 1000, ..Carrier::default() };
        assert_eq!(carrier.freight(0, i64::MAX), COST_MAX);
    }
}
