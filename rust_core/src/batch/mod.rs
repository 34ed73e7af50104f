//! The orders planned and committed together: plans them in arrival order, packs what each partition of the stock is asked,
//! settles the replies.
//!
//! Between planning and settling the view holds what the batch wants to take; settling gives back what the store did not
//! grant and then sets every level that the store sent. Beside a batch that is with the store, one other may be planned
//! already: levels that come lack what it wants, and a shortage that either may be to blame for is not certain.
//!
//! An order is decided in its home partition. One that takes stock of others is prepared there first, under the name of an
//! attempt; see the store's partitions.lua.

mod pack;
mod settle;

pub use pack::{CommitArgs, PrepareArgs, Takes};
pub use settle::{Aftermath, Reply};

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::capacity::{Day, counter_name};
use crate::ids::{CellId, SHARED, SkuId, WarehouseId, cell_id, partition_of, pool_id};
use crate::kernel;
use crate::order::{Order, fingerprint};
use crate::planner::{Demand, Exceeded, Flaw, Plan, Planner, Refusal};
use crate::policy::Selected;
use crate::record::{self, Status};

/// How often an order is planned anew before its caller is told to come back.
pub const ATTEMPTS_MAX: u32 = 8;

/// When a batch reads this many cells for orders that wait, the next of them wait for another batch. (The one that goes
/// beyond it still reads all of its own.) About 10 ms of the store's time.
const CELLS_READ_MAX: usize = 20_000;

/// Cells that the kernel's searches walk over for one batch before the next orders wait for another one, so that others
/// than those who plan get their turn: about 20 ms. (The order that goes beyond it is still planned.)
const SEARCH_CELLS_MAX: u64 = 10_000_000;

/// What became of one order.
#[derive(Debug)]
pub enum Outcome {
    /// Its stock is held; the Allocation as JSON.
    Reserved(Vec<u8>),
    /// It was held before; the Allocation as JSON.
    Replayed(Vec<u8>),
    /// It was held before, but what the store kept of it cannot be read; the message says why.
    Unreadable(String),
    /// Its id belongs to another order.
    Conflict,
    /// No plan.
    Refused(Refusal),
    /// A purchase limit.
    Limit(Vec<Exceeded>),
    /// Broken rules.
    Invalid(Vec<Flaw>),
    /// It cannot be served and accepts to wait: to be planned again with the day on which it may be. Units that are missing,
    /// and the cells where they may arrive, but for those that an order before it in the batch named; `None` where all of
    /// them are too many to look at besides those orders' and another batch has to.
    Backorder(Vec<(SkuId, i64)>, Option<Vec<CellId>>),
    /// To be planned again. `fresh` when the levels of all its SKUs were read after it came.
    Again {
        /// Whether a shortage that the next plan finds is certain.
        fresh: bool,
    },
    /// To be planned again, with levels that are not fresh; not an attempt, as this batch already read for many others.
    Postponed,
    /// Planned anew too often, as others took the stock in between each time.
    Contended,
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    /// Units of a SKU that a customer takes.
    Units(SkuId),
    /// Orders that a warehouse serves on a day.
    Orders(WarehouseId, Day),
}

/// A counter, and what this batch adds to it.
#[derive(Debug)]
struct Counter {
    name: String,
    of: Counted,
    limit: i64,
    units: i64,
}

impl Counter {
    /// The number of what owns it, which says in which partition it is.
    fn owner(&self) -> u32 {
        match self.of {
            Counted::Units(sku) => sku,
            Counted::Orders(warehouse, _) => warehouse,
        }
    }
}

/// An order on its way to the store.
#[derive(Debug)]
struct Sent {
    /// Its place among the orders that the batch was planned from.
    index: u32,
    order_id: String,
    /// The partition that decides about it.
    home: u32,
    attempts: u32,
    plan: Plan,
    hold_ms: Option<u64>,
    body: Vec<u8>,
    /// Its pairs of (place of a cell or counter, units) in the batch's `takes`.
    cells: Range<usize>,
    counters: Range<usize>,
    /// The name under which other partitions hold stock for it until it is decided, if any do.
    attempt: Option<String>,
    /// The partitions that hold stock for the attempt: they give it back with an event, if they do.
    prepared: Vec<u32>,
    /// The partitions that refused to: what was wanted of them is given back to the view already.
    returned: Vec<u32>,
    /// What another partition said, when that ends it before its home is asked.
    refused: Option<Outcome>,
}

