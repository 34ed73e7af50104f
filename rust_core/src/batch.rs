//! The orders planned and committed together: plans them in arrival order, packs one commit, settles its reply.
//!
//! One batch is under way at a time. Between planning and settling the view holds what the batch wants to take; settling
//! gives back what the store did not grant and then sets every level that the store sent.

use std::collections::HashMap;
use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::answer::Allocation;
use crate::ids::{CellId, SkuId, WarehouseId, cell_id};
use crate::order::{Order, fingerprint};
use crate::planner::{Demand, Exceeded, Flaw, Plan, Planner, Refusal, Shortage};
use crate::record::{self, Record, Status, array, bytes, text, uint};
use crate::view::event_stamp;

/// How often an order is planned anew before its caller is told to come back.
pub const ATTEMPTS_MAX: u32 = 8;

/// When a batch reads this many cells for orders that wait, the next of them wait for another batch. (The one that goes
/// beyond it still reads all of its own.) About 10 ms of the store's time.
const CELLS_READ_MAX: usize = 20_000;

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
    /// Not enough stock.
    Short(Vec<Shortage>),
    /// Enough stock, but not from as few warehouses as the order allows.
    TooSpread(Vec<Shortage>),
    /// A purchase limit.
    Limit(Vec<Exceeded>),
    /// Broken rules.
    Invalid(Vec<Flaw>),
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

/// A counter that bounds units of a SKU for a customer.
#[derive(Debug)]
struct Counter {
    name: String,
    sku: SkuId,
    limit: i64,
    units: i64,
}

/// An order on its way to the store.
#[derive(Debug)]
struct Sent {
    /// Its place among the orders that the batch was planned from.
    index: u32,
    order_id: String,
    attempts: u32,
    plan: Plan,
    hold_ms: Option<u64>,
    body: Vec<u8>,
    /// Its pairs of (place of a cell or counter, units) in the batch's `takes`.
    cells: Range<usize>,
    counters: Range<usize>,
}

/// A planned batch.
#[derive(Debug, Default)]
pub struct Batch {
    sent: Vec<Sent>,
    /// Orders that want fresh levels before anybody tells them no, and get them from this batch's reply.
    waiting: Vec<u32>,
    /// Those that want them too, but from a later batch.
    postponed: Vec<u32>,
    /// Cells that are in the batch for the sake of those who wait.
    cells_read: usize,
    cells: Vec<CellId>,
    units: Vec<i64>,
    cell_places: FxHashMap<CellId, u32>,
    cell_takes: Vec<(u32, i64)>,
    counters: Vec<Counter>,
    // The standard hasher: the names come from callers.
    counter_places: HashMap<String, u32>,
    counter_takes: Vec<(u32, i64)>,
    wants_levels: bool,
}

/// What the store answered to a commit.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The store's clock, in milliseconds since 1970.
    pub now_ms: u64,
    /// Stream id of the newest event.
    pub event: &'a [u8],
    /// A letter an order, or nothing when all were taken.
    pub outcomes: &'a [u8],
    /// What is left of each cell and each counter, or nothing.
    pub levels: &'a [u8],
    /// The records of known orders, in their order.
    pub records: &'a [&'a [u8]],
}

/// An order to be planned.
#[derive(Clone, Copy, Debug)]
pub struct Intake<'a> {
    /// Its canonical bytes.
    pub canonical: &'a [u8],
    /// How often it was planned before.
    pub attempts: u32,
    /// Whether the levels of all its SKUs were read after it came.
    pub fresh: bool,
}

/// One commit's arguments, as the store's function takes them (its text says what each is).
#[derive(Debug, Default)]
pub struct CommitArgs {
    /// Cell numbers, as text.
    pub cells: Vec<u8>,
    /// Units of each cell.
    pub units: Vec<u8>,
    /// Names, limits and units of counters; empty for none.
    pub counters: Vec<u8>,
    /// Order ids.
    pub ids: Vec<u8>,
    /// Fingerprint and body of each order.
    pub bodies: Vec<u8>,
    /// Cells, counters and units of each order.
    pub takes: Vec<u8>,
    /// Holds of pending orders; empty for none.
    pub holds: Vec<u8>,
    /// Whether the levels are wanted back.
    pub wants_levels: bool,
}

