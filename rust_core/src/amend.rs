//! Changes of orders that hold stock already: new lines for one, or one made into two. Packs what their records say then.

use std::borrow::Cow;

use serde::Deserialize;

use crate::batch::Outcome;
use crate::capacity::{Day, counter_name};
use crate::cost::LocalDay;
use crate::goods::{Goods, StoredGoods};
use crate::ids::{CellId, SKUS_MAX, SkuId, WAREHOUSES_MAX, WarehouseId};
use crate::order::{FINGERPRINT_BYTES, Order, fingerprint};
use crate::planner::{Demand, Plan, Planner};
use crate::record::{self, HEAD_BYTES, Record, Status, array, bytes, text, uint};

mod divide;
mod reprice;

pub use divide::divide_lines;

/// What an order that waited for stock becomes, where that is no hold of some milliseconds.
const WAITS_ON: i64 = 0;
const IS_CONFIRMED: i64 = -1;

/// An order planned anew.
#[derive(Debug, PartialEq, Eq)]
pub struct Amended {
    /// Fingerprint and body.
    pub rest: Vec<u8>,
    /// Cells and units that it takes beyond what it holds.
    pub cells: Vec<(CellId, i64)>,
    /// Counters, units that it takes beyond what it counts, and limits.
    pub counters: Vec<(String, i64, i64)>,
    /// All counters that it is bound by, and their limits.
    pub limits: Vec<(String, i64)>,
    /// Of an order that waited for stock: how long it holds stock from now on, in milliseconds, -1 for good, or 0 when it
    /// waits on. `None` for an order that holds some already, which keeps its status.
    pub becomes: Option<i64>,
}

impl Planner {
    /// Plans an order anew, as if what it holds were free. Takes nothing from the view. It keeps its arm of a trial that goes
    /// on, or its built-in policy; see [`Book::kept`](crate::policy::Book::kept). One that waits for stock waits on where it still cannot be served; `expected_day` as an intake has it.
    pub fn amend(&mut self, record: &Record, canonical: &[u8], expected_day: Option<u32>) -> Result<Amended, Outcome> {
        let (order, demand) = self.admit_in(canonical, self.policies.book().kept(&record.policy))?;
        let held = record.held();
        let days = self.days_known(record);
        self.lend(&held, &days, -1);
        let planned = self.plan(&demand);
        self.lend(&held, &days, 1);
        let waited = record.status == Status::Backordered;
        let plan = match (planned, expected_day) {
            (Ok(plan), _) => plan,
            (Err(refusal), _) if refusal.is_final() => return Err(refusal.into()),
            (Err(_), Some(day)) if waited && demand.allow_backorder => Plan::backorder(&demand, day),
            (Err(refusal), None) if waited && demand.allow_backorder => return Err(self.lacking(&demand, refusal)),
            (Err(refusal), _) => return Err(refusal.into()),
        };
        Ok(self.amended(record, canonical, &order, &demand, &plan))
    }

    /// What a plan makes of an order that a record is kept of.
    pub(crate) fn amended(
        &self,
        record: &Record,
        canonical: &[u8],
        order: &Order,
        demand: &Demand,
        plan: &Plan,
    ) -> Amended {
        let (held, waited) = (record.held(), record.status == Status::Backordered);
        let mut counters: Vec<(String, i64)> = Vec::new();
        let mut limits = Vec::new();
        if let Some(customer) = order.customer {
            for (sku, units, limit) in self.counted(demand, plan) {
                let name = format!("{sku}:{customer}");
                counters.push((name.clone(), units));
                limits.push((name, limit));
            }
        }
        let served_by = |warehouse| record.counters.iter().any(|(name, _)| warehouse_of(name) == Some(warehouse));
        for warehouse in plan.shipments.iter().map(|shipment| shipment.warehouse) {
            let capacity = self.catalogue.warehouse_terms(warehouse).and_then(|terms| terms.capacity);
            if let (Some(day), Some(limit), false) = (self.capacity.day(), capacity, served_by(warehouse)) {
                let name = counter_name(warehouse, day);
                counters.push((name.clone(), 1));
                limits.push((name, limit));
            }
        }
        let serves = |warehouse| plan.shipments.iter().any(|shipment| shipment.warehouse == warehouse);
        let kept = record.counters.iter().filter(|(name, _)| warehouse_of(name).is_some_and(serves));
        counters.extend(kept.cloned());
        let mut raised: Vec<(CellId, i64)> = Vec::new();
        for shipment in &plan.shipments {
            shipment.takes().for_each(|(cell, quantity)| add(&mut raised, cell, quantity));
        }
        held.iter().for_each(|&(cell, units)| add(&mut raised, cell, -units));
        raised.retain(|&(_, units)| units > 0);
        let before = |name: &str| record.counters.iter().find(|(of, _)| of == name).map_or(0, |&(_, units)| units);
        let raised_counters = counters
            .iter()
            .zip(&limits)
            .map(|((name, units), &(_, limit))| (name.clone(), units - before(name), limit))
            .filter(|&(_, units, _)| units > 0)
            .collect();
        let names: Vec<(&str, i64)> = counters.iter().map(|(name, units)| (name.as_str(), *units)).collect();
        let transitions: Vec<&str> = record.transitions.iter().map(String::as_str).collect();
        let rest = record::pack(&record.fingerprint, plan, &names, &self.currency, canonical, &transitions);
        let becomes = if plan.is_backorder() {
            WAITS_ON
        } else {
            order.hold_ms().map_or(IS_CONFIRMED, |hold_ms| i64::try_from(hold_ms).unwrap_or(i64::MAX))
        };
        Amended { rest, cells: raised, counters: raised_counters, limits, becomes: waited.then_some(becomes) }
    }

