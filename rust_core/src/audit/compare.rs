//! One partition against itself: what its orders, parts and attempts hold and count, against its cells, counters, holds
//! and leases.

use std::collections::{BTreeSet, HashMap};

use rustc_hash::FxHashMap;

use super::{Books, CHANNEL_CELLS, Cell, owner_of, partition_of_counter, shared};
use crate::ids::CellId;
use crate::record::Status;

/// How long after its end a lease may wait for somebody to settle it.
const LEASE_OVERDUE_MS: i64 = 10_000;

/// What counters may come to, by the number of the SKU or the warehouse.
#[derive(Debug, Default)]
pub struct Bounds {
    /// Units of a SKU for a customer.
    pub purchase_limits: HashMap<u32, i64>,
    /// Orders of a warehouse on a day.
    pub capacities: HashMap<u32, i64>,
}

/// One thing that does not add up.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Which rule it breaks.
    pub kind: &'static str,
    /// What `name` names: cell, counter, order, attempt, part.
    pub about: &'static str,
    /// A cell's number, or a name.
    pub name: String,
    /// What it should be.
    pub expected: i64,
    /// What it is.
    pub found: i64,
    /// In words.
    pub detail: String,
    /// What mends it, where that is certain: the value seen, and the one to set (`None`: no such entry).
    pub mend: Option<(Option<i64>, Option<i64>)>,
}

/// What was compared, and the first rows of what differs.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Records, read or not.
    pub orders: usize,
    /// Of them, those that hold stock.
    pub holding: usize,
    /// Cells that were counted.
    pub cells: usize,
    /// Units on hand.
    pub on_hand: i64,
    /// Units held by orders, parts and attempts.
    pub reserved: i64,
    /// Units free, with all pools.
    pub free: i64,
    /// Records, parts and attempts that cannot be read: what they hold is not known.
    pub unreadable: usize,
    /// Differences.
    pub differences: usize,
    /// The first of them, among them `beyond` rows, which are none: a bound may have been lowered after the sale.
    pub rows: Vec<Row>,
}

impl Comparison {
    fn add(&mut self, limit: usize, row: impl FnOnce() -> Row) {
        self.differences += 1;
        if self.rows.len() < limit {
            self.rows.push(row());
        }
    }
}

impl Books {
    /// Compares; lists `limit` differences at most and counts all. `now_ms` by the store's clock.
    #[must_use]
    pub fn compare(&self, bounds: &Bounds, now_ms: i64, limit: usize) -> Comparison {
        let unreadable = |column: &str| self.unreadable.keys().filter(|(of, _)| *of == column).count();
        let mut result = Comparison {
            orders: self.orders.len() + unreadable("orders"),
            holding: self.orders.values().filter(|order| order.status.holds_stock()).count(),
            cells: self.cells.values().filter(|cell| cell.counted).count(),
            on_hand: self.cells.values().map(|cell| cell.on_hand).sum(),
            free: self.cells.values().map(|cell| cell.free).sum::<i64>() + self.pools.values().sum::<i64>(),
            unreadable: unreadable("orders") + unreadable("parts") + unreadable("tentative"),
            ..Comparison::default()
        };
        self.name_unreadable(&mut result, limit);
        self.compare_cells(&mut result, limit);
        self.compare_counters(&mut result, bounds, limit);
        self.compare_holds(&mut result, limit);
        self.compare_leases(&mut result, now_ms, limit);
        result
    }

    fn name_unreadable(&self, result: &mut Comparison, limit: usize) {
        for ((column, name), message) in &self.unreadable {
            let (kind, about) = match *column {
                "orders" => ("record", "order"),
                "parts" => ("part", "part"),
                "tentative" => ("record", "attempt"),
                "counters" => ("unreadable", "counter"),
                _ => ("unreadable", "cell"),
            };
            result.add(limit, || {
                let detail = if kind == "unreadable" { format!("{column} {message}") } else { message.clone() };
                Row { kind, about, name: lossy(name), expected: 0, found: 0, detail, mend: None }
            });
        }
    }

    /// What is held of each cell, a pool's with the cell that it is a part of.
    fn held(&self) -> FxHashMap<CellId, i64> {
        let of_orders = self.orders.values().flat_map(|order| &order.held).filter(|(cell, _)| self.owns(*cell));
        let of_parts = self.parts.values().flat_map(|part| &part.held);
        let of_attempts = self.attempts.values().flat_map(|attempt| &attempt.held);
        let mut held = FxHashMap::default();
        for &(cell, units) in of_orders.chain(of_parts).chain(of_attempts) {
            *held.entry(shared(cell)).or_default() += units;
        }
        held
    }