impl Planner {
    /// Plans orders in arrival order. Returns the batch and what is decided already, by place.
    pub fn plan_batch(&mut self, orders: &[Intake]) -> (Batch, Vec<(u32, Outcome)>) {
        let mut batch = Batch::default();
        let mut decided = Vec::new();
        for (index, intake) in (0..).zip(orders) {
            match self.plan_into(&mut batch, index, intake) {
                Ok(()) => {}
                Err(Outcome::Again { .. }) => batch.waiting.push(index),
                Err(Outcome::Postponed) => batch.postponed.push(index),
                Err(outcome) => decided.push((index, outcome)),
            }
        }
        (batch, decided)
    }

    /// Reads an order that is to be planned or quoted; the outcome of one that gets no further, whatever the stock.
    pub fn admit<'a>(&self, canonical: &'a [u8]) -> Result<(Order<'a>, Demand), Outcome> {
        let order = Order::decode(canonical)
            .map_err(|message| Outcome::Invalid(vec![Flaw { pointer: String::new(), message }]))?;
        let demand = self.resolve(&order).map_err(Outcome::Invalid)?;
        self.check_limits(&demand).map_err(Outcome::Limit)?;
        Ok((order, demand))
    }

    fn plan_into(&mut self, batch: &mut Batch, index: u32, intake: &Intake) -> Result<(), Outcome> {
        let (order, demand) = self.admit(intake.canonical)?;
        let plan = match self.plan(&demand) {
            Ok(plan) => plan,
            Err(_) if !self.certain(batch, &demand, intake) => return Err(self.wait_for_levels(batch, &demand, intake)),
            Err(Refusal::Short(shortages)) => return Err(Outcome::Short(shortages)),
            Err(Refusal::TooSpread(shortages)) => return Err(Outcome::TooSpread(shortages)),
        };
        // To leave a part of an order unfilled is to refuse that part.
        if !plan.unfilled.is_empty() && !self.certain(batch, &demand, intake) {
            return Err(self.wait_for_levels(batch, &demand, intake));
        }
        let (cells_from, counters_from) = (batch.cell_takes.len(), batch.counter_takes.len());
        for shipment in &plan.shipments {
            for &(sku, quantity) in &shipment.lines {
                let cell = cell_id(sku, shipment.warehouse);
                self.view.take(cell, quantity);
                let place = batch.place(cell);
                batch.units[place as usize] += quantity;
                batch.cell_takes.push((place, quantity));
            }
        }
        if let Some(customer) = order.customer {
            for &(sku, requested) in &demand.lines {
                let limit = self.catalogue.sku_terms(sku).purchase_limit;
                let missing = plan.unfilled.iter().find(|(short, _)| *short == sku).map_or(0, |&(_, units)| units);
                if limit > 0 && requested > missing {
                    batch.count(sku, customer, limit, requested - missing);
                }
            }
        }
        let names: Vec<(&str, i64)> = batch.counter_takes[counters_from..]
            .iter()
            .map(|&(place, units)| (batch.counters[place as usize].name.as_str(), units))
            .collect();
        let body = record::pack(&fingerprint(intake.canonical), &plan, &names, &self.currency, intake.canonical);
        batch.sent.push(Sent {
            index,
            order_id: order.order_id.to_owned(),
            attempts: intake.attempts,
            plan,
            hold_ms: order.hold_ms(),
            body,
            cells: cells_from..batch.cell_takes.len(),
            counters: counters_from..batch.counter_takes.len(),
        });
        Ok(())
    }

    /// An order that is beyond a limit by itself gets no further, whoever its customer is.
    fn check_limits(&self, demand: &Demand) -> Result<(), Vec<Exceeded>> {
        let exceeded: Vec<Exceeded> = demand
            .lines
            .iter()
            .map(|&(sku, requested)| (sku, requested, self.catalogue.sku_terms(sku).purchase_limit))
            .filter(|&(_, requested, limit)| limit > 0 && requested > limit)
            .map(|(sku, requested, limit)| Exceeded { sku, requested, limit, remaining: limit })
            .collect();
        if exceeded.is_empty() { Ok(()) } else { Err(exceeded) }
    }

    /// Every cell that could serve a demand: of all warehouses that may, not only those with a known cell, since another
    /// process may have stocked one just now.
    fn cells_of(&self, demand: &Demand) -> Vec<CellId> {
        let warehouses = self.catalogue.ranked().iter().copied();
        let serving: Vec<WarehouseId> =
            warehouses.filter(|&warehouse| demand.terms_of(&self.catalogue, warehouse).is_some()).collect();
        demand.lines.iter().flat_map(|&(sku, _)| serving.iter().map(move |&at| cell_id(sku, at))).collect()
    }

    /// Whether a shortage in the view may be told to the caller. Only when the levels were read after the order came and
    /// no other order of this batch has touched them since: whatever that one takes, the store may yet refuse it.
    fn certain(&self, batch: &Batch, demand: &Demand, intake: &Intake) -> bool {
        let cells = self.cells_of(demand);
        // Where no cell could serve it, there is nothing to read.
        cells.is_empty() || (intake.fresh && cells.iter().all(|&cell| batch.wanted(cell) == 0))
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
        batch.wants_levels = true;
        Outcome::Again { fresh: true }
    }

    /// Settles a batch with the store's reply: what became of each order that was sent or waited, by place.
    /// An error means that the reply is not one to this batch; then what the batch wanted is given back.
    pub fn settle(&mut self, batch: &Batch, reply: &Reply) -> Result<Vec<(u32, Outcome)>, String> {
        let (levels, records) = match read_reply(batch, reply) {
            Ok(parts) => parts,
            Err(message) => {
                self.abandon(batch);
                return Err(format!("commit reply: {message}"));
            }
        };
        let mut outcomes: Vec<(u32, Outcome)> =
            Vec::with_capacity(batch.sent.len() + batch.waiting.len() + batch.postponed.len());
        let mut records = records.iter();
        for (place, sent) in batch.sent.iter().enumerate() {
            let letter = reply.outcomes.get(place).copied().unwrap_or(b'A');
            if letter != b'A' {
                self.give_back(batch, sent);
            }
            let outcome = match letter {
                b'A' => Outcome::Reserved(self.fresh_answer(sent, reply.now_ms)),
                b'R' => match records.next() {
                    Some(Ok(record)) => {
                        Outcome::Replayed(Allocation::of_record(&sent.order_id, record).to_json(&self.catalogue))
                    }
                    Some(Err(message)) => Outcome::Unreadable(message.clone()),
                    None => Outcome::Conflict,
                },
                b'C' => Outcome::Conflict,
                b'L' => Outcome::Limit(batch.exceeded(sent, &levels)),
                _ if sent.attempts >= ATTEMPTS_MAX => Outcome::Contended,
                _ => Outcome::Again { fresh: false },
            };
            outcomes.push((sent.index, outcome));
        }
        outcomes.extend(batch.waiting.iter().map(|&index| (index, Outcome::Again { fresh: true })));
        outcomes.extend(batch.postponed.iter().map(|&index| (index, Outcome::Postponed)));
        if let Some(stamp) = event_stamp(reply.event) {
            for (&cell, &level) in batch.cells.iter().zip(&levels) {
                self.view.refresh(cell, level, stamp);
            }
        }
        Ok(outcomes)
    }

    /// Gives back everything that a batch wanted to take, as its commit has no reply.
    pub fn abandon(&mut self, batch: &Batch) {
        for sent in &batch.sent {
            self.give_back(batch, sent);
        }
    }

    fn give_back(&mut self, batch: &Batch, sent: &Sent) {
        for &(place, units) in &batch.cell_takes[sent.cells.clone()] {
            self.view.take(batch.cells[place as usize], -units);
        }
    }

    fn fresh_answer(&self, sent: &Sent, now_ms: u64) -> Vec<u8> {
        let status = if sent.hold_ms.is_some() { Status::Reserved } else { Status::Confirmed };
        Allocation {
            order_id: &sent.order_id,
            status: status.name(),
            version: 1,
            shipments: &sent.plan.shipments,
            unfilled: &sent.plan.unfilled,
            currency: &self.currency,
            expires_ms: sent.hold_ms.map_or(0, |hold_ms| now_ms.saturating_add(hold_ms)),
        }
        .to_json(&self.catalogue)
    }
}

