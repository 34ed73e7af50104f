//! Plans one order: resolves its names, gathers what each warehouse has and costs, and lets the kernel or a rule choose.

mod bundles;
mod candidates;
mod choose;
mod demand;
mod freight;
mod limits;
mod objective;
mod refusal;
mod share;
mod shipments;
mod shortcut;
mod substitutes;
mod whole;

pub(crate) use bundles::add;
pub use candidates::Candidates;
pub use demand::Demand;
pub use freight::{ByWeight, Price};
pub(crate) use freight::{OnLane, arrival, by_day};
pub(crate) use objective::Days;
pub use refusal::{LimitedBy, Refusal, Spread, SpreadRow};

use std::sync::Arc;

use crate::capacity::Capacity;
use crate::catalogue::{Catalogue, WarehouseTerms};
use crate::cost::{CostTable, Dispatches, LocalDay};
use crate::goods::{Goods, Substitution};
use crate::ids::{CellId, SkuId, WarehouseId, cell_id};
use crate::policy::{Book, Policies, Selected};
use crate::prices::Prices;
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
    /// SKUs and units, as ordered, that an order which accepts a part goes without; of one that waits for stock, all.
    pub unfilled: Vec<(SkuId, i64)>,
    /// What comes for bundles and instead of what was ordered.
    pub goods: Goods,
    /// The policy it was planned by.
    pub selected: Arc<Selected>,
    /// Whether no other choice is better by what the policy wants, where it has an optimum: among those that split no line
    /// which one warehouse holds whole, and that take substitutes for nothing but what the network lacks.
    pub proven: bool,
}

impl Plan {
    /// The plan of an order that waits for stock: nothing, for now. `expected_day` as `Goods` has it.
    #[must_use]
    pub fn backorder(demand: &Demand, expected_day: u32) -> Self {
        let goods = Goods { expected_day, ..Goods::default() };
        let unfilled = demand.ordered().to_vec();
        Self { shipments: Vec::new(), unfilled, goods, selected: demand.selected.clone(), proven: false }
    }

    /// Whether the order waits for stock.
    #[must_use]
    pub fn is_backorder(&self) -> bool {
        self.shipments.is_empty()
    }

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
    /// What stock is held to be worth to later orders.
    pub prices: Prices,
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
        if let Some(plan) = self.shortcut(demand) {
            return Ok(plan);
        }
        let planned = match self.plan_with(demand, true) {
            Err(refusal) if self.capacity.any_full(&self.catalogue) => {
                // What cannot be served at all is no matter of capacity.
                match self.plan_with(demand, false) {
                    Ok(_) => Err(Refusal::AtCapacity(refusal.shortages())),
                    refused => refused,
                }
            }
            planned => planned,
        };
        planned.map_err(|refusal| self.refused_by(demand, refusal))
    }

    /// Whether a demand gets other units, or more, if no warehouse is at capacity.
    pub(crate) fn is_bent_by_capacity(&mut self, demand: &Demand, plan: &Plan) -> bool {
        self.capacity.any_full(&self.catalogue)
            && self.plan_with(demand, false).is_ok_and(|free| {
                free.unfilled != plan.unfilled || free.goods.substitutions != plan.goods.substitutions
            })
    }

    fn plan_with(&mut self, demand: &Demand, capped: bool) -> Result<Plan, Refusal> {
        if demand.allow_partial && !demand.bundles.is_empty() {
            return self.plan_whole_bundles(demand, capped);
        }
        let filled = self.fill(demand, capped)?;
        let goods = Goods { substitutions: filled.substitutions, bundles: demand.bundles.clone(), expected_day: 0 };
        let unfilled = goes_without(demand, &filled.unfilled).collect();
        Ok(Plan {
            shipments: filled.shipments,
            unfilled,
            goods,
            selected: demand.selected.clone(),
            proven: filled.proven,
        })
    }

    /// Chooses for a demand's lines, and for substitutes in the place of those that the network lacks, where it allows them.
    fn fill(&mut self, demand: &Demand, capped: bool) -> Result<Filled, Refusal> {
        let bent = if demand.allow_substitutes { self.substitute(demand, capped) } else { None };
        let Some((lines, mut substitutions)) = bent else { return self.fill_lines(demand, capped) };
        let asked = demand.with_lines(lines);
        match self.fill_lines(&asked, capped) {
            Ok(filled) => {
                let unfilled = substitutes::undo(demand, &asked.lines, &filled.unfilled, &mut substitutions);
                Ok(Filled { unfilled, substitutions, ..filled })
            }
            Err(refusal) => {
                let there = self.available(demand, capped);
                Err(substitutes::in_terms_of(demand, &asked.lines, refusal, substitutions, &there))
            }
        }
    }

    fn fill_lines(&mut self, demand: &Demand, capped: bool) -> Result<Filled, Refusal> {
        let mut candidates = self.gather(demand, capped);
        let mut unfilled = choose::cap_to_stock(demand, &mut candidates)?;
        let (pieces, proven) = self.choose(demand, &mut candidates, &mut unfilled)?;
        let shipments = self.shipments(demand, &candidates, &pieces);
        Ok(Filled { shipments, unfilled, substitutions: Vec::new(), proven })
    }
}

/// What was chosen for a demand's lines.
#[derive(Debug)]
struct Filled {
    shipments: Vec<Shipment>,
    /// Units, a number a line.
    unfilled: Vec<i64>,
    substitutions: Vec<Substitution>,
    proven: bool,
}

fn goes_without<'a>(demand: &'a Demand, unfilled: &'a [i64]) -> impl Iterator<Item = (SkuId, i64)> + 'a {
    let rows = demand.lines.iter().zip(unfilled).filter(|(_, missing)| **missing > 0);
    rows.map(|(&(sku, _), &missing)| (sku, missing))
}

#[cfg(test)]
mod tests;
