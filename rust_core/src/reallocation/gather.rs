//! Chooses the orders that are looked at anew, and prices each at every warehouse.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{COST_SCALE, Limited, Open, Outcome, Reallocation, Region, count};
use crate::amend::add;
use crate::catalogue::SkuTerms;
use crate::cost::{Lane, Service};
use crate::ids::{SkuId, WarehouseId, split_cell_id};
use crate::order::{Order, Payment};
use crate::planner::{Demand, OnLane, Planner};
use crate::record::{self, Record, Status};

/// Stands for a warehouse that an order does not allow.
pub(super) const FORBIDDEN: i64 = i64::MAX;

/// Statuses, as a record's head has them, of orders that nothing is moved of any more.
const OVER: [u8; 3] = [Status::Shipped as u8, Status::Released as u8, Status::Expired as u8];

/// Costs of orders from warehouses that are kept at the most, 8 bytes each, and again in the columns: of 400,000 orders from 50.
const COSTS_MAX: usize = 20_000_000;

impl Reallocation {
    /// Looks at an order's record, and keeps it where it is asked for.
    pub fn look(&mut self, planner: &mut Planner, id: &str, stored: &[u8]) {
        self.seen += 1;
        // Most orders of a large store are over, and need not be read whole.
        if stored.get(1).is_some_and(|&status| OVER.contains(&status)) {
            return;
        }
        let Ok(record) = record::unpack(stored) else { return count(&mut self.left_out, "unreadable") };
        let waits = record.status == Status::Backordered;
        let asked = match record.status {
            Status::Reserved | Status::Confirmed | Status::PartiallyShipped => !self.terms.backordered,
            Status::Backordered => self.terms.backordered || self.terms.all_open,
            Status::Shipped | Status::Released | Status::Expired => false,
        };
        if !asked {
            return;
        }
        let Ok(order) = Order::decode(&record.canonical) else { return count(&mut self.left_out, "unreadable") };
        let mut held: Vec<(SkuId, i64)> = Vec::new();
        for &(cell, units) in &record.held() {
            if let Some((sku, _)) = split_cell_id(cell) {
                add(&mut held, sku, units);
            }
        }
        if !self.chooses(planner, &record, &order, &held) {
            return;
        }
        if record.status == Status::PartiallyShipped {
            return count(&mut self.left_out, "partially_shipped");
        }
        if record.status == Status::Reserved && record.expires_ms <= self.terms.now_ms {
            return count(&mut self.left_out, "hold_over");
        }
        let width = planner.catalogue.warehouse_numbers();
        if self.orders.len() >= self.terms.orders_max || (self.orders.len() + 1) * width > COSTS_MAX {
            return count(&mut self.left_out, "too_many");
        }
        let kept = planner.policies.book().kept(&record.policy);
        let Ok((_, demand)) = planner.admit_in(&record.canonical, kept) else {
            return count(&mut self.left_out, "not_plannable");
        };
        self.skus.extend(demand.lines.iter().chain(&held).map(|&(sku, _)| sku));
        let lines = if waits { demand.lines.clone() } else { held };
        let region = self.region(&order);
        let cost = record.shipments.iter().map(|shipment| {
            let lines = with_terms(planner, &shipment.lines);
            planner.price_from(&demand, shipment.warehouse, &lines).unwrap_or(shipment.cost)
        });
        let cost = cost.sum();
        let unit = self.unit_costs(planner, &record, &demand, &lines);
        let paid = u8::from(order.payment == Payment::Pending);
        if let (true, Some(customer)) = (waits, order.customer) {
            let of = |(sku, units, limit): (SkuId, i64, i64)| (format!("{sku}:{customer}"), units, limit);
            let counters: Vec<_> = planner.limited(&demand).map(of).collect();
            if !counters.is_empty() {
                self.limited.push(Limited { at: self.orders.len(), counters });
            }
        }
        self.orders.push(Open {
            id: id.into(),
            stored: stored.into(),
            waits,
            is_down: record.shipments.iter().any(|shipment| self.terms.down == Some(shipment.warehouse)),
            rank: (paid, demand.due.unwrap_or(i32::MAX), record.reserved_ms),
            channel: demand.channel,
            held: record.held(),
            lines,
            shipments: record.shipments.len(),
            shipments_max: demand.shipments_max.min(self.terms.shipments_max.unwrap_or(usize::MAX)),
            cost,
            unit,
            region,
            outcome: Outcome::Stays,
        });
    }

    /// Counters of customers' purchases that orders which wait would add to.
    #[must_use]
    pub fn purchases(&self) -> Vec<&str> {
        let all = self.limited.iter().flat_map(|one| one.counters.iter().map(|(name, _, _)| &**name));
        let unique: BTreeSet<&str> = all.collect();
        unique.into_iter().collect()
    }