/// Levels, and each record or why it cannot be read.
type ReplyParts = (Vec<i64>, Vec<Result<Record, String>>);

/// The levels and records of a reply, once all its parts are seen to fit the batch.
fn read_reply(batch: &Batch, reply: &Reply) -> Result<ReplyParts, String> {
    let levels: Vec<i64> = if reply.levels.is_empty() {
        Vec::new()
    } else {
        rmp_serde::from_slice(reply.levels).map_err(|error| format!("levels: {error}"))?
    };
    let all_taken = reply.outcomes.is_empty();
    if !all_taken && reply.outcomes.len() != batch.sent.len() {
        return Err(format!("{} outcomes for {} orders", reply.outcomes.len(), batch.sent.len()));
    }
    for (&letter, sent) in reply.outcomes.iter().zip(&batch.sent) {
        if !b"ARCSL".contains(&letter) || (letter == b'L' && sent.counters.is_empty()) {
            return Err(format!("outcome {:?} for order {:?}", char::from(letter), sent.order_id));
        }
    }
    if !(levels.is_empty() || levels.len() == batch.cells.len() + batch.counters.len()) {
        return Err(format!(
            "{} levels for {} cells and {} counters",
            levels.len(),
            batch.cells.len(),
            batch.counters.len()
        ));
    }
    if (batch.wants_levels || !all_taken) && levels.is_empty() && !batch.cells.is_empty() {
        return Err("no levels".into());
    }
    if !levels.is_empty() && event_stamp(reply.event).is_none() {
        return Err("levels without an event id".into());
    }
    let known = reply.outcomes.iter().filter(|letter| **letter == b'R').count();
    if known != reply.records.len() {
        return Err(format!("{} records for {known} known orders", reply.records.len()));
    }
    // A record that cannot be read is one order's trouble, not the batch's.
    Ok((levels, reply.records.iter().map(|record| record::unpack(record)).collect()))
}

