//! What shipments cost, part by part, and what the policy adds: the score.

use serde_json::{Map, Value, json};

use super::{Chosen, Scene};
use crate::catalogue::SkuTerms;
use crate::cost::{LocalDay, Service, way_cost};
use crate::ids::SkuId;
use crate::planner::{Candidates, Demand, Plan, Planner, Price, arrival, by_day};
use crate::policy::{Objective, Penalties, Score};

/// One shipment, or the sum of several. Costs in minor units, all of a score as the policy scales it.
#[derive(Clone, Debug, Default)]
pub(super) struct Weighed {
    pub(super) handling: i64,
    pub(super) picking: i64,
    /// Of carriers, or as the user's own costs say.
    pub(super) freight: i64,
    /// Of warehouses that charge by the kilometre.
    pub(super) way: i64,
    /// Line by line; the rest is once per shipment.
    pub(super) lines: i64,
    pub(super) penalties: Penalties,
    /// What the units and the shipment are held to be worth to later orders.
    pub(super) price: i64,
    pub(super) score: i64,
    pub(super) promised: Option<LocalDay>,
    /// Days that this is after it is due, where both are known.
    pub(super) days_late: Option<i64>,
    /// Grams that the carrier charges, where it charges by a tariff.
    pub(super) billed_g: Option<i64>,
    pub(super) carrier: Option<u8>,
    pub(super) zone: Option<u8>,
    /// Whether the freight is the user's own cost, and whether the way is as long as their own distance says.
    pub(super) own_cost: bool,
    pub(super) own_distance: bool,
}

impl Scene<'_> {
    /// A shipment of SKUs and units from a candidate. A single one has no split.
    pub(super) fn weigh(&self, column: usize, lines: &[(SkuId, i64)]) -> Weighed {
        let (planner, candidates) = (self.planner, self.candidates);
        let (warehouse, lane) = (candidates.warehouses[column], &candidates.lanes[column]);
        let terms: Vec<(SkuTerms, i64)> =
            lines.iter().map(|&(sku, units)| (planner.catalogue.sku_terms(sku), units)).collect();
        let price: Price = planner.price(candidates, column, &terms);
        let by_weight = lane.service == Service::ByWeight;
        let promised = if by_weight {
            arrival(candidates.by_weight[column].leaves, price.transit_days)
        } else {
            candidates.promised[column]
        };
        let own = planner.costs.own_cost(warehouse, &self.demand.destination).is_some();
        let way = match planner.catalogue.warehouse_terms(warehouse) {
            Some(terms) if !own && !self.demand.pickup => way_cost(terms, lane.metres).min(price.freight),
            _ => 0,
        };
        let billed_g = price.carrier.filter(|_| !own).map(|carrier| {
            let carrier = &planner.costs.carriers()[usize::from(carrier)];
            let grams =
                terms.iter().map(|(terms, units)| terms.chargeable_g(carrier.cm3_per_kg).saturating_mul(*units));
            carrier.billed_g(grams.fold(0, i64::saturating_add))
        });
        let site = planner.site(self.demand, candidates, self.days, column, promised.or(candidates.promised[column]));
        let penalties = Penalties { split: 0, ..self.score.penalties(&site) };
        let cost = price.total();
        let of_lines = lines.iter().map(|&(sku, units)| planner.prices.of_line(sku, warehouse, units));
        let worth = of_lines.fold(planner.prices.of_shipment(warehouse), i64::saturating_add);
        let worth = worth.saturating_mul(self.score.cost_weight());
        Weighed {
            handling: price.handling,
            picking: price.picking,
            freight: price.freight - way,
            way,
            lines: if by_weight { price.picking } else { cost - lane.fixed },
            penalties,
            price: worth,
            score: cost
                .saturating_mul(self.score.cost_weight())
                .saturating_add(penalties.total())
                .saturating_add(worth),
            promised,
            days_late: promised.and_then(|day| self.days_late(day)),
            billed_g,
            carrier: price.carrier,
            zone: price.zone,
            own_cost: own && !self.demand.pickup,
            own_distance: planner.costs.has_own_distance(warehouse, &self.demand.destination) && !self.demand.pickup,
        }
    }

    /// All shipments of a plan, and what the policy charges for there being several.
    pub(super) fn chosen<'b>(&self, plan: &'b Plan) -> Chosen<'b> {
        let (mut sum, mut warehouses) = (Weighed::default(), Vec::with_capacity(plan.shipments.len()));
        let mut shipments = Vec::with_capacity(plan.shipments.len());
        let mut promised = Some(LocalDay::MIN);
        let (mut candidates, _) = self.candidates.keep(|_| true);
        if self.demand.policy().objective == Objective::Fastest {
            // Only the last of them need be fast.
            let last = plan.shipments.iter().map(|shipment| by_day(shipment.promised)).max();
            self.planner.arrive_by(self.demand, &mut candidates, last.unwrap_or(LocalDay::MAX));
        }
        let scene = Scene { candidates: &candidates, ..*self };
        for shipment in &plan.shipments {
            let at = self.candidates.warehouses.iter().position(|&one| one == shipment.warehouse);
            let Some(column) = at else { continue };
            let one = scene.weigh(column, &shipment.lines);
            warehouses.push(shipment.warehouse);
            promised = promised.zip(one.promised).map(|(latest, day)| latest.max(day));
            sum.add(&one);
            shipments.push((shipment, one));
        }
        let several = i64::try_from(warehouses.len().saturating_sub(1)).unwrap_or(i64::MAX);
        sum.penalties.split = self.score.split().saturating_mul(several);
        sum.score = sum.score.saturating_add(sum.penalties.split);
        sum.promised = promised.filter(|_| !warehouses.is_empty());
        sum.days_late = sum.promised.and_then(|day| self.days_late(day));
        Chosen { warehouses, shipments, weighed: sum }
    }

    fn days_late(&self, day: LocalDay) -> Option<i64> {
        self.demand.due.map(|due| (i64::from(day) - i64::from(due)).max(0))
    }
}

