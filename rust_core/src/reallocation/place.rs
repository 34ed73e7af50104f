//! Has the planner choose shipments within the warehouses that the assignment names, and keeps what pays by true cost.

use super::told::flows;
use super::{Move, Open, Outcome, Reallocation, Why};
use crate::amend::{add, days_left};
use crate::capacity::counter_name;
use crate::ids::{CellId, SkuId, WarehouseId, split_cell_id};
use crate::planner::{Demand, Plan, Planner};
use crate::record::{self, Record};

impl Reallocation {
    /// Takes up what the assignment chose: pieces by line, warehouse (-1: none) and quantity. Returns how many orders are to be
    /// placed.
    pub fn begin(&mut self, line: &[i64], warehouse: &[i32], quantity: &[i32]) -> usize {
        let order_of: Vec<usize> =
            self.orders.iter().enumerate().flat_map(|(at, open)| std::iter::repeat_n(at, open.lines.len())).collect();
        let sku_of: Vec<SkuId> = self.orders.iter().flat_map(|open| open.lines.iter().map(|&(sku, _)| sku)).collect();
        let mut wanted: Vec<Vec<(SkuId, WarehouseId, i64)>> = vec![Vec::new(); self.orders.len()];
        let mut unserved = vec![false; self.orders.len()];
        for ((&line, &at), &units) in line.iter().zip(warehouse).zip(quantity) {
            let order = order_of[line as usize];
            match WarehouseId::try_from(at) {
                Ok(at) => wanted[order].push((sku_of[line as usize], at, i64::from(units))),
                Err(_) => unserved[order] = true,
            }
        }
        self.targets = vec![Vec::new(); self.orders.len()];
        let first = self.ranked();
        let mut others = Vec::new();
        for (at, open) in self.orders.iter().enumerate() {
            let mut warehouses: Vec<WarehouseId> = wanted[at].iter().map(|&(_, warehouse, _)| warehouse).collect();
            warehouses.sort_unstable();
            warehouses.dedup();
            if open.waits || open.is_down {
                // Where the assignment serves it not at all, the planner may still find something in its turn.
                if !unserved[at] && !open.waits {
                    self.targets[at] = warehouses;
                }
                continue;
            }
            let mut held: Vec<(SkuId, WarehouseId, i64)> = Vec::new();
            for &(cell, units) in &open.held {
                if let Some((sku, warehouse)) = split_cell_id(cell) {
                    match held.iter_mut().find(|(of, there, _)| (*of, *there) == (sku, warehouse)) {
                        Some((_, _, sum)) => *sum += units,
                        None => held.push((sku, warehouse, units)),
                    }
                }
            }
            held.sort_unstable();
            wanted[at].sort_unstable();
            if !unserved[at] && held != wanted[at] {
                self.targets[at] = warehouses;
                others.push(at);
            }
        }
        self.queue = first;
        self.queue.extend(others);
        self.placed = 0;
        // All that may move is free, until it was looked at and stays.
        for &at in &self.queue {
            for &(cell, units) in &self.orders[at].held {
                let is_down = split_cell_id(cell).is_some_and(|(_, warehouse)| self.terms.down == Some(warehouse));
                if !is_down {
                    self.view.take(cell, -units);
                }
            }
        }
        self.queue.len()
    }

    /// Places the next order; whether there was one.
    pub fn place(&mut self, planner: &mut Planner) -> bool {
        let Some(&at) = self.queue.get(self.placed) else { return false };
        self.placed += 1;
        let lent = Lent::new(planner, self);
        let outcome = lent.own.place_one(lent.planner, at);
        drop(lent);
        match &outcome {
            Outcome::Moves(made) => {
                let (now, day) = (made.shipments.iter().flat_map(|one| one.takes()), self.capacity.day());
                now.for_each(|(cell, units)| self.view.take(cell, units));
                for shipment in &made.shipments {
                    if day.is_some_and(|day| made.counters.contains(&counter_name(shipment.warehouse, day))) {
                        self.capacity.take(day.unwrap_or_default(), shipment.warehouse, 1);
                    }
                }
            }
            Outcome::Stays | Outcome::Kept(_) => {
                for &(cell, units) in &self.orders[at].held {
                    self.view.take(cell, units);
                }
            }
        }
        self.orders[at].outcome = outcome;
        true
    }

