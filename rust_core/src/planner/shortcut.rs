//! The way of most orders in a sale: few lines, stock almost everywhere, one warehouse that nothing beats. Finds it without
//! a look at every warehouse, or leaves the order to the kernel.

use super::{Demand, Plan, Planner, Shipment};
use crate::catalogue::SkuTerms;
use crate::cost::Lane;
use crate::goods::Goods;
use crate::ids::{SHARED, SkuId, WarehouseId};
use crate::policy::{Objective, Score};
use crate::view::Level;

/// Lines of an order that is tried.
const LINES_MAX: usize = 8;

/// What one line wants, and where it is.
#[derive(Clone, Copy, Default)]
struct Wanted<'a> {
    sku: SkuId,
    quantity: i64,
    terms: SkuTerms,
    row: &'a [Level],
}

impl Wanted<'_> {
    fn is_at(&self, warehouse: WarehouseId) -> bool {
        // Most rows have a level of every warehouse.
        let free = match self.row.get(warehouse as usize) {
            Some(level) if level.warehouse == warehouse => level.free,
            _ => match self.row.binary_search_by_key(&warehouse, |level| level.warehouse) {
                Ok(found) => self.row[found].free,
                Err(_) => 0,
            },
        };
        free >= self.quantity
    }
}

impl Planner {
    /// The plan that the kernel would prove: one shipment that costs the least, the best-ranked among equals. `None` where
    /// that is not certain at a glance, and for orders whose choice is not free.
    pub(super) fn shortcut(&mut self, demand: &Demand) -> Option<Plan> {
        let policy = demand.policy();
        let free_choice = policy.objective == Objective::Cheapest
            && Score::of(policy).is_cost()
            && demand.serves.is_none()
            && demand.allowed.is_none()
            && demand.channel == SHARED
            && !demand.pools_only
            && demand.keep_back == 0
            && !demand.pickup
            && demand.bundles.is_empty()
            && self.prices.is_empty()
            && !self.catalogue.capped();
        if !free_choice || demand.lines.len() > LINES_MAX {
            return None;
        }
        if demand.lines.iter().any(|&(sku, _)| self.policies.traits().needs(sku).is_some()) {
            return None;
        }
        let mut lines = [Wanted::default(); LINES_MAX];
        let lines = &mut lines[..demand.lines.len()];
        for (line, &(sku, quantity)) in lines.iter_mut().zip(&demand.lines) {
            *line = Wanted { sku, quantity, terms: self.catalogue.sku_terms(sku), row: self.view.row(sku) };
        }
        let cost_on = |lane: &Lane| {
            lines.iter().fold(lane.fixed, |sum, line| sum.saturating_add(lane.line_cost(&line.terms, line.quantity)))
        };
        let lanes = self.costs.lanes(&self.catalogue, &demand.destination);
        if !lanes.linear() {
            return None;
        }
        // No line costs less anywhere.
        let floor = cost_on(&Lane { fixed: 0, per_unit: lanes.least.0, per_kg: lanes.least.1, ..Lane::default() });
        let mut best: Option<(i64, WarehouseId)> = None;
        for &warehouse in &lanes.by_fixed {
            let lane = &lanes.lanes[warehouse as usize];
            if best.is_some_and(|(cost, _)| cost < lane.fixed.saturating_add(floor)) {
                break;
            }
            if !lines.iter().all(|line| line.is_at(warehouse)) {
                continue;
            }
            let cost = cost_on(lane);
            let better = best.is_none_or(|(least, at)| {
                cost < least || (cost == least && self.catalogue.rank_of(warehouse) < self.catalogue.rank_of(at))
            });
            if better {
                best = Some((cost, warehouse));
            }
        }
        let (cost, warehouse) = best?;
        let two_least: i64 = lanes.by_fixed.iter().take(2).map(|&at| lanes.lanes[at as usize].fixed).sum();
        if lines.len() > 1 && cost > two_least.saturating_add(floor) {
            return None;
        }
        let lane = lanes.lanes[warehouse as usize];
        let lines = lines.iter().map(|line| (line.sku, line.quantity)).collect();
        let leaves = self.now_ms.and_then(|now_ms| {
            self.dispatches.at(now_ms, self.catalogue.warehouse_numbers()).get(warehouse as usize).copied().flatten()
        });
        let carrier = lane.carrier.and_then(|carrier| self.costs.carrier_name(carrier));
        let (metres, promised) = (lane.metres, lane.arrives(leaves));
        Some(Plan {
            shipments: vec![Shipment { warehouse, cost, metres, lines, cells: Vec::new(), carrier, promised }],
            unfilled: Vec::new(),
            goods: Goods::default(),
            selected: demand.selected.clone(),
            proven: true,
        })
    }
}