    /// Leaves out orders that wait and would be beyond their customers' limits. `counted` are the units of these counters:
    /// stock that was kept for such an order would be kept from others whenever some comes.
    pub fn leave_out_limited(&mut self, counted: &FxHashMap<String, i64>) {
        let beyond = |(name, units, limit): &(String, i64, i64)| counted.get(name).unwrap_or(&0) + units > *limit;
        let limited = std::mem::take(&mut self.limited).into_iter();
        let out: FxHashSet<usize> = limited.filter(|one| one.counters.iter().any(beyond)).map(|one| one.at).collect();
        let mut at = 0;
        self.orders.retain(|open| {
            let stays = !out.contains(&at);
            at += 1;
            if !stays {
                self.regions[open.region].orders -= 1;
                count(&mut self.left_out, "purchase_limit");
            }
            stays
        });
    }

    /// Whether an order is asked for, whatever its state.
    fn chooses(&self, planner: &Planner, record: &Record, order: &Order, held: &[(SkuId, i64)]) -> bool {
        let terms = &self.terms;
        let held_at = |wanted: &dyn Fn(WarehouseId) -> bool| {
            record.held().iter().any(|&(cell, _)| split_cell_id(cell).is_some_and(|(_, at)| wanted(at)))
        };
        let named = |names: &[String], name: Option<&str>| {
            names.is_empty() || name.is_some_and(|name| names.iter().any(|one| one == name))
        };
        let of_sku = || {
            let wanted = order.lines.iter().filter_map(|line| planner.catalogue.sku(line.sku));
            held.iter().map(|&(sku, _)| sku).chain(wanted).any(|sku| terms.skus.contains(&sku))
        };
        terms.down.is_none_or(|down| held_at(&|at| at == down))
            && (terms.warehouses.is_empty() || held_at(&|at| terms.warehouses.contains(&at)))
            && named(&terms.countries, order.ship_to.country)
            && named(&terms.regions, order.ship_to.region)
            && terms.taken_until_ms.is_none_or(|until| record.reserved_ms <= until)
            && (terms.skus.is_empty() || of_sku())
    }

    fn region(&mut self, order: &Order) -> usize {
        let to = &order.ship_to;
        let key = (to.country.map(str::to_owned), to.region.map(str::to_owned));
        let at = match self.region_of.get(&key) {
            Some(&at) => at,
            None => {
                self.regions.push(Region { country: key.0.clone(), region: key.1.clone(), ..Region::default() });
                self.region_of.insert(key, self.regions.len() - 1);
                self.regions.len() - 1
            }
        };
        let region = &mut self.regions[at];
        region.orders += 1;
        // The mean so far: only a mark on a map.
        region.lat += (to.lat - region.lat) / region.orders as f64;
        region.lon += (to.lon - region.lon) / region.orders as f64;
        at
    }

    /// What a unit of an order costs from each warehouse where that serves all of it, less what the warehouse asks of any
    /// order.
    fn unit_costs(
        &self,
        planner: &mut Planner,
        record: &Record,
        demand: &Demand,
        lines: &[(SkuId, i64)],
    ) -> Box<[i64]> {
        let units = lines.iter().map(|&(_, units)| units).sum::<i64>().max(1);
        let lines = with_terms(planner, lines);
        let mut row = vec![FORBIDDEN; planner.catalogue.warehouse_numbers()].into_boxed_slice();
        for (warehouse, cost) in (0..).zip(row.iter_mut()) {
            let holds = record.shipments.iter().any(|shipment| shipment.warehouse == warehouse);
            let serves = demand.terms_of(&planner.catalogue, warehouse).is_some() && !self.shuns(warehouse);
            if self.terms.down == Some(warehouse) || !(serves || holds) {
                continue;
            }
            if let Some(price) = planner.price_from(demand, warehouse, &lines) {
                let own = price.saturating_sub(once(planner, warehouse)).max(0);
                *cost = (own.saturating_mul(COST_SCALE).saturating_add(units / 2)) / units;
            } else if holds {
                *cost = 0;
            }
        }
        row
    }
}

/// What a warehouse asks of any order.
pub(super) fn once(planner: &Planner, warehouse: WarehouseId) -> i64 {
    planner.catalogue.warehouse_terms(warehouse).map_or(0, |terms| terms.fixed_cost)
}

fn with_terms(planner: &Planner, lines: &[(SkuId, i64)]) -> Vec<(SkuTerms, i64)> {
    lines.iter().map(|&(sku, units)| (planner.catalogue.sku_terms(sku), units)).collect()
}

impl Planner {
    /// What a shipment of these lines from a warehouse to where a demand goes costs; none where nobody carries it.
    pub(crate) fn price_from(
        &mut self,
        demand: &Demand,
        warehouse: WarehouseId,
        lines: &[(SkuTerms, i64)],
    ) -> Option<i64> {
        let terms = *self.catalogue.warehouse_terms(warehouse)?;
        let (lane, rates) = if demand.pickup {
            (Lane::to_counter(&terms), Vec::new())
        } else {
            let lanes = self.costs.lanes(&self.catalogue, &demand.destination);
            (*lanes.lanes.get(warehouse as usize)?, lanes.rates(warehouse).to_vec())
        };
        if lane.service == Service::None {
            return None;
        }
        let on = OnLane { warehouse, lane: &lane, open: lane.fixed, rates: &rates, leaves: None, haste: demand.haste };
        Some(self.price_on(&on, lines).total())
    }
}
