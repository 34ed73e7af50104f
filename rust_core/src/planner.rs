//! Plans one order: resolves its names, gathers what each warehouse has and costs, and lets the kernel or a rule choose.

mod candidates;
mod choose;
mod demand;
mod freight;
mod objective;
mod shipments;

pub use candidates::Candidates;
pub use demand::Demand;
pub(crate) use freight::OnLane;
pub use freight::{ByWeight, Price};

use std::sync::Arc;

use crate::capacity::Capacity;
use crate::catalogue::{Catalogue, WarehouseTerms};
use crate::cost::{CostTable, Dispatches, LocalDay};
use crate::ids::{CellId, SkuId, WarehouseId, cell_id};
use crate::policy::{Book, Policies, Selected};
use crate::view::View;

const DAY_MS: u64 = 86_400_000;

/// A broken rule: where in the order (an RFC 6901 pointer) and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// JSON pointer into the order.
    pub pointer: String,
    /// The rule.
    pub message: String,
}

/// A SKU that falls short, in units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Which SKU.
    pub sku: SkuId,
    /// Units that the order wants.
    pub requested: i64,
    /// Units that its warehouses have.
    pub available: i64,
}

/// A purchase limit that the order alone, or with what the customer has, goes beyond. In units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which SKU.
    pub sku: SkuId,
    /// Units that the order wants.
    pub requested: i64,
    /// Units that a customer may take.
    pub limit: i64,
    /// Units of the limit that are left to this customer.
    pub remaining: i64,
}

/// Why an order got no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is not enough of these SKUs.
    Short(Vec<Shortage>),
    /// There is enough, but not from as few warehouses as the order allows.
    TooSpread(Vec<Shortage>),
    /// There is enough, but warehouses that have it serve no more orders today: what the others fall short of.
    AtCapacity(Vec<Shortage>),
}

/// The part of a plan that leaves one warehouse. Money in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shipment {
    /// From where.
    pub warehouse: WarehouseId,
    /// What it costs.
    pub cost: i64,
    /// How far it goes.
    pub metres: u32,
    /// SKUs and units, each SKU once.
    pub lines: Vec<(SkuId, i64)>,
    /// Cells and units, where some of them come from a channel's pool; empty where all come from the shared rest.
    pub cells: Vec<(CellId, i64)>,
    /// Who carries it, where the tariff names carriers.
    pub carrier: Option<Arc<str>>,
    /// The day on which it arrives, where that is known.
    pub promised: Option<LocalDay>,
}

impl Shipment {
    /// Cells and units that it takes.
    pub fn takes(&self) -> impl Iterator<Item = (CellId, i64)> + '_ {
        // One of the two is empty.
        let lines = if self.cells.is_empty() { &self.lines[..] } else { &[] };
        let shared = lines.iter().map(|&(sku, quantity)| (cell_id(sku, self.warehouse), quantity));
        self.cells.iter().copied().chain(shared)
    }
}

/// The shipments advised for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// By rank of their warehouses.
    pub shipments: Vec<Shipment>,
    /// SKUs and units that an order which accepts a part goes without.
    pub unfilled: Vec<(SkuId, i64)>,
    /// The policy it was planned by.
    pub selected: Arc<Selected>,
    /// Whether no other choice that keeps lines whole is better by what the policy wants, where it has an optimum.
    pub proven: bool,
}

impl Plan {
    /// The cost of all shipments.
    #[must_use]
    pub fn cost(&self) -> i64 {
        self.shipments.iter().map(|shipment| shipment.cost).sum()
    }
}

/// Everything that planning reads.
#[derive(Debug, Default)]
pub struct Planner {
    /// Names and terms.
    pub catalogue: Catalogue,
    /// Lanes by destination.
    pub costs: CostTable,
    /// Stock.
    pub view: View,
    /// What is used of the warehouses' capacities.
    pub capacity: Capacity,
    /// On which day orders leave each warehouse.
    pub dispatches: Dispatches,
    /// When what is planned was ordered, in milliseconds since 1970; without it, no day is promised.
    pub now_ms: Option<u64>,
    /// What is wanted of plans.
    pub policies: Policies,
    /// ISO 4217 code of every amount.
    pub currency: String,
    /// Partitions of the stock; 0 counts as one.
    pub partitions: u32,
    /// Names this process before the store.
    pub writer: String,
    /// Attempts that this process has named.
    pub(crate) attempts_made: u64,
}

impl Planner {
    /// Adds or replaces a warehouse, whose lanes are then worked out anew; `false` when its number is out of range.
    #[must_use]
    pub fn put_warehouse(&mut self, warehouse: WarehouseId, name: &str, terms: WarehouseTerms) -> bool {
        self.costs.forget();
        self.policies.forget();
        self.catalogue.put_warehouse(warehouse, name, terms)
    }

    /// Puts another book of policies in force, for what is planned from here on.
    pub fn set_book(&mut self, book: Book) {
        self.policies.set_book(book);
    }

    /// The day that plans are made on, since 1970, UTC.
    #[must_use]
    pub fn today(&self) -> Option<LocalDay> {
        self.now_ms.and_then(|now_ms| LocalDay::try_from(now_ms / DAY_MS).ok())
    }

    /// Chooses the shipments for a demand. Takes nothing from the view.
    pub fn plan(&mut self, demand: &Demand) -> Result<Plan, Refusal> {
        let planned = self.plan_with(demand, true);
        match planned {
            Err(Refusal::Short(shortages) | Refusal::TooSpread(shortages))
                if self.capacity.any_full(&self.catalogue) =>
            {
                // What cannot be served at all is no matter of capacity.
                match self.plan_with(demand, false) {
                    Ok(_) => Err(Refusal::AtCapacity(shortages)),
                    refused => refused,
                }
            }
            planned => planned,
        }
    }

    /// What a demand would go without if no warehouse were at capacity; `None` when it would get nothing.
    pub(crate) fn unfilled_by_stock(&mut self, demand: &Demand) -> Option<Vec<(SkuId, i64)>> {
        self.plan_with(demand, false).ok().map(|plan| plan.unfilled)
    }

    fn plan_with(&mut self, demand: &Demand, capped: bool) -> Result<Plan, Refusal> {
        let mut candidates = self.gather(demand, capped);
        let mut unfilled = choose::cap_to_stock(demand, &mut candidates)?;
        let (pieces, proven) = self.choose(demand, &candidates, &mut unfilled)?;
        Ok(Plan {
            shipments: self.shipments(demand, &candidates, &pieces),
            unfilled: demand
                .lines
                .iter()
                .zip(&unfilled)
                .filter(|(_, missing)| **missing > 0)
                .map(|(&(sku, _), &missing)| (sku, missing))
                .collect(),
            selected: demand.selected.clone(),
            proven,
        })
    }
}

#[cfg(test)]
mod tests;
