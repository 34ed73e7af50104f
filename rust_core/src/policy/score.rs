//! What a policy makes of a plan's cost: the number that is kept least. Booked cost is true money and knows nothing of it.
//!
//! The score of a plan is the sum of a part for each warehouse used and a part for each line at its warehouse, as its cost is,
//! so that the kernel can take the one for the other.

use super::{Objective, Policy};
use crate::cost::{COST_MAX, Haste, LocalDay};

/// No part of a score is greater: 25,000 of them still fit an `i64`.
pub const SCORE_MAX: i64 = 10_i64.pow(14);

/// Whether a part of a score is at its bound: how much it is beyond that is not known, so that it ties with what is less.
#[must_use]
pub fn is_bounded(part: i64) -> bool {
    part >= SCORE_MAX
}

/// A warehouse that could ship a part of an order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Site {
    /// What a shipment costs besides its lines.
    pub fixed: i64,
    /// How far it goes.
    pub metres: u32,
    /// Days from today to its promised day.
    pub days: i64,
    /// Days that this is after the order is due.
    pub days_late: i64,
    /// Orders that it serves today, and serves at the most, where that is bounded.
    pub load: Option<(i64, i64)>,
}

/// What a policy adds to the weighted cost of a shipment, part by part, as [`Score`] scales it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Penalties {
    /// For being a shipment more: that of a plan's first one counts as well, as a constant.
    pub split: i64,
    /// For arriving after the order is due.
    pub lateness: i64,
    /// For what is used of the warehouse's capacity.
    pub load: i64,
    /// For the way.
    pub distance: i64,
    /// For the days until it arrives.
    pub days: i64,
    /// For being a shipment at all.
    pub shipment: i64,
}

impl Penalties {
    /// Each with its name in answers.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, i64); 6] {
        [
            ("split", self.split),
            ("lateness", self.lateness),
            ("load", self.load),
            ("distance", self.distance),
            ("days", self.days),
            ("shipment", self.shipment),
        ]
    }

    /// Both.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            split: self.split.saturating_add(other.split),
            lateness: self.lateness.saturating_add(other.lateness),
            load: self.load.saturating_add(other.load),
            distance: self.distance.saturating_add(other.distance),
            days: self.days.saturating_add(other.days),
            shipment: self.shipment.saturating_add(other.shipment),
        }
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.parts().iter().fold(0, |sum, &(_, part)| sum.saturating_add(part))
    }
}

/// How a policy scores costs. Of a balanced one in thousandths of minor units, else in minor units.
#[derive(Clone, Copy, Debug)]
pub struct Score<'a> {
    policy: &'a Policy,
    balanced: bool,
}

impl<'a> Score<'a> {
    /// Of a policy.
    #[must_use]
    pub fn of(policy: &'a Policy) -> Self {
        Self { policy, balanced: policy.objective == Objective::Balanced }
    }

    /// Whether the score of a warehouse is its cost, whatever else there is to say of it.
    #[must_use]
    pub fn is_cost(&self) -> bool {
        let policy = self.policy;
        !self.balanced && policy.split_penalty == 0 && policy.lateness_cost_per_day == 0 && policy.load_cost == 0
    }

    /// What a minor unit of booked cost counts for.
    #[must_use]
    pub fn cost_weight(&self) -> i64 {
        if self.balanced { self.policy.weights.cost } else { 1 }
    }

    /// What days count for when one of several carriers is chosen, in minor units: everything where the fastest is wanted.
    #[must_use]
    pub fn haste(&self, today: Option<LocalDay>, due: Option<LocalDay>) -> Haste {
        let late = self.policy.lateness_cost_per_day;
        match self.policy.objective {
            Objective::Fastest => Haste { per_day: COST_MAX, after: today.unwrap_or_default() },
            Objective::Balanced => {
                let of_day = self.policy.weights.per_day.saturating_add(due.map_or(0, |_| late.saturating_mul(1000)));
                Haste { per_day: of_day / self.policy.weights.cost.max(1), after: today.unwrap_or_default() }
            }
            _ => self.lateness(due),
        }
    }

    /// Whether a shipment's days add to the score.
    #[must_use]
    pub fn counts_days(&self, due: Option<LocalDay>) -> bool {
        let late = due.is_some() && self.policy.lateness_cost_per_day > 0;
        late || (self.balanced && self.policy.weights.per_day > 0)
    }

    /// Whether that is what they count for in the score: a balanced one is in thousandths, counts lateness from the due day
    /// only, and need not count costs at all.
    #[must_use]
    pub fn haste_is_exact(&self, due: Option<LocalDay>) -> bool {
        let weights = &self.policy.weights;
        let late = due.is_some() && self.policy.lateness_cost_per_day > 0;
        !self.balanced || (!late && weights.per_day.checked_rem(weights.cost) == Some(0))
    }

