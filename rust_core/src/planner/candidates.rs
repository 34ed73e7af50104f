//! The warehouses that may serve a demand, and what each has of it and costs.

use super::freight::ByWeight;
use super::{Demand, Planner};
use crate::cost::{Haste, Lane, LocalDay, Service};
use crate::fill::Supply;
use crate::ids::WarehouseId;

/// The warehouses that may serve an order, and what each has and costs; columns in rank order.
pub struct Candidates {
    /// Their numbers.
    pub warehouses: Vec<WarehouseId>,
    /// Their lanes to the destination.
    pub lanes: Vec<Lane>,
    /// The day on which what each ships arrives, with its fastest carrier; none where that is not known.
    pub promised: Vec<Option<LocalDay>>,
    /// How those are charged whose lanes only bound it; empty where all say what they cost.
    pub by_weight: Vec<ByWeight>,
    /// Units free, a row a line, none below zero.
    pub free: Vec<i64>,
    /// Units wanted of each line.
    pub wanted: Vec<i64>,
    /// What days count for when one of several carriers is chosen.
    pub haste: Haste,
}

impl Candidates {
    /// What there is, for filling.
    #[must_use]
    pub fn supply(&self) -> Supply<'_> {
        Supply { wanted: &self.wanted, free: &self.free, candidates: self.warehouses.len() }
    }

    /// The same of some columns only, and which they were.
    pub(crate) fn keep(&self, keeps: impl Fn(usize) -> bool) -> (Self, Vec<usize>) {
        let kept: Vec<usize> = (0..self.warehouses.len()).filter(|&column| keeps(column)).collect();
        let of_row = |row: &[i64]| kept.iter().map(|&column| row[column]).collect::<Vec<i64>>();
        let narrowed = Self {
            warehouses: kept.iter().map(|&column| self.warehouses[column]).collect(),
            lanes: kept.iter().map(|&column| self.lanes[column]).collect(),
            promised: kept.iter().map(|&column| self.promised[column]).collect(),
            by_weight: kept.iter().filter_map(|&column| self.by_weight.get(column).cloned()).collect(),
            free: self.free.chunks_exact(self.warehouses.len().max(1)).flat_map(of_row).collect(),
            wanted: self.wanted.clone(),
            haste: self.haste,
        };
        (narrowed, kept)
    }

    /// Units of each line that all of them have together.
    pub(super) fn held(&self) -> Vec<i64> {
        let sum = |row: &[i64]| row.iter().fold(0_i64, |sum, &free| sum.saturating_add(free));
        let (width, lines) = (self.warehouses.len(), self.wanted.len());
        (0..lines).map(|line| sum(&self.free[line * width..(line + 1) * width])).collect()
    }

    /// Columns, the cheapest to open first; among equals the first by rank.
    pub(super) fn by_fixed_cost(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.warehouses.len()).collect();
        order.sort_by_key(|&candidate| self.lanes[candidate].fixed);
        order
    }
}

impl Planner {
    /// The warehouses that may serve a demand and what they have of it. Those at capacity may not.
    pub fn candidates(&mut self, demand: &Demand) -> Candidates {
        self.gather(demand, true)
    }

    pub(super) fn gather(&mut self, demand: &Demand, capped: bool) -> Candidates {
        let capped = capped && self.catalogue.capped();
        let lanes = self.costs.lanes(&self.catalogue, &demand.destination);
        let leaves = self.now_ms.map(|now_ms| self.dispatches.at(now_ms, self.catalogue.warehouse_numbers()));
        let numbers = self.catalogue.warehouse_numbers();
        let mut found = Candidates {
            warehouses: Vec::with_capacity(numbers),
            lanes: Vec::with_capacity(numbers),
            promised: Vec::new(),
            by_weight: Vec::new(),
            free: Vec::new(),
            wanted: demand.lines.iter().map(|&(_, quantity)| quantity).collect(),
            haste: demand.haste,
        };
        for &warehouse in self.catalogue.ranked() {
            let Some(terms) = demand.terms_of(&self.catalogue, warehouse) else { continue };
            if capped && self.capacity.is_full(warehouse, terms) {
                continue;
            }
            let lane = &lanes.lanes[warehouse as usize];
            if demand.pickup {
                found.lanes.push(Lane::to_counter(terms));
            } else if lane.service != Service::None {
                found.lanes.push(*lane);
            } else {
                continue;
            }
            found.warehouses.push(warehouse);
        }
        let width = found.warehouses.len();
        let leaves = |&warehouse: &WarehouseId| leaves.and_then(|leaves| leaves[warehouse as usize]);
        found.promised = match self.now_ms {
            None => vec![None; width],
            Some(_) => found.warehouses.iter().zip(&found.lanes).map(|(at, lane)| lane.arrives(leaves(at))).collect(),
        };
        if !lanes.linear() && !demand.pickup {
            let charged = found.warehouses.iter().zip(&found.lanes).map(|(at, lane)| ByWeight {
                open: lane.fixed,
                rates: lanes.rates(*at).into(),
                leaves: leaves(at),
            });
            found.by_weight = charged.collect();
            self.bound_freight(demand, &mut found);
        }
        found.free = self.free_at(demand, &found.warehouses);
        found
    }

    /// Units of each line that are free for a demand at warehouses, a row a line, none below zero.
    pub(super) fn free_at(&self, demand: &Demand, warehouses: &[WarehouseId]) -> Vec<i64> {
        let width = warehouses.len();
        let mut column_of = vec![usize::MAX; self.catalogue.warehouse_numbers()];
        warehouses.iter().enumerate().for_each(|(column, &at)| column_of[at as usize] = column);
        let mut all = vec![0_i64; width * demand.lines.len()];
        for (line, &(sku, _)) in demand.lines.iter().enumerate() {
            let row = &mut all[line * width..(line + 1) * width];
            // A level may be of a warehouse whose definition has not come yet.
            let column = |warehouse: WarehouseId| column_of.get(warehouse as usize).copied().unwrap_or(usize::MAX);
            if !demand.pools_only {
                for level in self.view.row(sku) {
                    if let Some(free) = row.get_mut(column(level.warehouse)) {
                        *free = level.free.saturating_sub(demand.keep_back).max(0);
                    }
                }
            }
            for level in self.view.pool(demand.channel, sku) {
                if let Some(free) = row.get_mut(column(level.warehouse)) {
                    *free = free.saturating_add(level.free.max(0));
                }
            }
            if let Some(needs) = self.policies.traits().needs(sku) {
                for (free, &warehouse) in row.iter_mut().zip(warehouses) {
                    if !self.policies.traits().has_all(warehouse, needs) {
                        *free = 0;
                    }
                }
            }
        }
        all
    }
}