    fn place_one(&self, planner: &mut Planner, at: usize) -> Outcome {
        let open = &self.orders[at];
        let Ok(record) = record::unpack(&open.stored) else { return Outcome::Kept("unreadable") };
        let kept = planner.policies.book().kept(&record.policy);
        let Ok((order, demand)) = planner.admit_in(&record.canonical, kept) else {
            return Outcome::Kept("not_plannable");
        };
        let named = (!self.targets[at].is_empty()).then_some(&self.targets[at]);
        let within = self.narrowed(planner, &demand, open, named.map(Vec::as_slice));
        let mut planned = planner.plan(&within);
        if planned.is_err() && named.is_some() && open.is_down {
            planned = planner.plan(&self.narrowed(planner, &demand, open, None));
        }
        let Ok(plan) = planned else {
            return Outcome::Kept(match open.is_down || open.waits {
                true if self.lacks_a_day_alone(planner, &demand, open) => "capacity",
                true => "no_stock",
                false => "no_gain",
            });
        };
        if let Some(why) = self.worse(open, &record, &plan) {
            return Outcome::Kept(why);
        }
        let changes = changes(&open.held, &plan);
        let units = flows(&changes).iter().map(|&(_, units, _, _)| units).sum::<i64>();
        if units == 0 {
            return Outcome::Stays;
        }
        let cost = plan.cost();
        let saves = open.cost.saturating_sub(cost);
        let must = open.waits || open.is_down;
        if !must && (saves <= 0 || saves < self.terms.move_penalty.saturating_mul(units)) {
            return Outcome::Kept("no_gain");
        }
        let amended = planner.amended(&record, &record.canonical, &order, &demand, &plan);
        let counters = amended.counters.iter().map(|(name, _, _)| name.clone()).collect();
        let days_left = days_left(&record, &plan);
        let (version, shipments) = (record.version, plan.shipments);
        Outcome::Moves(Box::new(Move { amended, version, shipments, changes, units, cost, counters, days_left }))
    }

    /// Whether an order that cannot be placed could be, were no warehouse's day full.
    fn lacks_a_day_alone(&self, planner: &mut Planner, demand: &Demand, open: &Open) -> bool {
        if !planner.capacity.any_full(&planner.catalogue) {
            return false;
        }
        let days = std::mem::take(&mut planner.capacity);
        let planned = planner.plan(&self.narrowed(planner, demand, open, None));
        planner.capacity = days;
        planned.is_ok()
    }

    /// A demand that may only use some warehouses, or any but those to which nothing is moved.
    fn narrowed(&self, planner: &Planner, demand: &Demand, open: &Open, named: Option<&[WarehouseId]>) -> Demand {
        let holds = |at: WarehouseId| {
            self.terms.down != Some(at)
                && open.held.iter().any(|&(cell, _)| split_cell_id(cell).is_some_and(|(_, held)| held == at))
        };
        let mut allowed: Vec<WarehouseId> = match named {
            Some(named) => named.to_vec(),
            None => planner.catalogue.ranked().to_vec(),
        };
        allowed.retain(|&at| demand.allows(at) && (!self.shuns(at) || holds(at)));
        allowed.sort_unstable();
        let mut within = demand.clone();
        within.allowed = Some(allowed);
        within.shipments_max = demand.shipments_max.min(open.shipments_max);
        within
    }

    /// Why a plan may not come in the place of what an order has: it goes without more, or gets more substitutes.
    fn worse(&self, open: &Open, record: &Record, plan: &Plan) -> Option<Why> {
        let lacks = |unfilled: &[(SkuId, i64)]| unfilled.iter().map(|&(_, units)| units).sum::<i64>();
        let bent = |goods: &crate::goods::Goods| goods.substitutions.iter().map(|one| one.units).sum::<i64>();
        let more_lacks = !open.waits && lacks(&plan.unfilled) > lacks(&record.unfilled);
        let more_bent = !open.waits && bent(&plan.goods) > bent(&record.goods);
        let still_there = plan.shipments.iter().any(|shipment| self.terms.down == Some(shipment.warehouse));
        (more_lacks || more_bent || still_there).then_some(if open.is_down { "no_stock" } else { "no_gain" })
    }
}

/// Units that each cell gives to an order that it had not, or gets back.
fn changes(held: &[(CellId, i64)], plan: &Plan) -> Vec<(CellId, i64)> {
    let mut changes: Vec<(CellId, i64)> = Vec::new();
    let takes = plan.shipments.iter().flat_map(|shipment| shipment.takes());
    takes.for_each(|(cell, units)| add(&mut changes, cell, units));
    held.iter().for_each(|&(cell, units)| add(&mut changes, cell, -units));
    changes.retain(|&(_, units)| units != 0);
    changes
}

/// The planner with the view and the capacities of a re-allocation in the place of its own, until this is dropped.
struct Lent<'a> {
    planner: &'a mut Planner,
    own: &'a mut Reallocation,
}

impl<'a> Lent<'a> {
    fn new(planner: &'a mut Planner, own: &'a mut Reallocation) -> Self {
        let lent = Self { planner, own };
        lent.swap()
    }

    fn swap(self) -> Self {
        std::mem::swap(&mut self.planner.view, &mut self.own.view);
        std::mem::swap(&mut self.planner.capacity, &mut self.own.capacity);
        self
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        std::mem::swap(&mut self.planner.view, &mut self.own.view);
        std::mem::swap(&mut self.planner.capacity, &mut self.own.capacity);
    }
}