    /// What days after the due one count for, in minor units.
    #[must_use]
    pub fn lateness(&self, due: Option<LocalDay>) -> Haste {
        due.map_or_else(Haste::default, |after| Haste { per_day: self.policy.lateness_cost_per_day, after })
    }

    /// Parts of a minor unit that a score counts.
    #[must_use]
    pub fn scale(&self) -> i64 {
        if self.balanced { 1000 } else { 1 }
    }

    /// What each shipment after the first adds.
    #[must_use]
    pub fn split(&self) -> i64 {
        self.policy.split_penalty.saturating_mul(self.scale())
    }

    /// What a shipment adds besides its cost.
    #[must_use]
    pub fn penalties(&self, site: &Site) -> Penalties {
        let (policy, scale) = (self.policy, self.scale());
        let added = Penalties {
            split: self.split(),
            lateness: policy.lateness_cost_per_day.saturating_mul(site.days_late).saturating_mul(scale),
            load: of_load(policy.load_cost, site.load).saturating_mul(scale),
            ..Penalties::default()
        };
        if !self.balanced {
            return added;
        }
        let weights = &policy.weights;
        Penalties {
            load: added.load.saturating_add(of_load(weights.load, site.load)),
            distance: weights.per_km.saturating_mul(i64::from(site.metres)) / 1000,
            days: weights.per_day.saturating_mul(site.days),
            shipment: weights.per_shipment,
            ..added
        }
    }

    /// The part of a warehouse that is used. A penalty for each shipment after the first is one for each, less a constant.
    #[must_use]
    pub fn fixed(&self, site: &Site) -> i64 {
        let cost = site.fixed.saturating_mul(self.cost_weight());
        cost.saturating_add(self.penalties(site).total()).clamp(0, SCORE_MAX)
    }

    /// The part of a line that costs so much.
    #[must_use]
    pub fn line(&self, cost: i64) -> i64 {
        if self.balanced { cost.saturating_mul(self.policy.weights.cost).min(SCORE_MAX) } else { cost }
    }
}

fn of_load(amount: i64, load: Option<(i64, i64)>) -> i64 {
    match load {
        Some((used, most)) if most > 0 => amount.saturating_mul(used.clamp(0, most)) / most,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Weights;
    use super::*;

    const SITE: Site = Site { fixed: 500, metres: 12_345, days: 3, days_late: 2, load: Some((25, 100)) };

    #[test]
    fn without_penalties_a_score_is_the_cost() {
        let cheapest = Policy::default();
        let score = Score::of(&cheapest);
        assert!(score.is_cost());
        assert_eq!((score.fixed(&SITE), score.line(77)), (500, 77));
    }

    #[test]
    fn penalties_add_to_the_warehouse() {
        let policy = Policy { split_penalty: 200, lateness_cost_per_day: 50, load_cost: 300, ..Policy::default() };
        assert!(!Score::of(&policy).is_cost());
        assert_eq!(Score::of(&policy).fixed(&SITE), 500 + 200 + 2 * 50 + 300 / 4);
        assert_eq!(Score::of(&policy).fixed(&Site { load: Some((9, 0)), ..SITE }), 500 + 200 + 2 * 50);
    }

    #[test]
    fn a_balanced_score_is_the_weighted_sum_in_thousandths() {
        let weights = Weights { cost: 1500, per_km: 10_000, per_day: 300_000, per_shipment: 200_000, load: 500_000 };
        let policy = Policy { objective: Objective::Balanced, weights, split_penalty: 7, ..Policy::default() };
        let score = Score::of(&policy);
        assert_eq!(score.fixed(&SITE), 500 * 1500 + 123_450 + 3 * 300_000 + 200_000 + 125_000 + 7_000);
        assert_eq!(score.line(77), 77 * 1500);
    }

    #[test]
    fn absurd_amounts_end_at_the_bound() {
        let weights =
            Weights { cost: i64::MAX, per_km: i64::MAX, per_day: i64::MAX, per_shipment: i64::MAX, load: i64::MAX };
        let policy = Policy {
            objective: Objective::Balanced,
            weights,
            split_penalty: i64::MAX,
            lateness_cost_per_day: i64::MAX,
            load_cost: i64::MAX,
            ..Policy::default()
        };
        let site = Site { fixed: i64::MAX, metres: u32::MAX, days: i64::MAX, days_late: i64::MAX, ..SITE };
        assert_eq!((Score::of(&policy).fixed(&site), Score::of(&policy).line(i64::MAX)), (SCORE_MAX, SCORE_MAX));
    }
}
