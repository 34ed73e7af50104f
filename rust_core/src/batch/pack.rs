//! What each partition is asked for a batch, packed as the store's functions take it (their texts say what each part is).

use super::{Batch, Sent};
use crate::ids::CellId;
use crate::record::{array, bytes, bytes_of, head, text, uint};

/// A partition's share of a batch: orders, and the cells and counters that they take from it, by their place in the batch.
#[derive(Debug)]
pub(super) struct Share {
    pub orders: Vec<usize>,
    pub cells: Vec<u32>,
    pub counters: Vec<u32>,
    /// Of each cell of the batch its place in this share, or none.
    cell_at: Vec<u32>,
    counter_at: Vec<u32>,
    units: Vec<i64>,
    counted: Vec<i64>,
}

const NONE: u32 = u32::MAX;

/// The arguments of one commit.
#[derive(Debug, Default)]
pub struct CommitArgs {
    /// What it takes.
    pub takes: Takes,
    /// Order ids.
    pub ids: Vec<u8>,
    /// Id and record of each order, by turns.
    pub records: Vec<u8>,
    /// Holds of pending orders; empty for none.
    pub holds: Vec<u8>,
    /// Whether the levels are wanted back.
    pub wants_levels: bool,
    /// Attempts of orders that hold stock of other partitions; empty for none.
    pub attempts: Vec<u8>,
}

/// The arguments of one preparation.
#[derive(Debug, Default)]
pub struct PrepareArgs {
    /// What it takes.
    pub takes: Takes,
    /// Attempts.
    pub attempts: Vec<u8>,
    /// Each attempt and what is kept of it, by turns.
    pub kept: Vec<u8>,
}

/// Cells, counters, and who takes what of them.
#[derive(Debug, Default)]
pub struct Takes {
    /// Cell numbers, as text.
    pub cells: Vec<u8>,
    /// Units of each cell.
    pub units: Vec<u8>,
    /// Names, limits and units of counters; empty for none.
    pub counters: Vec<u8>,
    /// Cells, counters and units of each order.
    pub by_order: Vec<u8>,
}

impl Batch {
    /// The partitions that must hold stock for orders of other homes before those decide.
    #[must_use]
    pub fn prepares(&self) -> Vec<u32> {
        (0..self.partitions).filter(|&at| self.sent.iter().any(|sent| self.prepared_in(sent, at))).collect()
    }

    /// The partitions that are asked to commit, or to say what their levels are.
    #[must_use]
    pub fn commits(&self) -> Vec<u32> {
        let reads = |at: u32| {
            self.wants_levels
                && ((0..self.cells.len() as u32).any(|place| self.read_in(place, at))
                    || (0..self.counters.len() as u32).any(|place| self.partition_of_counter(place) == at))
        };
        let decides = |at: u32| self.sent.iter().any(|sent| sent.home == at && sent.refused.is_none());
        (0..self.partitions).filter(|&at| decides(at) || reads(at)).collect()
    }

    /// What a partition is asked to hold for the attempts of orders of other homes.
    #[must_use]
    pub fn prepare_args(&self, partition: u32) -> PrepareArgs {
        let share = self.prepare_share(partition);
        let mut args = PrepareArgs { takes: self.takes(&share), ..PrepareArgs::default() };
        array(&mut args.attempts, share.orders.len());
        array(&mut args.kept, 2 * share.orders.len());
        for sent in self.orders_of(&share) {
            let attempt = sent.attempt.as_deref().unwrap_or_default();
            text(&mut args.attempts, attempt);
            text(&mut args.kept, attempt);
            bytes(&mut args.kept, &self.tentative(&share, sent));
        }
        args
    }