impl Sent {
    /// Where it stands if it is taken.
    fn status(&self) -> Status {
        match self.hold_ms {
            _ if self.plan.is_backorder() => Status::Backordered,
            Some(_) => Status::Reserved,
            None => Status::Confirmed,
        }
    }
}

/// A planned batch.
#[derive(Debug, Default)]
pub struct Batch {
    partitions: u32,
    sent: Vec<Sent>,
    /// Orders that want fresh levels before anybody tells them no, and get them from this batch's reply.
    waiting: Vec<u32>,
    /// Those that want them too, but from a later batch.
    postponed: Vec<u32>,
    /// Cells that are in the batch for the sake of those who wait.
    cells_read: usize,
    /// Cells where orders that accept to wait may get what they lack.
    cells_awaited: FxHashSet<CellId>,
    cells: Vec<CellId>,
    units: Vec<i64>,
    cell_places: FxHashMap<CellId, u32>,
    cell_takes: Vec<(u32, i64)>,
    counters: Vec<Counter>,
    // The standard hasher: the names come from callers.
    counter_places: HashMap<String, u32>,
    counter_takes: Vec<(u32, i64)>,
    /// Places of the counters of warehouses' orders.
    capacity_places: FxHashMap<WarehouseId, u32>,
    /// Doubts about capacities that there were when it was planned.
    doubts: u64,
    wants_levels: bool,
}

/// An order to be planned.
#[derive(Clone, Copy, Debug)]
pub struct Intake<'a> {
    /// Its canonical bytes.
    pub canonical: &'a [u8],
    /// The partition that decides about it.
    pub home: u32,
    /// How often it was planned before.
    pub attempts: u32,
    /// Whether the levels of all its SKUs were read after it came.
    pub fresh: bool,
    /// The day since 1970 by which announced stock covers what it lacks, 0 when nobody knows; `None` before anybody looked.
    pub expected_day: Option<u32>,
}

impl Planner {
    /// Plans orders in arrival order. Returns the batch and what is decided already, by place.
    pub fn plan_batch(&mut self, orders: &[Intake]) -> (Batch, Vec<(u32, Outcome)>) {
        self.plan_beside((0..).zip(orders.iter().copied()), None)
    }

    /// As `plan_batch`, of orders at places that rise, while an `other` batch is under way.
    pub fn plan_beside<'a>(
        &mut self,
        orders: impl Iterator<Item = (u32, Intake<'a>)>,
        other: Option<&Batch>,
    ) -> (Batch, Vec<(u32, Outcome)>) {
        let mut batch =
            Batch { partitions: self.partitions.max(1), doubts: self.capacity.doubts(), ..Batch::default() };
        let mut decided = Vec::new();
        let searched = kernel::work_done();
        for (index, intake) in orders {
            if kernel::work_done().wrapping_sub(searched) > SEARCH_CELLS_MAX && !batch.is_empty() {
                batch.postponed.push(index);
                continue;
            }
            match self.plan_into(&mut batch, index, &intake, other) {
                Ok(()) => {}
                Err(Outcome::Again { .. }) => batch.waiting.push(index),
                Err(Outcome::Postponed) => batch.postponed.push(index),
                Err(outcome) => decided.push((index, outcome)),
            }
        }
        if !batch.is_empty() {
            for warehouse in self.capacity.doubtful(&self.catalogue) {
                self.read_capacity(&mut batch, warehouse);
                batch.wants_levels = true;
            }
        }
        (batch, decided)
    }

