//! Parts of orders against the records at their homes. Records change while partitions are read one after another: what
//! differs here is only suspect, and is to be read again before it counts.

use super::{Books, Order, page, partition_of_counter};
use crate::ids::{CellId, partition_of};
use crate::record::{array, text, uint};

/// What a partition holds of an order that is at home elsewhere.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub(super) version: u32,
    pub(super) held: Vec<(CellId, i64)>,
    pub(super) shipped: Vec<(CellId, i64)>,
    pub(super) counters: Vec<(String, i64)>,
}

/// How a part differs from the record.
#[derive(Debug, PartialEq, Eq)]
pub struct PartDifference {
    /// Units that the record holds there, or its version where only that differs.
    pub expected: i64,
    /// The part's.
    pub found: i64,
    /// In words.
    pub detail: String,
}

impl Part {
    /// Reads a stored part: `[version, [cell, units held, ...], [cell, units shipped, ...], [[counter, units], ...]]`.
    pub fn read(value: &[u8]) -> Result<Self, String> {
        let fields = page::value(value)?;
        let [version, held, shipped, counters, ..] = &fields[..] else {
            return Err("is no part of an order".to_owned());
        };
        let version = version.as_u64().and_then(|version| u32::try_from(version).ok());
        Ok(Self {
            version: version.ok_or("has no version")?,
            held: page::units_of(held).ok_or("cells and units held do not fit together")?,
            shipped: page::units_of(shipped).ok_or("cells and units shipped do not fit together")?,
            counters: page::counts_of(counters).ok_or("counters and their units do not fit together")?,
        }
        .sorted())
    }

    /// What of an order belongs to a partition.
    #[must_use]
    pub fn of(order: &Order, partition: u32, partitions: u32) -> Self {
        let own = |cells: &[(CellId, i64)]| {
            cells.iter().copied().filter(|(cell, _)| partition_of(*cell, partitions) == partition).collect()
        };
        let counters = order.counters.iter();
        Self {
            version: order.version,
            held: own(&order.held),
            shipped: own(&order.shipped),
            counters: counters
                .filter(|(name, _)| partition_of_counter(name.as_bytes(), partitions) == partition)
                .cloned()
                .collect(),
        }
        .sorted()
    }

    fn sorted(mut self) -> Self {
        for cells in [&mut self.held, &mut self.shipped] {
            cells.retain(|&(_, units)| units != 0);
            cells.sort_unstable();
        }
        self.counters.retain(|&(_, units)| units != 0);
        self.counters.sort_unstable();
        self
    }

    fn empty(&self) -> bool {
        self.held.is_empty() && self.shipped.is_empty() && self.counters.is_empty()
    }

    fn units(&self) -> i64 {
        self.held.iter().map(|(_, units)| units).sum()
    }

    /// As the store keeps it.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        array(&mut out, 4);
        uint(&mut out, u64::from(self.version));
        for cells in [&self.held, &self.shipped] {
            array(&mut out, 2 * cells.len());
            for &(cell, units) in cells {
                uint(&mut out, cell);
                uint(&mut out, units.unsigned_abs());
            }
        }
        array(&mut out, self.counters.len());
        for (name, units) in &self.counters {
            array(&mut out, 2);
            text(&mut out, name);
            uint(&mut out, units.unsigned_abs());
        }
        out
    }
}

/// How the part that a partition has differs from the record at home. An order that holds nothing there, and never did,
/// needs no part; one that left needs none of its later versions.
fn differs(order: Option<&Order>, part: Option<&Part>, partition: u32, partitions: u32) -> Option<PartDifference> {
    let Some(order) = order else {
        return part.map(|part| PartDifference {
            expected: 0,
            found: part.units(),
            detail: format!("holds {} units for an order that its home has no record of", part.units()),
        });
    };
    let share = Part::of(order, partition, partitions);
    let Some(part) = part else {
        return (!share.empty()).then(|| PartDifference {
            expected: share.units(),
            found: 0,
            detail: format!("has no part of it; the record holds {} units there", share.units()),
        });
    };
    if share.empty() && part.empty() && part.version <= share.version {
        return None;
    }
    let what = [
        ("held", share.held != part.held),
        ("shipped", share.shipped != part.shipped),
        ("counters", share.counters != part.counters),
        ("version", share.version != part.version),
    ];
    let what: Vec<&str> = what.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
    let (expected, found) = match what.first() {
        None => return None,
        Some(&"version") => (i64::from(share.version), i64::from(part.version)),
        Some(_) => (share.units(), part.units()),
    };
    let detail = format!(
        "its part differs in {}: version {} holds {} units, the record's version {} holds {} there",
        what.join(", "),
        part.version,
        part.units(),
        share.version,
        share.units()
    );
    Some(PartDifference { expected, found, detail })
}

/// As the audit compares them once more: a record and a part as stored; a message where one cannot be read.
pub fn against(
    record: Option<&[u8]>,
    part: Option<&[u8]>,
    partition: u32,
    partitions: u32,
) -> Result<Option<PartDifference>, String> {
    let order = record.map(Order::read).transpose()?;
    let part = part.map(Part::read).transpose()?;
    Ok(differs(order.as_ref(), part.as_ref(), partition, partitions))
}

/// The part that a partition should have of a record.
pub fn part_bytes(record: &[u8], partition: u32, partitions: u32) -> Result<Vec<u8>, String> {
    Ok(Part::of(&Order::read(record)?, partition, partitions).bytes())
}

/// Orders whose parts differ from their records as they were read, `limit` at most, as (order id, partition of the part).
/// `books` are all partitions.
pub fn suspects(books: &[&Books], limit: usize) -> Vec<(Vec<u8>, u32)> {
    let partitions = books.len() as u32;
    let mut found = Vec::new();
    for of_home in books {
        for (id, order) in &of_home.orders {
            for other in books.iter().filter(|other| other.partition != of_home.partition) {
                if differs(Some(order), other.parts.get(id), other.partition, partitions).is_some() {
                    found.push((id.clone(), other.partition));
                }
            }
        }
        let known = |id: &[u8]| books.iter().any(|home| home.orders.contains_key(id) || home.is_unreadable(id));
        found.extend(of_home.parts.keys().filter(|id| !known(id)).map(|id| (id.clone(), of_home.partition)));
    }
    found.sort_unstable();
    found.truncate(limit);
    found
}

impl Books {
    fn is_unreadable(&self, order_id: &[u8]) -> bool {
        !self.unreadable.is_empty() && self.unreadable.contains_key(&("orders", order_id.to_vec()))
    }
}