    fn compare_cells(&self, result: &mut Comparison, limit: usize) {
        let held = self.held();
        result.reserved = held.values().sum();
        let mut pools: FxHashMap<CellId, i64> = FxHashMap::default();
        let mut differing: BTreeSet<CellId> = BTreeSet::new();
        for (&pool, &units) in &self.pools {
            *pools.entry(shared(pool)).or_default() += units;
            if units < 0 {
                differing.insert(shared(pool));
            }
        }
        let of = |units: &FxHashMap<CellId, i64>, cell| units.get(&cell).copied().unwrap_or_default();
        for (&cell, row) in &self.cells {
            if flaws(*row, of(&held, cell), of(&pools, cell)) {
                differing.insert(cell);
            }
        }
        let without_cell = |units: &FxHashMap<CellId, i64>| {
            let strange = units.iter().filter(|(cell, units)| **units != 0 && !self.cells.contains_key(cell));
            strange.map(|(cell, _)| *cell).collect::<Vec<_>>()
        };
        differing.extend(without_cell(&held));
        differing.extend(without_cell(&pools));
        for cell in differing {
            let row = self.cells.get(&cell).copied().unwrap_or_default();
            self.name_cell(result, limit, cell, row, of(&held, cell), of(&pools, cell));
        }
    }

    fn name_cell(&self, result: &mut Comparison, limit: usize, cell: CellId, row: Cell, held: i64, pools: i64) {
        let Cell { free, on_hand, safety, quarantined, .. } = row;
        let name = cell.to_string();
        let mut add = |kind, expected, found, detail, mend| {
            result.add(limit, || Row { kind, about: "cell", name: name.clone(), expected, found, detail, mend });
        };
        let reserved = on_hand - safety - free - pools;
        if held != reserved {
            let in_pools = if pools == 0 { String::new() } else { format!(", {pools} in pools") };
            let detail = format!(
                "reservations hold {held} units, the cell says {reserved} are reserved ({on_hand} on hand, {safety} kept for \
                 safety, {free} free{in_pools})"
            );
            let readable = !["free", "on_hand", "safety"]
                .into_iter()
                .any(|column| self.unreadable.contains_key(&(column, name.clone().into_bytes())));
            let sound = readable && row.counted && held <= on_hand && on_hand >= 0 && safety >= 0;
            let mend = sound.then_some((Some(free), Some(on_hand - safety - pools - held)));
            add("reserved", held, reserved, detail, mend);
        }
        if held > on_hand {
            let detail = format!("reservations hold {held} units, only {on_hand} are on hand");
            add("oversold", on_hand, held, detail, None);
        } else if on_hand - held < pools && pools > 0 {
            let detail = format!("pools offer {pools} units, only {} are on hand and not held", on_hand - held);
            add("oversold", on_hand - held, pools, detail, None);
        }
        for (what, units) in [("on hand", on_hand), ("kept for safety", safety), ("quarantined", quarantined)] {
            if units < 0 {
                add("negative", 0, units, format!("{units} units are {what}"), None);
            }
        }
        let mut below: Vec<(CellId, i64)> = self
            .pools
            .iter()
            .filter(|(pool, units)| shared(**pool) == cell && **units < 0)
            .map(|(p, u)| (*p, *u))
            .collect();
        below.sort_unstable();
        for (pool, units) in below {
            let detail = format!("{units} units are in the pool of channel {}", pool / CHANNEL_CELLS);
            add("negative", 0, units, detail, None);
        }
    }