    /// The warehouses whose orders of today are known, with this order among them.
    fn days_known(&self, record: &Record) -> Vec<(Day, WarehouseId)> {
        let Some(day) = self.capacity.day() else { return Vec::new() };
        let of_today = record
            .counters
            .iter()
            .filter_map(|(name, _)| warehouse_of(name).filter(|&warehouse| *name == counter_name(warehouse, day)));
        of_today.filter(|&warehouse| self.capacity.used(warehouse) > 0).map(|warehouse| (day, warehouse)).collect()
    }

    /// Has planning see what an order holds as free, and its warehouses' days without it (factor -1), or not any more (1).
    fn lend(&mut self, held: &[(CellId, i64)], days: &[(Day, WarehouseId)], factor: i64) {
        held.iter().for_each(|&(cell, units)| self.view.take(cell, factor * units));
        days.iter().for_each(|&(day, warehouse)| self.capacity.take(day, warehouse, factor));
    }

    /// Makes two orders of one: fingerprint and body of what stays, and of what `moved` (cells and units) makes. The
    /// canonical orders are those of both afterwards.
    ///
    /// A shipment that stays or moves as a whole keeps its cost. Both parts of one that is divided are priced by the cost
    /// table as it is now, as two parcels leave; by the carrier of the whole, and promised for the same day, while it serves.
    pub fn split(
        &mut self,
        record: &[u8],
        moved: &[(CellId, i64)],
        stays: &[u8],
        goes: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), String> {
        let (first, body) = record
            .get(HEAD_BYTES..)
            .and_then(<[u8]>::split_first_chunk::<FINGERPRINT_BYTES>)
            .ok_or("reservation record: shorter than its fingerprint")?;
        let parent: Body = rmp_serde::from_slice(body).map_err(|error| format!("reservation record: {error}"))?;
        let order = Order::decode(goes)?;
        let mut rest = moved.to_vec();
        let (mut staying, mut going) = (Vec::new(), Vec::new());
        for shipment in &parent.0 {
            let (left, gone) = divide(&shipment.3, &mut rest);
            for (into, pairs, whole) in [(&mut staying, left, shipment.3.is_empty()), (&mut going, gone, false)] {
                if !pairs.is_empty() || whole {
                    into.push(Stored(shipment.0, shipment.1, shipment.2, pairs, shipment.4.clone(), shipment.5));
                }
            }
        }
        if rest.iter().any(|&(_, units)| units != 0) {
            return Err("it holds less than is to be split off".into());
        }
        for shipment in staying.iter_mut().chain(&mut going) {
            if parent.0.iter().any(|whole| whole.0 == shipment.0 && whole.3 != shipment.3) {
                self.price_again(shipment, &order)?;
            }
        }
        let goods = Goods::try_from(parent.8)?;
        let divided = self.divide_goods(&goods, parent.5, moved)?;
        let (kept, taken) = divide_counters(&parent.2, &divided.goes, &staying);
        let stays =
            Body(staying, parent.1, kept, parent.3, parent.4, stays, parent.6, parent.7, StoredGoods::default());
        let (now, none) = (Vec::new(), Vec::new());
        let goes_on = Body(going, Vec::new(), taken, parent.3, parent.4, goes, now, none, StoredGoods::default());
        Ok((pack(first, &stays, &divided.stays_as), pack(&fingerprint(goes), &goes_on, &divided.goes_as)))
    }
}

/// Adds units under a name.
pub(crate) fn add<T: PartialEq>(sums: &mut Vec<(T, i64)>, name: T, units: i64) {
    match sums.iter_mut().find(|(known, _)| *known == name) {
        Some((_, sum)) => *sum += units,
        None => sums.push((name, units)),
    }
}

