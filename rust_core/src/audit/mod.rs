//! An audit's copy of one partition: filled from pages of the store, brought up to date by what its events touched, and
//! compared with itself ([`compare`]) and with other partitions ([`parts`]).
//!
//! Millions of fields go through here, so they stay numbers and bytes; only what differs becomes words.

mod compare;
mod page;
mod parts;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use rustc_hash::FxHashMap;

pub use compare::{Bounds, Comparison, Row};
pub use parts::{Part, PartDifference, against, part_bytes, suspects};

use crate::ids::{CellId, WAREHOUSES_MAX, partition_of};
use crate::record::{Record, Status, unpack};

/// Cell numbers of one channel: `CHANNEL_CELLS` of the store's keys.
const CHANNEL_CELLS: u64 = 1 << 36;

/// A cell as the store's hashes have it.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    free: i64,
    on_hand: i64,
    safety: i64,
    quarantined: i64,
    /// Whether `on_hand` has it: it exists.
    counted: bool,
}

/// What of an order's record counts.
#[derive(Debug)]
pub struct Order {
    pub(super) version: u32,
    status: Status,
    expires_ms: i64,
    held: Vec<(CellId, i64)>,
    shipped: Vec<(CellId, i64)>,
    counters: Vec<(String, i64)>,
}

impl Order {
    /// Reads a record; the message says what is wrong with it.
    pub fn read(record: &[u8]) -> Result<Self, String> {
        let record: Record = unpack(record)?;
        // What was given back counts no more; what was shipped was bought all the same.
        let ended = matches!(record.status, Status::Released | Status::Expired);
        Ok(Self {
            version: record.version,
            status: record.status,
            expires_ms: record.expires_ms as i64,
            held: record.held(),
            shipped: record.shipped,
            counters: if ended { Vec::new() } else { record.counters },
        })
    }
}

/// Units that a partition holds for an order that nobody has decided yet.
#[derive(Debug)]
struct Attempt {
    order_id: String,
    held: Vec<(CellId, i64)>,
    counters: Vec<(String, i64)>,
}

/// One partition.
#[derive(Debug, Default)]
pub struct Books {
    partition: u32,
    partitions: u32,
    cells: FxHashMap<CellId, Cell>,
    /// What is free in channels' pools.
    pools: FxHashMap<CellId, i64>,
    // The standard hasher: these names come from callers.
    counters: HashMap<Vec<u8>, i64>,
    orders: HashMap<Vec<u8>, Order>,
    holds: HashMap<Vec<u8>, i64>,
    parts: HashMap<Vec<u8>, Part>,
    attempts: HashMap<Vec<u8>, Attempt>,
    leases: HashMap<Vec<u8>, i64>,
    /// What cannot be read, by column and name.
    unreadable: BTreeMap<(&'static str, Vec<u8>), String>,
}

impl Books {
    /// Empty books of a partition.
    #[must_use]
    pub fn new(partition: u32, partitions: u32) -> Self {
        Self { partition, partitions: partitions.max(1), ..Self::default() }
    }

    /// Puts a page of a column: MessagePack [name, value, ...] as the store has them, `false` for what is gone.
    /// The message says what is wrong with the page; what is wrong with a value is a finding.
    pub fn put(&mut self, column: &str, page: &[u8]) -> Result<(), String> {
        let column = column_of(column)?;
        page::each_pair(page, |name, value| self.put_value(column, name, value))
    }

    /// Puts one value of a column, as [`column_of`] knows it.
    pub fn put_value(&mut self, column: &'static str, name: &[u8], value: Option<&[u8]>) {
        // The one without a name only keeps the key alive.
        if name.is_empty() {
            return;
        }
        if !self.unreadable.is_empty() {
            self.unreadable.remove(&(column, name.to_vec()));
        }
        if let Err(message) = self.put_one(column, name, value) {
            self.unreadable.insert((column, name.to_vec()), message);
        }
    }

