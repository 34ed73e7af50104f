//! One way: from a warehouse to a destination, and what it costs there.

use super::{COST_MAX, LocalDay};
use crate::catalogue::{SkuTerms, WarehouseTerms};

/// How freight is charged on a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Service {
    /// By the lane's own numbers, line by line.
    #[default]
    Linear,
    /// The same, where volume may count as weight.
    ByVolume,
    /// By the weight of the whole shipment: the lane's numbers are never more than that.
    ByWeight,
    /// Not at all: no carrier goes there.
    None,
}

/// What it costs to ship from one warehouse to one destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// Once per shipment: the warehouse's own cost, the way and the tariff's base.
    pub fixed: i64,
    /// Per unit.
    pub per_unit: i64,
    /// Per kilogram.
    pub per_kg: i64,
    /// Metres along the great circle, or as the user's own distances say.
    pub metres: u32,
    /// Cubic centimetres that are charged as a kilogram at the least; 0 where volume is not charged.
    pub cm3_per_kg: u32,
    /// Number of the carrier; none where the weight decides, or where there is no tariff.
    pub carrier: Option<u8>,
    /// The carrier's zone, as the carrier.
    pub zone: Option<u8>,
    /// Days under way with the fastest carrier that serves it, where that is known.
    pub transit_days: Option<u8>,
    /// Whether the numbers above are the cost, or only bound it.
    pub service: Service,
}

impl Lane {
    /// Of what the customer collects at the warehouse: nothing travels.
    #[must_use]
    pub fn to_counter(terms: &WarehouseTerms) -> Self {
        Self { fixed: terms.fixed_cost, per_unit: terms.unit_cost, transit_days: Some(0), ..Self::default() }
    }

    /// The day on which arrives what leaves on a day, where both that and the time under way are known.
    #[inline]
    #[must_use]
    pub fn arrives(&self, leaves: Option<LocalDay>) -> Option<LocalDay> {
        Some(leaves?.saturating_add(LocalDay::from(self.transit_days?)))
    }

    /// The cost of a line on this lane, its freight charged by the gram and rounded up; of a lane by weight no more than
    /// the line's share.
    #[inline]
    #[must_use]
    pub fn line_cost(&self, terms: &SkuTerms, quantity: i64) -> i64 {
        if self.service != Service::Linear {
            return self.unusual_line_cost(terms, quantity);
        }
        let grams = terms.weight_g.unsigned_abs().saturating_mul(quantity.unsigned_abs());
        self.line_cost_of(grams, quantity, 999)
    }

    // Out of the way of the usual, which is looked up for every line and warehouse.
    #[cold]
    #[inline(never)]
    fn unusual_line_cost(&self, terms: &SkuTerms, quantity: i64) -> i64 {
        let grams = terms.chargeable_g(self.cm3_per_kg).unsigned_abs().saturating_mul(quantity.unsigned_abs());
        self.line_cost_of(grams, quantity, if self.service == Service::ByWeight { 0 } else { 999 })
    }

    // Nothing here is below zero, and without a sign it is reckoned faster.
    #[inline]
    fn line_cost_of(&self, grams: u64, quantity: i64, up: u64) -> i64 {
        // What overflows is beyond the bound anyway.
        let freight = self.per_kg.unsigned_abs().saturating_mul(grams).saturating_add(up) / 1000;
        let picking = self.per_unit.unsigned_abs().saturating_mul(quantity.unsigned_abs());
        freight.saturating_add(picking).min(COST_MAX.unsigned_abs()) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grams(weight_g: i64) -> SkuTerms {
        SkuTerms { weight_g, ..SkuTerms::default() }
    }

    #[test]
    fn freight_is_charged_by_the_gram_and_rounded_up() {
        let lane = Lane { per_unit: 10, per_kg: 199, ..Lane::default() };
        assert_eq!(lane.line_cost(&grams(1), 1), 10 + 1);
        assert_eq!(lane.line_cost(&grams(500), 3), 30 + 299);
        assert_eq!(lane.line_cost(&grams(0), 3), 30);
        let bound = Lane { service: Service::ByWeight, ..lane };
        assert_eq!(bound.line_cost(&grams(500), 3), 30 + 298);
    }

    #[test]
    fn a_light_and_bulky_unit_is_charged_by_its_volume() {
        let lane = Lane { per_kg: 1000, cm3_per_kg: 5000, service: Service::ByVolume, ..Lane::default() };
        let bulky = SkuTerms { volume_cm3: 10_001, ..grams(1500) };
        assert_eq!(lane.line_cost(&bulky, 2), 2 * 2001);
        assert_eq!(Lane { cm3_per_kg: 0, ..lane }.line_cost(&bulky, 2), 2 * 1500);
        assert_eq!(lane.line_cost(&SkuTerms { volume_cm3: 100, ..grams(1500) }, 2), 2 * 1500);
    }

    #[test]
    fn absurd_amounts_end_at_the_bound_and_do_not_wrap() {
        let most = i64::MAX / 2;
        let lane = Lane { per_unit: most, per_kg: most, cm3_per_kg: 1, service: Service::ByVolume, ..Lane::default() };
        assert_eq!(
            lane.line_cost(&SkuTerms { weight_g: most, volume_cm3: i64::MAX, ..SkuTerms::default() }, most),
            COST_MAX
        );
    }
}