    /// What the home of orders is asked to decide. `now_ms` goes into their records as the time when they were made.
    #[must_use]
    pub fn commit_args(&self, partition: u32, now_ms: u64) -> CommitArgs {
        let share = self.commit_share(partition);
        let mut args =
            CommitArgs { takes: self.takes(&share), wants_levels: self.wants_levels, ..CommitArgs::default() };
        array(&mut args.ids, share.orders.len());
        array(&mut args.records, 2 * share.orders.len());
        let (mut holds, mut attempts) = (Vec::new(), Vec::new());
        for (place, sent) in (1_u64..).zip(self.orders_of(&share)) {
            text(&mut args.ids, &sent.order_id);
            text(&mut args.records, &sent.order_id);
            bytes_of(&mut args.records, &[&head(sent.status(), 1, now_ms, 0), &sent.body]);
            if let Some(hold_ms) = sent.hold_ms {
                holds.extend([place, hold_ms]);
            }
            attempts.extend(sent.attempt.as_deref().map(|attempt| (place, attempt)));
        }
        if !holds.is_empty() {
            array(&mut args.holds, holds.len());
            holds.into_iter().for_each(|value| uint(&mut args.holds, value));
        }
        if !attempts.is_empty() {
            array(&mut args.attempts, 2 * attempts.len());
            for (place, attempt) in attempts {
                uint(&mut args.attempts, place);
                text(&mut args.attempts, attempt);
            }
        }
        args
    }

    /// Of a partition, the orders that are at home elsewhere and take from it.
    pub(super) fn prepare_share(&self, partition: u32) -> Share {
        let mut share = self.empty_share();
        for (order, sent) in self.sent.iter().enumerate() {
            if self.prepared_in(sent, partition) {
                self.put(&mut share, order, partition);
            }
        }
        share
    }

    /// Of a partition, the orders that are at home in it and not refused already, and the cells to be read in it.
    pub(super) fn commit_share(&self, partition: u32) -> Share {
        let mut share = self.empty_share();
        for (order, sent) in self.sent.iter().enumerate() {
            if sent.home == partition && sent.refused.is_none() {
                self.put(&mut share, order, partition);
            }
        }
        if self.wants_levels {
            for place in 0..self.cells.len() as u32 {
                if self.read_in(place, partition) {
                    share.cell(place);
                }
            }
            for place in 0..self.counters.len() as u32 {
                if self.partition_of_counter(place) == partition {
                    share.counter(place);
                }
            }
        }
        share
    }

    pub(super) fn orders_of<'a>(&'a self, share: &'a Share) -> impl Iterator<Item = &'a Sent> {
        share.orders.iter().map(|&order| &self.sent[order])
    }

    pub(super) fn prepared_in(&self, sent: &Sent, partition: u32) -> bool {
        sent.attempt.is_some()
            && sent.home != partition
            && (self.cell_takes[sent.cells.clone()]
                .iter()
                .any(|&(place, _)| self.partition_of_cell(place) == partition)
                || self.counter_takes[sent.counters.clone()]
                    .iter()
                    .any(|&(place, _)| self.partition_of_counter(place) == partition))
    }

    fn read_in(&self, place: u32, partition: u32) -> bool {
        self.partition_of_cell(place) == partition
    }

    fn empty_share(&self) -> Share {
        Share {
            orders: Vec::new(),
            cells: Vec::with_capacity(self.cells.len()),
            counters: Vec::with_capacity(self.counters.len()),
            cell_at: vec![NONE; self.cells.len()],
            counter_at: vec![NONE; self.counters.len()],
            units: Vec::with_capacity(self.cells.len()),
            counted: Vec::with_capacity(self.counters.len()),
        }
    }

    /// Adds an order, with what it takes from this partition.
    fn put(&self, share: &mut Share, order: usize, partition: u32) {
        let sent = &self.sent[order];
        share.orders.push(order);
        for &(place, units) in &self.cell_takes[sent.cells.clone()] {
            if self.partition_of_cell(place) == partition {
                let at = share.cell(place);
                share.units[at] += units;
            }
        }
        for &(place, units) in &self.counter_takes[sent.counters.clone()] {
            if self.partition_of_counter(place) == partition {
                let at = share.counter(place);
                share.counted[at] += units;
            }
        }
    }