/// Takes what is to go of flat cells and units: (what stays, what goes).
fn divide(flat: &[u64], rest: &mut [(CellId, i64)]) -> (Vec<u64>, Vec<u64>) {
    let (mut stays, mut goes) = (Vec::with_capacity(flat.len()), Vec::new());
    for pair in flat.chunks_exact(2) {
        let (cell, mut left) = (pair[0], units(pair[1]));
        for (_, wanted) in rest.iter_mut().filter(|(of, _)| *of == cell) {
            let taken = left.min(*wanted);
            if taken > 0 {
                goes.extend([cell, taken.unsigned_abs()]);
                left -= taken;
                *wanted -= taken;
            }
        }
        if left > 0 {
            stays.extend([cell, left.unsigned_abs()]);
        }
    }
    (stays, goes)
}

type Counters<'a> = Vec<(&'a str, i64)>;

/// A purchase limit's units go with the units that were ordered of its SKU; an order that a warehouse serves counts where it ships from still.
fn divide_counters<'a>(
    counters: &[(&'a str, i64)],
    goes: &[(SkuId, i64)],
    staying: &[Stored],
) -> (Counters<'a>, Counters<'a>) {
    let (mut kept, mut taken) = (Vec::new(), Vec::new());
    for &(name, count) in counters {
        let gone = match warehouse_of(name) {
            Some(warehouse) if staying.iter().any(|shipment| shipment.0 == warehouse) => 0,
            Some(_) => count,
            None => {
                let sku = name.split_once(':').and_then(|(number, _)| number.parse::<SkuId>().ok());
                goes.iter().filter(|(of, _)| Some(*of) == sku).map(|&(_, units)| units).sum::<i64>().min(count)
            }
        };
        kept.extend((count > gone).then_some((name, count - gone)));
        taken.extend((gone > 0).then_some((name, gone)));
    }
    (kept, taken)
}

/// Counters of warehouses' days in which another plan leaves an order no more.
pub(crate) fn days_left(record: &Record, plan: &Plan) -> Vec<String> {
    let left = |&warehouse: &WarehouseId| plan.shipments.iter().all(|shipment| shipment.warehouse != warehouse);
    let names = record.counters.iter().map(|(name, _)| name);
    names.filter(|name| warehouse_of(name).is_some_and(|warehouse| left(&warehouse))).cloned().collect()
}

/// The warehouse of a counter of orders that it serves in a day.
pub(crate) fn warehouse_of(counter: &str) -> Option<WarehouseId> {
    counter.strip_prefix('@')?.split_once(':')?.0.parse().ok()
}

/// The SKU of a cell, or of a pool of it.
fn sku_of(cell: CellId) -> SkuId {
    (cell / u64::from(WAREHOUSES_MAX) % u64::from(SKUS_MAX)) as SkuId
}

fn units(stored: u64) -> i64 {
    i64::try_from(stored).unwrap_or(i64::MAX)
}

/// A record's body with its cells as they are, pools and all; `record` says what each part is.
#[derive(Deserialize)]
struct Body<'a>(
    #[serde(borrow)] Vec<Stored<'a>>,
    Vec<u64>,
    #[serde(borrow)] Vec<(&'a str, i64)>,
    &'a str,
    &'a str,
    &'a [u8],
    Vec<u64>,
    #[serde(borrow)] Vec<&'a str>,
    #[serde(default)] StoredGoods,
);

/// Warehouse, cost, metres, then cell and units by turns, carrier and promised day as `record` has them.
#[derive(Deserialize)]
struct Stored<'a>(WarehouseId, i64, u32, Vec<u64>, #[serde(default, borrow)] Cow<'a, str>, #[serde(default)] LocalDay);

fn pack(fingerprint: &[u8; FINGERPRINT_BYTES], body: &Body, goods: &Goods) -> Vec<u8> {
    let mut out = Vec::with_capacity(FINGERPRINT_BYTES + 128 + body.5.len());
    let numbers = |out: &mut Vec<u8>, numbers: &[u64]| {
        array(out, numbers.len());
        numbers.iter().for_each(|&number| uint(out, number));
    };
    out.extend_from_slice(fingerprint);
    array(&mut out, record::parts(goods));
    array(&mut out, body.0.len());
    for Stored(warehouse, cost, metres, cells, carrier, promised) in &body.0 {
        record::begin_shipment(&mut out, *warehouse, *cost, *metres, (carrier, *promised));
        numbers(&mut out, cells);
        record::end_shipment(&mut out, (carrier, *promised));
    }
    numbers(&mut out, &body.1);
    array(&mut out, body.2.len());
    for (name, units) in &body.2 {
        array(&mut out, 2);
        text(&mut out, name);
        uint(&mut out, units.unsigned_abs());
    }
    text(&mut out, body.3);
    text(&mut out, body.4);
    bytes(&mut out, body.5);
    numbers(&mut out, &body.6);
    array(&mut out, body.7.len());
    body.7.iter().for_each(|id| text(&mut out, id));
    if !goods.is_empty() {
        goods.pack(&mut out);
    }
    out
}

#[cfg(test)]
mod tests;