    fn compare_counters(&self, result: &mut Comparison, bounds: &Bounds, limit: usize) {
        let of_orders = self.orders.values().flat_map(|order| &order.counters);
        let own =
            of_orders.filter(|(name, _)| partition_of_counter(name.as_bytes(), self.partitions) == self.partition);
        let of_parts = self.parts.values().flat_map(|part| &part.counters);
        let of_attempts = self.attempts.values().flat_map(|attempt| &attempt.counters);
        let mut counted: HashMap<&[u8], i64> = HashMap::new();
        for (name, units) in own.chain(of_parts).chain(of_attempts) {
            *counted.entry(name.as_bytes()).or_default() += units;
        }
        let mut names: BTreeSet<&[u8]> = counted.keys().copied().collect();
        names.extend(self.counters.keys().map(Vec::as_slice));
        for name in names {
            let expected = counted.get(name).copied().unwrap_or_default();
            let stored = self.counters.get(name).copied();
            let found = stored.unwrap_or_default();
            let bound = owner_of(name).and_then(|(number, of_warehouse)| {
                if of_warehouse { &bounds.capacities } else { &bounds.purchase_limits }.get(&number).copied()
            });
            let of_warehouse = name.first() == Some(&b'@');
            let (kind, what) = if of_warehouse { ("capacity", "orders") } else { ("limit", "units") };
            let mut add = |kind, expected, detail, mend| {
                result.add(limit, || Row { kind, about: "counter", name: lossy(name), expected, found, detail, mend });
            };
            if expected != found {
                let detail = format!("reservations count {expected} {what}, the counter says {found}");
                let readable = !self.unreadable.contains_key(&("counters", name.to_vec()));
                add(kind, expected, detail, readable.then_some((Some(found), Some(expected))));
            }
            if let Some(bound) = bound.filter(|bound| expected > *bound) {
                let detail = format!(
                    "reservations count {expected} {what} where the catalogue allows {bound}: sold beyond it, or it was lowered \
                     since"
                );
                if result.rows.len() < limit {
                    let (kind, about, found) = ("beyond", "counter", expected);
                    result.rows.push(Row {
                        kind,
                        about,
                        name: lossy(name),
                        expected: bound,
                        found,
                        detail,
                        mend: None,
                    });
                }
            }
        }
    }

    fn compare_holds(&self, result: &mut Comparison, limit: usize) {
        let waits =
            |id: &[u8]| self.orders.get(id).filter(|order| order.status == Status::Reserved).map(|o| o.expires_ms);
        let mut differing: BTreeSet<&[u8]> = BTreeSet::new();
        let reserved = self.orders.iter().filter(|(_, order)| order.status == Status::Reserved).map(|(id, _)| id);
        for id in reserved.chain(self.holds.keys()) {
            if waits(id) != self.holds.get(id).copied() && !self.unreadable.contains_key(&("orders", id.clone())) {
                differing.insert(id);
            }
        }
        for id in differing {
            let (expected, found) = (waits(id), self.holds.get(id).copied());
            result.add(limit, || Row {
                kind: "hold",
                about: "order",
                name: lossy(id),
                expected: expected.unwrap_or_default(),
                found: found.unwrap_or_default(),
                detail: match (expected, found) {
                    (Some(_), None) => {
                        "waits for payment and is not on the list of holds: it would never end".to_owned()
                    }
                    (None, _) => "is on the list of holds and does not wait for payment".to_owned(),
                    _ => "its hold ends at another time than its record says, in ms since 1970".to_owned(),
                },
                mend: Some((found, expected)),
            });
        }
    }

    fn compare_leases(&self, result: &mut Comparison, now_ms: i64, limit: usize) {
        let names: BTreeSet<&[u8]> = self.attempts.keys().chain(self.leases.keys()).map(Vec::as_slice).collect();
        for name in names {
            let (attempt, ends_ms) = (self.attempts.get(name), self.leases.get(name).copied());
            let unreadable = self.unreadable.contains_key(&("tentative", name.to_vec()));
            let (expected, detail, mend) = match (attempt, ends_ms) {
                (Some(attempt), None) => {
                    let id = &attempt.order_id;
                    let detail = format!("holds stock for order {id} without a lease: nobody would ask its home");
                    (now_ms, detail, Some((None, Some(now_ms))))
                }
                (Some(attempt), Some(ends_ms)) if ends_ms < now_ms - LEASE_OVERDUE_MS => {
                    let late = now_ms - ends_ms;
                    let id = &attempt.order_id;
                    let detail =
                        format!("holds stock for order {id}, {late} ms after its lease ended: is an engine running?");
                    (now_ms, detail, None)
                }
                (None, Some(ends_ms)) if !unreadable => {
                    (0, "is a lease that nothing is held for".to_owned(), Some((Some(ends_ms), None)))
                }
                _ => continue,
            };
            let (name, found) = (lossy(name), ends_ms.unwrap_or_default());
            result.add(limit, || Row { kind: "lease", about: "attempt", name, expected, found, detail, mend });
        }
    }
}

fn flaws(row: Cell, held: i64, pools: i64) -> bool {
    let reserved = row.on_hand - row.safety - row.free - pools;
    held != reserved
        || held > row.on_hand
        || (pools > 0 && row.on_hand - held < pools)
        || row.on_hand < 0
        || row.safety < 0
        || row.quarantined < 0
}

fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