    /// Pairs of (place in the share, units) that an order takes there: of cells, then of counters.
    pub(super) fn own_takes<'a>(&'a self, share: &'a Share, sent: &Sent) -> impl Iterator<Item = (u32, i64)> + 'a {
        let cells = self.cell_takes[sent.cells.clone()].iter();
        let counters = self.counter_takes[sent.counters.clone()].iter();
        let after = share.cells.len() as u32;
        let of_cells = cells.map(|&(place, units)| (share.cell_at[place as usize], units));
        let of_counters = counters.map(move |&(place, units)| {
            let at = share.counter_at[place as usize];
            (if at == NONE { NONE } else { after + at }, units)
        });
        of_cells.chain(of_counters).filter(|&(at, _)| at != NONE)
    }

    fn takes(&self, share: &Share) -> Takes {
        let mut takes = Takes::default();
        array(&mut takes.cells, share.cells.len());
        array(&mut takes.units, share.cells.len());
        for (&place, &units) in share.cells.iter().zip(&share.units) {
            // As text: the store's Lua would print a number into a field name at ten times the cost.
            text(&mut takes.cells, &self.cells[place as usize].to_string());
            uint(&mut takes.units, units.unsigned_abs());
        }
        if !share.counters.is_empty() {
            let counters = || share.counters.iter().map(|&place| &self.counters[place as usize]);
            array(&mut takes.counters, 3);
            array(&mut takes.counters, share.counters.len());
            counters().for_each(|counter| text(&mut takes.counters, &counter.name));
            array(&mut takes.counters, share.counters.len());
            counters().for_each(|counter| uint(&mut takes.counters, counter.limit.unsigned_abs()));
            array(&mut takes.counters, share.counters.len());
            share.counted.iter().for_each(|units| uint(&mut takes.counters, units.unsigned_abs()));
        }
        let pairs: usize = self.orders_of(share).map(|sent| self.own_takes(share, sent).count()).sum();
        array(&mut takes.by_order, share.orders.len() + 2 * pairs);
        for sent in self.orders_of(share) {
            uint(&mut takes.by_order, self.own_takes(share, sent).count() as u64);
            for (at, units) in self.own_takes(share, sent) {
                uint(&mut takes.by_order, u64::from(at) + 1);
                uint(&mut takes.by_order, units.unsigned_abs());
            }
        }
        takes
    }

    /// What a partition keeps of an attempt: [order id, home, [cell, units, ...], [[counter, units], ...]].
    fn tentative(&self, share: &Share, sent: &Sent) -> Vec<u8> {
        let cells: Vec<(CellId, i64)> = self.cell_takes[sent.cells.clone()]
            .iter()
            .filter(|&&(place, _)| share.cell_at[place as usize] != NONE)
            .map(|&(place, units)| (self.cells[place as usize], units))
            .collect();
        let counters: Vec<(&str, i64)> = self.counter_takes[sent.counters.clone()]
            .iter()
            .filter(|&&(place, _)| share.counter_at[place as usize] != NONE)
            .map(|&(place, units)| (self.counters[place as usize].name.as_str(), units))
            .collect();
        let mut out = Vec::with_capacity(32 + sent.order_id.len() + 12 * cells.len());
        array(&mut out, 4);
        text(&mut out, &sent.order_id);
        uint(&mut out, u64::from(sent.home));
        array(&mut out, 2 * cells.len());
        for (cell, units) in cells {
            uint(&mut out, cell);
            uint(&mut out, units.unsigned_abs());
        }
        array(&mut out, counters.len());
        for (name, units) in counters {
            array(&mut out, 2);
            text(&mut out, name);
            uint(&mut out, units.unsigned_abs());
        }
        out
    }
}

impl Share {
    /// The place of a cell in this share, made if it has none.
    fn cell(&mut self, place: u32) -> usize {
        let at = &mut self.cell_at[place as usize];
        if *at == NONE {
            *at = self.cells.len() as u32;
            self.cells.push(place);
            self.units.push(0);
        }
        *at as usize
    }

    fn counter(&mut self, place: u32) -> usize {
        let at = &mut self.counter_at[place as usize];
        if *at == NONE {
            *at = self.counters.len() as u32;
            self.counters.push(place);
            self.counted.push(0);
        }
        *at as usize
    }
}
