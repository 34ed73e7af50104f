//! Orders moves so that each chunk finds its stock when those before it are done, and packs them for the store.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Open, Reallocation};
use crate::ids::{CellId, partition_of};
use crate::record::{HEAD_BYTES, array, bytes, text, uint};

/// Bytes of a chunk's records, beyond which it takes no more moves: some milliseconds of the store's time.
const CHUNK_BYTES_MAX: usize = 64 << 10;

/// Moves of one ring that are done together at the most.
const RING_MAX: usize = 400;

/// Moves of one partition that are done in one call.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Which partition.
    pub partition: u32,
    /// As the store's function reads them.
    pub rows: Vec<u8>,
    /// How many.
    pub orders: usize,
}

/// A move of an order that holds, or is to hold, stock of several partitions.
#[derive(Debug, PartialEq, Eq)]
pub struct Spanning {
    /// Whose.
    pub id: String,
    /// The version that the order must have.
    pub version: u32,
    /// Its fingerprint and body afterwards, and before.
    pub rests: [Vec<u8>; 2],
    /// What one that waited becomes.
    pub becomes: Option<i64>,
    /// Counters that it is bound by and their limits, but for those of warehouses' days.
    pub limits: Vec<(String, i64)>,
}

impl Reallocation {
    /// Packs all moves in chunks of about so many, but those that span partitions, which come one by one; `homes` are the
    /// partitions of the orders that move, in their order.
    pub fn sequence(&mut self, homes: &[u32], partitions: u32, chunk_orders: usize) -> (Vec<Chunk>, Vec<Spanning>) {
        let moves: Vec<usize> = self.moves().map(|(at, _, _)| at).collect();
        let home_of: FxHashMap<usize, u32> = moves.iter().copied().zip(homes.iter().copied()).collect();
        // Who gives to whom does not end at partitions.
        let groups = self.groups(&moves);
        let mut chunks = Vec::new();
        let mut open: Vec<Vec<usize>> = vec![Vec::new(); partitions.max(1) as usize];
        let mut spanning: Vec<usize> = Vec::new();
        for group in groups {
            for (partition, chunk) in (0..).zip(open.iter_mut()) {
                let own = |&&at: &&usize| {
                    home_of[&at] == partition && (partitions <= 1 || self.is_local(at, partition, partitions))
                };
                let own: Vec<usize> = group.iter().filter(own).copied().collect();
                let bytes = |moves: &[usize]| moves.iter().map(|&at| self.bytes(at)).sum::<usize>();
                let is_full =
                    chunk.len() + own.len() > chunk_orders.max(1) || bytes(chunk) + bytes(&own) > CHUNK_BYTES_MAX;
                if !chunk.is_empty() && !own.is_empty() && is_full {
                    chunks.push(self.pack(partition, &std::mem::take(chunk)));
                }
                chunk.extend(own);
            }
            spanning.extend(group.iter().filter(|&&at| partitions > 1 && !self.is_local(at, home_of[&at], partitions)));
        }
        for (partition, chunk) in (0..).zip(&open).filter(|(_, chunk)| !chunk.is_empty()) {
            chunks.push(self.pack(partition, chunk));
        }
        let apart = |(_, open, made): (usize, &Open, &super::Move)| Spanning {
            id: open.id.to_string(),
            version: made.version,
            rests: [made.amended.rest.clone(), open.stored[HEAD_BYTES.min(open.stored.len())..].to_vec()],
            becomes: made.amended.becomes,
            limits: made.limits().cloned().collect(),
        };
        let spanning = spanning.iter().filter_map(|&at| self.made(at)).map(apart).collect();
        (chunks, spanning)
    }

    /// Ids of the orders that move.
    pub fn moved(&self) -> impl Iterator<Item = &str> {
        self.moves().map(|(_, open, _)| &*open.id)
    }

    fn is_local(&self, at: usize, home: u32, partitions: u32) -> bool {
        let Some((_, open, made)) = self.made(at) else { return false };
        let cells = open.held.iter().chain(&made.changes).map(|&(cell, _)| cell);
        let bound = made.amended.limits.iter().map(|(name, _)| name);
        let counters = made.counters.iter().chain(bound).chain(&made.days_left);
        let of_counter = |name: &String| {
            let digits: String = name.trim_start_matches('@').chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u64>().is_ok_and(|number| number % u64::from(partitions) == u64::from(home))
        };
        cells.into_iter().all(|cell| partition_of(cell, partitions) == home) && counters.into_iter().all(of_counter)
    }

    fn made(&self, at: usize) -> Option<(usize, &Open, &super::Move)> {
        match &self.orders[at].outcome {
            super::Outcome::Moves(made) => Some((at, &self.orders[at], made)),
            _ => None,
        }
    }

    /// Of what an order's record becomes.
    fn bytes(&self, at: usize) -> usize {
        self.made(at).map_or(0, |(_, _, made)| made.amended.rest.len())
    }

    fn changes(&self, at: usize) -> &[(CellId, i64)] {
        self.made(at).map_or(&[], |(_, _, made)| &made.changes)
    }