impl Batch {
    /// Whether there is nothing to ask the store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.waiting.is_empty()
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

    /// Units that this batch wants of a cell.
    fn wanted(&self, cell: CellId) -> i64 {
        self.cell_places.get(&cell).map_or(0, |&place| self.units[place as usize])
    }

    /// Counts units of a SKU towards a customer's limit.
    fn count(&mut self, sku: SkuId, customer: &str, limit: i64, units: i64) {
        // The number comes first and has no colon, so no two pairs share a name.
        let name = format!("{sku}:{customer}");
        let place = *self.counter_places.entry(name.clone()).or_insert_with(|| {
            self.counters.push(Counter { name, sku, limit, units: 0 });
            (self.counters.len() - 1) as u32
        });
        self.counters[place as usize].units += units;
        self.counter_takes.push((place, units));
    }

    fn exceeded(&self, sent: &Sent, levels: &[i64]) -> Vec<Exceeded> {
        self.counter_takes[sent.counters.clone()]
            .iter()
            .filter_map(|&(place, requested)| {
                let counter = &self.counters[place as usize];
                let remaining = *levels.get(self.cells.len() + place as usize)?;
                (remaining < requested).then(|| Exceeded {
                    sku: counter.sku,
                    requested,
                    limit: counter.limit,
                    remaining: remaining.max(0),
                })
            })
            .collect()
    }

    /// The arguments of the commit.
    #[must_use]
    pub fn commit_args(&self) -> CommitArgs {
        let mut args = CommitArgs { wants_levels: self.wants_levels, ..CommitArgs::default() };
        array(&mut args.cells, self.cells.len());
        array(&mut args.units, self.units.len());
        for (&cell, &units) in self.cells.iter().zip(&self.units) {
            // As text: the store's Lua would print a number into a field name at ten times the cost.
            text(&mut args.cells, &cell.to_string());
            uint(&mut args.units, units.unsigned_abs());
        }
        if !self.counters.is_empty() {
            array(&mut args.counters, 3);
            array(&mut args.counters, self.counters.len());
            self.counters.iter().for_each(|counter| text(&mut args.counters, &counter.name));
            array(&mut args.counters, self.counters.len());
            self.counters.iter().for_each(|counter| uint(&mut args.counters, counter.limit.unsigned_abs()));
            array(&mut args.counters, self.counters.len());
            self.counters.iter().for_each(|counter| uint(&mut args.counters, counter.units.unsigned_abs()));
        }
        array(&mut args.ids, self.sent.len());
        array(&mut args.bodies, self.sent.len());
        array(&mut args.takes, self.sent.len() + 2 * (self.cell_takes.len() + self.counter_takes.len()));
        let mut holds: Vec<u64> = Vec::new();
        for (place, sent) in (1_u64..).zip(&self.sent) {
            text(&mut args.ids, &sent.order_id);
            bytes(&mut args.bodies, &sent.body);
            uint(&mut args.takes, (sent.cells.len() + sent.counters.len()) as u64);
            for &(cell, units) in &self.cell_takes[sent.cells.clone()] {
                uint(&mut args.takes, u64::from(cell) + 1);
                uint(&mut args.takes, units.unsigned_abs());
            }
            for &(counter, units) in &self.counter_takes[sent.counters.clone()] {
                uint(&mut args.takes, (self.cells.len() as u64) + u64::from(counter) + 1);
                uint(&mut args.takes, units.unsigned_abs());
            }
            if let Some(hold_ms) = sent.hold_ms {
                holds.extend([place, hold_ms]);
            }
        }
        if !holds.is_empty() {
            array(&mut args.holds, holds.len());
            holds.into_iter().for_each(|value| uint(&mut args.holds, value));
        }
        args
    }
}

#[cfg(test)]
mod tests;