    fn put_one(&mut self, column: &'static str, name: &[u8], value: Option<&[u8]>) -> Result<(), String> {
        match column {
            "free" | "on_hand" | "safety" | "quarantined" => {
                let cell: CellId = page::number(name).ok_or("is no cell's number")?;
                let units = value.map_or(Some(0), page::units).ok_or("is no number of units");
                self.put_units(column, cell, *units.as_ref().unwrap_or(&0), value.is_some());
                units.map(|_| ())?;
            }
            "inbound" => value.map_or(Ok(()), check_inbound)?,
            "counters" => {
                let units = value.map_or(Some(0), page::units).ok_or("is no number");
                put(&mut self.counters, name, value.map(|_| *units.as_ref().unwrap_or(&0)));
                units.map(|_| ())?;
            }
            "holds" => put(&mut self.holds, name, value.and_then(page::score)),
            "leases" => put(&mut self.leases, name, value.and_then(page::score)),
            "orders" => {
                self.orders.remove(name);
                put(&mut self.orders, name, value.map(Order::read).transpose()?);
            }
            "parts" => {
                self.parts.remove(name);
                put(&mut self.parts, name, value.map(Part::read).transpose()?);
            }
            _ => {
                self.attempts.remove(name);
                put(&mut self.attempts, name, value.map(read_attempt).transpose()?);
            }
        }
        Ok(())
    }

    fn put_units(&mut self, column: &str, cell: CellId, units: i64, there: bool) {
        if column == "free" && cell >= CHANNEL_CELLS {
            self.pools.insert(cell, units);
            return;
        }
        let row = self.cells.entry(cell).or_default();
        match column {
            "free" => row.free = units,
            "on_hand" => (row.on_hand, row.counted) = (units, there),
            "safety" => row.safety = units,
            _ => row.quarantined = units,
        }
    }

    fn owns(&self, cell: CellId) -> bool {
        partition_of(cell, self.partitions) == self.partition
    }
}

/// The hashes and sorted sets of a partition that an audit looks at.
pub const COLUMNS: [&str; 11] = [
    "free",
    "on_hand",
    "safety",
    "quarantined",
    "inbound",
    "counters",
    "orders",
    "holds",
    "parts",
    "tentative",
    "leases",
];

/// A column by its name; the message says that there is none.
pub fn column_of(name: &str) -> Result<&'static str, String> {
    COLUMNS.into_iter().find(|known| *known == name).ok_or_else(|| format!("no column {name}"))
}

fn put<V>(into: &mut HashMap<Vec<u8>, V>, name: &[u8], value: Option<V>) {
    if let Some(value) = value {
        into.insert(name.to_vec(), value);
    } else {
        into.remove(name);
    }
}

/// `[order id, home, [cell, units, ...], [[counter, units], ...], ...]`: what follows is not the audit's.
fn read_attempt(value: &[u8]) -> Result<Attempt, String> {
    let fields: Vec<serde_json::Value> = page::value(value)?;
    let [order_id, _, held, counters, ..] = &fields[..] else {
        return Err("is no attempt of an order".to_owned());
    };
    Ok(Attempt {
        order_id: order_id.as_str().unwrap_or_default().to_owned(),
        held: page::units_of(held).ok_or("cells and their units do not fit together")?,
        counters: page::counts_of(counters).ok_or("counters and their units do not fit together")?,
    })
}

fn check_inbound(value: &[u8]) -> Result<(), String> {
    let rows: Vec<(String, i64, i64)> =
        rmp_serde::from_slice(value).map_err(|error| format!("inbound units cannot be read: {error}"))?;
    match rows.iter().find(|(_, units, _)| *units < 0) {
        Some((reference, units, _)) => Err(format!("{units} units are to arrive under {reference}")),
        None => Ok(()),
    }
}

/// The number before the colon of a counter's name, and whether it is a warehouse's.
fn owner_of(counter: &[u8]) -> Option<(u32, bool)> {
    let (of_warehouse, rest) = match counter.split_first() {
        Some((b'@', rest)) => (true, rest),
        _ => (false, counter),
    };
    let end = rest.iter().position(|byte| *byte == b':')?;
    Some((page::number(&rest[..end])?, of_warehouse))
}

/// The partition that owns a counter.
fn partition_of_counter(counter: &[u8], partitions: u32) -> u32 {
    owner_of(counter).map_or(0, |(number, _)| number % partitions.max(1))
}

/// The cell that a pool's cell is a part of.
fn shared(cell: CellId) -> CellId {
    debug_assert!(CHANNEL_CELLS.is_multiple_of(u64::from(WAREHOUSES_MAX)));
    cell % CHANNEL_CELLS
}