    /// Moves one by one, each of which finds its stock after those before; those that wait for each other in a ring together.
    fn groups(&mut self, moves: &[usize]) -> Vec<Vec<usize>> {
        let mut free: FxHashMap<CellId, i64> = FxHashMap::default();
        let mut givers: FxHashMap<CellId, Vec<usize>> = FxHashMap::default();
        for &at in moves {
            for &(cell, units) in self.changes(at) {
                free.entry(cell).or_insert_with(|| self.free.get(&cell).copied().unwrap_or(0));
                if units < 0 {
                    givers.entry(cell).or_default().push(at);
                }
            }
        }
        let mut waiting: FxHashMap<CellId, Vec<usize>> = FxHashMap::default();
        let mut left: FxHashSet<usize> = moves.iter().copied().collect();
        let mut ready: VecDeque<usize> = moves.iter().copied().collect();
        let mut groups = Vec::new();
        let mut next = 0;
        loop {
            while let Some(at) = ready.pop_front() {
                if !left.contains(&at) {
                    continue;
                }
                let lacks = self.changes(at).iter().find(|&&(cell, units)| units > 0 && units > free[&cell]);
                if let Some(&(cell, _)) = lacks {
                    waiting.entry(cell).or_default().push(at);
                    continue;
                }
                self.done(&[at], &mut free, &mut left, &mut waiting, &mut ready);
                groups.push(vec![at]);
            }
            while next < moves.len() && !left.contains(&moves[next]) {
                next += 1;
            }
            let Some(&first) = moves.get(next) else { return groups };
            if let Some(ring) = self.ring(first, &free, &givers, &left) {
                self.done(&ring, &mut free, &mut left, &mut waiting, &mut ready);
                groups.push(ring);
            } else {
                // Too many hang together: the rest of them is better off without this one than all of them undone.
                left.remove(&first);
                self.keep(first, "stock_went_to_others");
            }
        }
    }

    /// Notes that moves are done, and looks again at those that waited for what they give.
    fn done(
        &self,
        group: &[usize],
        free: &mut FxHashMap<CellId, i64>,
        left: &mut FxHashSet<usize>,
        waiting: &mut FxHashMap<CellId, Vec<usize>>,
        ready: &mut VecDeque<usize>,
    ) {
        for &at in group {
            left.remove(&at);
            for &(cell, units) in self.changes(at) {
                *free.entry(cell).or_default() -= units;
                if units < 0 {
                    ready.extend(waiting.remove(&cell).unwrap_or_default());
                }
            }
        }
    }

    /// A move, and others that give what it and they need: so that all of them find their stock when they are done at once.
    fn ring(
        &self,
        first: usize,
        free: &FxHashMap<CellId, i64>,
        givers: &FxHashMap<CellId, Vec<usize>>,
        left: &FxHashSet<usize>,
    ) -> Option<Vec<usize>> {
        let mut ring = vec![first];
        let mut inside: FxHashSet<usize> = ring.iter().copied().collect();
        let mut net: FxHashMap<CellId, i64> = self.changes(first).iter().copied().collect();
        let mut open: Vec<CellId> = self.changes(first).iter().map(|&(cell, _)| cell).collect();
        while let Some(cell) = open.pop() {
            while net[&cell] > 0 && net[&cell] > free[&cell] {
                let giver = givers.get(&cell)?.iter().copied().find(|at| left.contains(at) && !inside.contains(at))?;
                if ring.len() >= RING_MAX {
                    return None;
                }
                ring.push(giver);
                inside.insert(giver);
                for &(other, units) in self.changes(giver) {
                    *net.entry(other).or_default() += units;
                    if units > 0 {
                        open.push(other);
                    }
                }
            }
        }
        Some(ring)
    }

    /// `[[id, version, fingerprint and body, what one that waited becomes or nothing], ...], [counter, limit, ...]`.
    fn pack(&self, partition: u32, moves: &[usize]) -> Chunk {
        let made: Vec<_> = moves.iter().filter_map(|&at| self.made(at)).collect();
        let mut limits: Vec<&(String, i64)> = made.iter().flat_map(|(_, _, made)| made.limits()).collect();
        limits.sort_unstable();
        limits.dedup();
        let mut rows = Vec::new();
        array(&mut rows, 2);
        array(&mut rows, made.len());
        for (_, open, made) in &made {
            array(&mut rows, if made.amended.becomes.is_some() { 4 } else { 3 });
            text(&mut rows, &open.id);
            uint(&mut rows, u64::from(made.version));
            bytes(&mut rows, &made.amended.rest);
            if let Some(becomes) = made.amended.becomes {
                let _ = rmp::encode::write_sint(&mut rows, becomes);
            }
        }
        array(&mut rows, 2 * limits.len());
        for (name, limit) in limits {
            text(&mut rows, name);
            uint(&mut rows, limit.unsigned_abs());
        }
        Chunk { partition, rows, orders: made.len() }
    }
}
