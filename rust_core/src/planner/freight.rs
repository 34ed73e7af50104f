//! Freight that is not so much per shipment and per kilogram: minimums, weight steps, several carriers. The kernel is given a
//! lower bound of it; what it chose is then priced truly and made better.

use rustc_hash::FxHashMap;

use super::{Candidates, Demand, Planner};
use crate::catalogue::SkuTerms;
use crate::cost::{COST_MAX, Haste, Lane, LocalDay, Minorant, Rate, Service, least_volumetric};
use crate::ids::WarehouseId;
use crate::policy::{Objective, Score};

mod exact;
mod fleet;
mod improve;
mod partition;
mod search;

pub(super) use improve::Bounded;

/// What a shipment costs, part by part, and who carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Of the warehouse, once.
    pub handling: i64,
    /// Of the warehouse, unit by unit.
    pub picking: i64,
    /// Of the carrier, or of the way where there is no tariff.
    pub freight: i64,
    /// The carrier, where there is a tariff.
    pub carrier: Option<u8>,
    /// Its zone.
    pub zone: Option<u8>,
    /// Its days under way, where they are known.
    pub transit_days: Option<u8>,
}

impl Price {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.handling.saturating_add(self.picking).saturating_add(self.freight)
    }
}

/// How a candidate's shipments are charged by weight.
#[derive(Clone, Debug)]
pub struct ByWeight {
    /// What a shipment costs besides freight and picking.
    pub open: i64,
    /// Who serves; none where the lane itself says what it costs.
    pub rates: Box<[Rate]>,
    /// The day on which shipments leave, where that is known.
    pub leaves: Option<LocalDay>,
}

/// A lane, and what pricing a shipment on it takes besides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnLane<'a> {
    pub(crate) warehouse: WarehouseId,
    pub(crate) lane: &'a Lane,
    /// What a shipment costs besides picking and what carriers charge.
    pub(crate) open: i64,
    pub(crate) rates: &'a [Rate],
    pub(crate) leaves: Option<LocalDay>,
    pub(crate) haste: Haste,
}

impl Planner {
    /// Leaves no carriers but those that arrive by a day, where the last promise is to be that; speed beyond it is worth what
    /// an order's due day makes it.
    pub(crate) fn arrive_by(&self, demand: &Demand, candidates: &mut Candidates, day: LocalDay) {
        candidates.haste = Score::of(demand.policy()).lateness(demand.due);
        for charged in &mut candidates.by_weight {
            let in_time = |rate: &Rate| by_day(arrival(charged.leaves, self.costs.transit_days(*rate))) <= day;
            charged.rates = charged.rates.iter().copied().filter(in_time).collect();
        }
    }

    /// Leaves each candidate its fastest carriers alone, where the fastest plan is wanted: what it would ship with by itself.
    pub(crate) fn arrive_soonest(&self, demand: &Demand, candidates: &mut Candidates) {
        if demand.policy().objective != Objective::Fastest {
            return;
        }
        candidates.haste = Score::of(demand.policy()).lateness(demand.due);
        for (charged, &promised) in candidates.by_weight.iter_mut().zip(&candidates.promised) {
            let soonest = |rate: &Rate| arrival(charged.leaves, self.costs.transit_days(*rate)) == promised;
            charged.rates = charged.rates.iter().copied().filter(soonest).collect();
        }
    }

    /// Has lanes that are charged by weight say what no shipment of this order can cost less than. Keeps who serves them.
    pub(super) fn bound_freight(&self, demand: &Demand, candidates: &mut Candidates) {
        let most_g: Vec<i64> =
            self.costs.carriers().iter().map(|carrier| self.weight(demand, carrier.cm3_per_kg)).collect();
        let mut known: FxHashMap<Rate, Minorant> = FxHashMap::default();
        for (lane, charged) in candidates.lanes.iter_mut().zip(&candidates.by_weight) {
            if lane.service != Service::ByWeight {
                continue;
            }
            let carriers = || charged.rates.iter().map(|rate| &self.costs.carriers()[usize::from(rate.carrier)]);
            for &rate in &charged.rates {
                let most_g = most_g[usize::from(rate.carrier)];
                known.entry(rate).or_insert_with(|| self.costs.minorant(rate, most_g));
            }
            let lines = charged.rates.iter().map(|rate| known[rate]);
            lane.cm3_per_kg = least_volumetric(carriers());
            let bound = Minorant::of_cheapest(lines, self.weight(demand, lane.cm3_per_kg));
            lane.fixed = charged.open.saturating_add(bound.fixed);
            lane.per_kg = bound.per_kg;
        }
    }

    /// What a shipment from each candidate adds to its score at the most by what carriers charge, beyond its lane's part that
    /// is once per shipment; nothing where lanes say what they cost. In minor units.
    pub(super) fn freight_most(&self, demand: &Demand, candidates: &Candidates) -> Vec<i64> {
        let carriers = self.costs.carriers();
        let most_g: Vec<i64> = carriers.iter().map(|carrier| self.weight(demand, carrier.cm3_per_kg)).collect();
        let most = |(lane, charged): (&Lane, &ByWeight)| {
            let hurry = |days| candidates.haste.of(arrival(charged.leaves, days));
            let offers = charged.rates.iter().map(|&rate| {
                let number = usize::from(rate.carrier);
                let freight = carriers[number].freight(usize::from(rate.zone), most_g[number]);
                let later = hurry(self.costs.transit_days(rate)).saturating_sub(hurry(lane.transit_days)).max(0);
                freight.saturating_add(later)
            });
            // No offer falls with the weight, and a shipment takes the least of them.
            if lane.service == Service::ByWeight { offers.min().unwrap_or(0) } else { 0 }
        };
        candidates.lanes.iter().zip(&candidates.by_weight).map(most).collect()
    }