    /// Reads an order that is to be planned or quoted; the outcome of one that gets no further, whatever the stock.
    pub fn admit<'a>(&self, canonical: &'a [u8]) -> Result<(Order<'a>, Demand), Outcome> {
        self.admit_in(canonical, None)
    }

    /// As [`Self::admit`]; an order that is in the arm of a trial already stays there.
    pub fn admit_in<'a>(
        &self,
        canonical: &'a [u8],
        arm: Option<&Arc<Selected>>,
    ) -> Result<(Order<'a>, Demand), Outcome> {
        let order = Order::decode(canonical)
            .map_err(|message| Outcome::Invalid(vec![Flaw { pointer: String::new(), message }]))?;
        let demand = self.resolve_in(&order, arm).map_err(Outcome::Invalid)?;
        let exceeded = self.beyond_limits(&demand);
        if exceeded.is_empty() { Ok((order, demand)) } else { Err(Outcome::Limit(exceeded)) }
    }

    fn plan_into(
        &mut self,
        batch: &mut Batch,
        index: u32,
        intake: &Intake,
        other: Option<&Batch>,
    ) -> Result<(), Outcome> {
        let (order, demand) = self.admit(intake.canonical)?;
        let plan = match self.plan(&demand) {
            Ok(plan) => plan,
            Err(refusal) => {
                // Where nobody carries anything, it does not matter what there is.
                if refusal.is_final() {
                    return Err(refusal.into());
                }
                let by_capacity = matches!(refusal, Refusal::AtCapacity(_));
                let short = short_alone(&demand, &refusal);
                if !self.certain(batch, other, short.as_ref().unwrap_or(&demand), intake, by_capacity) {
                    return Err(self.wait_for_levels(batch, &demand, intake));
                }
                match intake.expected_day {
                    Some(day) if demand.allow_backorder => Plan::backorder(&demand, day),
                    None if demand.allow_backorder => return Err(batch.look_once(self.lacking(&demand, refusal))),
                    _ => return Err(refusal.into()),
                }
            }
        };
        // To leave a part of an order unfilled is to refuse that part.
        if !plan.unfilled.is_empty() && !plan.is_backorder() {
            let by_capacity = self.is_bent_by_capacity(&demand, &plan);
            if !self.certain(batch, other, &demand, intake, by_capacity) {
                return Err(self.wait_for_levels(batch, &demand, intake));
            }
        } else if !plan.goods.substitutions.is_empty() {
            // And so it is to send something else; only of what is lacking itself must that be sure.
            let by_capacity = self.is_bent_by_capacity(&demand, &plan);
            let replaced = plan.goods.substitutions.iter().map(|one| (one.sku, one.units)).collect();
            let mut lacking = demand.with_lines(replaced);
            lacking.allow_substitutes = false;
            if !self.certain(batch, other, &lacking, intake, by_capacity) {
                return Err(self.wait_for_levels(batch, &demand, intake));
            }
        }
        let (cells_from, counters_from) = (batch.cell_takes.len(), batch.counter_takes.len());
        for shipment in &plan.shipments {
            for (cell, quantity) in shipment.takes() {
                self.view.take(cell, quantity);
                let place = batch.place(cell);
                batch.units[place as usize] += quantity;
                batch.cell_takes.push((place, quantity));
            }
            if self.catalogue.capped() {
                self.take_capacity(batch, shipment.warehouse);
            }
        }
        if let Some(customer) = order.customer {
            for (sku, units, limit) in self.counted(&demand, &plan) {
                batch.count(sku, customer, limit, units);
            }
        }
        let names: Vec<(&str, i64)> = batch.counter_takes[counters_from..]
            .iter()
            .map(|&(place, units)| (batch.counters[place as usize].name.as_str(), units))
            .collect();
        let (cells, counters) = (cells_from..batch.cell_takes.len(), counters_from..batch.counter_takes.len());
        let attempt = batch.reaches_beyond(intake.home, &cells, &counters).then(|| self.next_attempt());
        let transitions: Vec<&str> = attempt.as_deref().into_iter().collect();
        let canonical = intake.canonical;
        let body = record::pack(&fingerprint(canonical), &plan, &names, &self.currency, canonical, &transitions);
        batch.sent.push(Sent {
            index,
            order_id: order.order_id.to_owned(),
            home: intake.home,
            attempts: intake.attempts,
            // What holds nothing holds it for no time.
            hold_ms: if plan.is_backorder() { None } else { order.hold_ms() },
            plan,
            body,
            cells,
            counters,
            attempt,
            prepared: Vec::new(),
            returned: Vec::new(),
            refused: None,
        });
        Ok(())
    }

    /// A name that no other attempt has, of this process or of another.
    fn next_attempt(&mut self) -> String {
        self.attempts_made += 1;
        format!("{}-{}", self.writer, self.attempts_made)
    }

    /// What an order that accepts to wait needs to be told when: what it lacks, where there is anything that it lacks, and
    /// few enough cells to look at; of others no day is known.
    pub(crate) fn lacking(&mut self, demand: &Demand, refusal: Refusal) -> Outcome {
        if matches!(refusal, Refusal::TooSpread(_) | Refusal::AtCapacity(_)) {
            return Outcome::Backorder(Vec::new(), Some(Vec::new()));
        }
        let shortages = refusal.shortages();
        // What arrives where nobody carries it from helps nobody.
        let (serving, _) = self.by_carriage(demand);
        if shortages.len() * serving.len() > CELLS_READ_MAX {
            return Outcome::Backorder(Vec::new(), Some(Vec::new()));
        }
        let missing: Vec<(SkuId, i64)> = shortages.iter().map(|one| (one.sku, one.requested - one.available)).collect();
        let cells = missing.iter().flat_map(|&(sku, _)| serving.iter().map(move |&at| cell_id(sku, at))).collect();
        Outcome::Backorder(missing, Some(cells))
    }

    /// Every cell that could serve a demand: of all warehouses that may, not only those with a known cell, since another
    /// process may have stocked one just now. Those of substitutes are among them where it allows any.
    fn cells_of(&self, demand: &Demand) -> Vec<CellId> {
        let serving = self.serving(demand);
        let mut skus: Vec<SkuId> = demand.lines.iter().map(|&(sku, _)| sku).collect();
        if demand.allow_substitutes {
            let instead: Vec<SkuId> = skus.iter().flat_map(|&sku| self.substitutes_of(sku)).collect();
            skus.extend(instead);
            skus.sort_unstable();
            skus.dedup();
        }
        let shared = skus.iter().flat_map(|&sku| serving.iter().map(move |&at| cell_id(sku, at)));
        if demand.channel == SHARED {
            return shared.collect();
        }
        let pool = |sku| serving.iter().map(move |&at| pool_id(demand.channel, sku, at));
        shared.chain(skus.iter().flat_map(|&sku| pool(sku))).collect()
    }

    /// The warehouses that may serve a demand, at capacity or not.
    fn serving(&self, demand: &Demand) -> Vec<WarehouseId> {
        let warehouses = self.catalogue.ranked().iter().copied();
        warehouses.filter(|&warehouse| demand.terms_of(&self.catalogue, warehouse).is_some()).collect()
    }

    /// Whether a shortage in the view may be told to the caller. Only when the levels were read after the order came and
    /// no other order of this batch, or of one under way, has touched them since: whatever that one takes, the store may
    /// yet refuse it. Where it is a shortage `by_capacity`, that holds for the orders of full warehouses, too.
    fn certain(
        &self,
        batch: &Batch,
        other: Option<&Batch>,
        demand: &Demand,
        intake: &Intake,
        by_capacity: bool,
    ) -> bool {
        let cells = self.cells_of(demand);
        // Where no cell could serve it, there is nothing to read.
        if cells.is_empty() {
            return true;
        }
        let ours = |warehouse| {
            batch.orders_of_warehouse(warehouse) + other.map_or(0, |other| other.orders_of_warehouse(warehouse))
        };
        let full_without_us = |warehouse: WarehouseId| {
            let capacity = self.catalogue.warehouse_terms(warehouse).and_then(|terms| terms.capacity);
            let used = self.capacity.used(warehouse);
            capacity.is_none_or(|most| used < most || used - ours(warehouse) >= most)
        };
        intake.fresh
            && cells.iter().all(|&cell| batch.wanted(cell) == 0 && other.is_none_or(|other| other.wanted(cell) == 0))
            && (!by_capacity || self.serving(demand).into_iter().all(full_without_us))
    }

    /// Counts an order towards what a warehouse serves today, if that is bounded.
    fn take_capacity(&mut self, batch: &mut Batch, warehouse: WarehouseId) {
        if let Some(day) = self.capacity.day()
            && let Some(limit) = self.catalogue.warehouse_terms(warehouse).and_then(|terms| terms.capacity)
        {
            self.capacity.take(day, warehouse, 1);
            let place = batch.capacity_place(warehouse, day, limit);
            batch.counters[place as usize].units += 1;
            batch.counter_takes.push((place, 1));
        }
    }

    /// Has the reply say how many orders a warehouse serves today, if that is bounded.
    fn read_capacity(&self, batch: &mut Batch, warehouse: WarehouseId) {
        if let Some(day) = self.capacity.day()
            && let Some(limit) = self.catalogue.warehouse_terms(warehouse).and_then(|terms| terms.capacity)
        {
            batch.capacity_place(warehouse, day, limit);
        }
    }

    /// Has the reply bring the levels of a demand's cells, or puts the order off when this batch reads many already.
    fn wait_for_levels(&self, batch: &mut Batch, demand: &Demand, intake: &Intake) -> Outcome {
        if intake.attempts >= ATTEMPTS_MAX {
            return Outcome::Contended;
        }
        if batch.cells_read >= CELLS_READ_MAX {
            return Outcome::Postponed;
        }
        let before = batch.cells.len();
        for cell in self.cells_of(demand) {
            batch.place(cell);
        }
        batch.cells_read += batch.cells.len() - before;
        if self.catalogue.capped() {
            self.serving(demand).into_iter().for_each(|warehouse| self.read_capacity(batch, warehouse));
        }
        batch.wants_levels = true;
        Outcome::Again { fresh: true }
    }
}