impl Planner {
    /// Whether anything that candidates might ship has an opportunity price.
    pub(super) fn is_priced(&self, demand: &Demand, candidates: &Candidates) -> bool {
        let of_units = |at: u32| demand.lines.iter().any(|&(sku, _)| self.prices.of_unit(sku, at) > 0);
        !self.prices.is_empty()
            && candidates.warehouses.iter().any(|&at| self.prices.of_shipment(at) > 0 || of_units(at))
    }
}

impl Weighed {
    pub(super) fn cost(&self) -> i64 {
        self.handling.saturating_add(self.picking).saturating_add(self.freight).saturating_add(self.way)
    }

    fn add(&mut self, other: &Self) {
        self.handling = self.handling.saturating_add(other.handling);
        self.picking = self.picking.saturating_add(other.picking);
        self.freight = self.freight.saturating_add(other.freight);
        self.way = self.way.saturating_add(other.way);
        self.lines = self.lines.saturating_add(other.lines);
        self.score = self.score.saturating_add(other.score);
        self.price = self.price.saturating_add(other.price);
        self.penalties = self.penalties.plus(&other.penalties);
    }

    pub(super) fn cost_to_json(&self) -> Value {
        json!({
            "handling": self.handling,
            "picking": self.picking,
            "freight": self.freight,
            "way": self.way,
            "per_shipment": self.cost() - self.lines,
            "lines": self.lines,
            "total": self.cost(),
        })
    }

    /// The weighted cost, what the policy adds to it, as far as it adds anything, and the sum.
    pub(super) fn score_to_json(&self, score: &Score) -> Value {
        let mut parts = Map::new();
        parts.insert("cost".into(), json!(self.cost().saturating_mul(score.cost_weight())));
        let added = self.penalties.parts().into_iter().filter(|&(_, part)| part != 0);
        parts.extend(added.map(|(name, part)| (name.to_owned(), json!(part))));
        if self.price != 0 {
            parts.insert("price".into(), json!(self.price));
        }
        parts.insert("total".into(), json!(self.score));
        Value::Object(parts)
    }
}