    /// Whether carriers are chosen by what their days add to the score, no more and no less: where days add nothing, where no
    /// two carriers of a lane differ in them, or where all are known and a day makes whole minor units.
    pub(super) fn weighs_days_truly(&self, demand: &Demand, candidates: &Candidates) -> bool {
        let score = Score::of(demand.policy());
        let alike = |charged: &ByWeight| {
            let days = || charged.rates.iter().map(|&rate| arrival(charged.leaves, self.costs.transit_days(rate)));
            let even = days().all(|day| Some(day) == days().next());
            even || (score.haste_is_exact(demand.due) && days().all(|day| day.is_some()))
        };
        !score.counts_days(demand.due) || candidates.by_weight.iter().all(alike)
    }

    /// The warehouses from which nobody carries anything to where a demand goes, though somebody would have to.
    pub(crate) fn uncarried(&mut self, demand: &Demand) -> Vec<WarehouseId> {
        let lanes = &self.costs.lanes(&self.catalogue, &demand.destination).lanes;
        let uncarried = (0..).zip(lanes).filter(|(_, lane)| lane.service == Service::None && !demand.pickup);
        uncarried.map(|(warehouse, _)| warehouse).collect()
    }

    /// Chargeable grams of a whole order.
    fn weight(&self, demand: &Demand, cm3_per_kg: u32) -> i64 {
        let grams = |&(sku, quantity): &(_, i64)| {
            self.catalogue.sku_terms(sku).chargeable_g(cm3_per_kg).saturating_mul(quantity)
        };
        demand.lines.iter().map(grams).fold(0, i64::saturating_add)
    }

    /// What a shipment of these SKUs and units from a candidate costs.
    #[must_use]
    pub fn price(&self, candidates: &Candidates, candidate: usize, lines: &[(SkuTerms, i64)]) -> Price {
        let (warehouse, lane) = (candidates.warehouses[candidate], &candidates.lanes[candidate]);
        let (open, rates, leaves) = match candidates.by_weight.get(candidate) {
            Some(charged) => (charged.open, &charged.rates[..], charged.leaves),
            None => (lane.fixed, &[][..], None),
        };
        self.price_on(&OnLane { warehouse, lane, open, rates, leaves, haste: candidates.haste }, lines)
    }

    /// The same on a lane as the cost table has it.
    pub(crate) fn price_on(&self, on: &OnLane, lines: &[(SkuTerms, i64)]) -> Price {
        let lane = on.lane;
        let handling = self.catalogue.warehouse_terms(on.warehouse).map_or(0, |terms| terms.fixed_cost).min(COST_MAX);
        let picked = |quantity: i64| lane.per_unit.saturating_mul(quantity).min(COST_MAX);
        let picking = lines.iter().map(|&(_, quantity)| picked(quantity)).fold(0, i64::saturating_add);
        let price = Price { handling, picking, ..Price::default() };
        if lane.service != Service::ByWeight {
            let of_lines = lines.iter().map(|(terms, quantity)| lane.line_cost(terms, *quantity));
            let freight =
                of_lines.fold(lane.fixed, i64::saturating_add).saturating_sub(handling).saturating_sub(picking);
            let (carrier, zone, transit_days) = (lane.carrier, lane.zone, lane.transit_days);
            return Price { freight, carrier, zone, transit_days, ..price };
        }
        let way = on.open.saturating_sub(handling);
        let grams = |cm3_per_kg| {
            let of_lines =
                lines.iter().map(|(terms, quantity)| terms.chargeable_g(cm3_per_kg).saturating_mul(*quantity));
            of_lines.fold(0, i64::saturating_add)
        };
        let offers = on.rates.iter().map(|&rate| {
            let carrier = &self.costs.carriers()[usize::from(rate.carrier)];
            (rate, carrier.freight(usize::from(rate.zone), grams(carrier.cm3_per_kg)))
        });
        // The faster of two that count alike; then as the tariff lists them.
        let best = offers.min_by_key(|&(rate, freight)| {
            let days = self.costs.transit_days(rate);
            (freight.saturating_add(on.haste.of(arrival(on.leaves, days))), days.map_or(u16::MAX, u16::from))
        });
        best.map_or(price, |(rate, freight)| Price {
            freight: freight.saturating_add(way),
            carrier: Some(rate.carrier),
            zone: Some(rate.zone),
            transit_days: self.costs.transit_days(rate),
            ..price
        })
    }
}

/// A promised day, to be compared: what promises nothing comes after all others.
pub(crate) fn by_day(promised: Option<LocalDay>) -> LocalDay {
    promised.unwrap_or(LocalDay::MAX)
}

/// The day on which arrives what leaves on a day and is so long under way.
pub(crate) fn arrival(leaves: Option<LocalDay>, transit_days: Option<u8>) -> Option<LocalDay> {
    Some(leaves?.saturating_add(LocalDay::from(transit_days?)))
}

#[cfg(test)]
mod tests;