/// What alone decides that an order is refused: the lines of which there is not enough, where the others do not matter.
fn short_alone(demand: &Demand, refusal: &Refusal) -> Option<Demand> {
    match refusal {
        Refusal::Short(rows) if demand.bundles.is_empty() && !demand.allow_partial && !demand.allow_substitutes => {
            Some(demand.with_lines(rows.iter().map(|row| (row.sku, row.requested)).collect()))
        }
        _ => None,
    }
}

impl Batch {
    /// Whether there is nothing to ask the store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.waiting.is_empty()
    }

    /// Whether one of the orders before this place wants fresh levels: planned beside another batch it might never be told
    /// no, as somebody always takes of what else it wants.
    #[must_use]
    pub fn waits(&self, before: u32) -> bool {
        self.waiting.iter().chain(&self.postponed).any(|&index| index < before)
    }

    /// Orders sent.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sent.len()
    }

    /// The place of a cell in this batch, made if it has none.
    fn place(&mut self, cell: CellId) -> u32 {
        *self.cell_places.entry(cell).or_insert_with(|| {
            self.cells.push(cell);
            self.units.push(0);
            (self.cells.len() - 1) as u32
        })
    }

    /// Has no cell looked at twice for what orders lack, and no more than CELLS_READ_MAX in all.
    fn look_once(&mut self, outcome: Outcome) -> Outcome {
        let Outcome::Backorder(missing, Some(mut cells)) = outcome else { return outcome };
        cells.retain(|cell| !self.cells_awaited.contains(cell));
        if self.cells_awaited.len() + cells.len() > CELLS_READ_MAX {
            return Outcome::Backorder(missing, None);
        }
        self.cells_awaited.extend(&cells);
        Outcome::Backorder(missing, Some(cells))
    }

    /// Whether an order takes from a partition that is not its home.
    fn reaches_beyond(&self, home: u32, cells: &Range<usize>, counters: &Range<usize>) -> bool {
        let elsewhere = |partition: u32| partition != home;
        self.partitions > 1
            && (self.cell_takes[cells.clone()].iter().any(|&(place, _)| elsewhere(self.partition_of_cell(place)))
                || self.counter_takes[counters.clone()]
                    .iter()
                    .any(|&(place, _)| elsewhere(self.partition_of_counter(place))))
    }

    fn partition_of_cell(&self, place: u32) -> u32 {
        partition_of(self.cells[place as usize], self.partitions)
    }

    fn partition_of_counter(&self, place: u32) -> u32 {
        self.counters[place as usize].owner() % self.partitions
    }

    /// Units that this batch wants of a cell.
    fn wanted(&self, cell: CellId) -> i64 {
        self.cell_places.get(&cell).map_or(0, |&place| self.units[place as usize])
    }

    /// Counts units of a SKU towards a customer's limit.
    fn count(&mut self, sku: SkuId, customer: &str, limit: i64, units: i64) {
        // The number comes first and has no colon, so no two pairs share a name.
        let name = format!("{sku}:{customer}");
        let place = *self.counter_places.entry(name.clone()).or_insert_with(|| {
            self.counters.push(Counter { name, of: Counted::Units(sku), limit, units: 0 });
            (self.counters.len() - 1) as u32
        });
        self.counters[place as usize].units += units;
        self.counter_takes.push((place, units));
    }

    /// The place of the counter of a warehouse's orders in this batch, made if it has none.
    fn capacity_place(&mut self, warehouse: WarehouseId, day: Day, limit: i64) -> u32 {
        *self.capacity_places.entry(warehouse).or_insert_with(|| {
            let (name, of) = (counter_name(warehouse, day), Counted::Orders(warehouse, day));
            self.counters.push(Counter { name, of, limit, units: 0 });
            (self.counters.len() - 1) as u32
        })
    }

    /// Orders that this batch wants a warehouse to serve, as far as they are counted.
    fn orders_of_warehouse(&self, warehouse: WarehouseId) -> i64 {
        self.capacity_places.get(&warehouse).map_or(0, |&place| self.counters[place as usize].units)
    }
}

#[cfg(test)]
mod tests;
