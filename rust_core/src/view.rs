//! The stock view: this process's copy of what is free in every cell. It advises; the store decides.
//!
//! What all channels share and what is set apart for one are cells alike, and neither needs the other to be known.
//!
//! Every event is a difference, so its order among our own takes does not matter; a level read from the store replaces
//! what the view holds, and carries the newest event's stamp so that older events are not counted twice. Levels and
//! events come over different connections: a level that an applied event has overtaken is not taken, as it lacks that
//! event. The events of one cell come in their order.

use rustc_hash::FxHashMap;

use crate::ids::{CHANNEL_CELLS, CellId, ChannelId, SHARED, SkuId, WarehouseId, cell_id, channel_of, split_cell_id};

/// What is free of one SKU at one warehouse: in the rest that all share, or in one channel's pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Which warehouse.
    pub warehouse: WarehouseId,
    /// Units; below zero where safety stock was raised above what reservations leave.
    pub free: i64,
    /// Stamp of the newest level or event that it holds.
    as_of: u64,
}

/// All levels, a sorted row a SKU.
#[derive(Debug, Default)]
pub struct View {
    rows: Vec<Vec<Level>>,
    cells: usize,
    /// Rows of the channels' pools: few SKUs have any.
    pools: Vec<FxHashMap<SkuId, Vec<Level>>>,
}

impl View {
    /// The levels of a SKU that all channels share, by warehouse number.
    #[must_use]
    pub fn row(&self, sku: SkuId) -> &[Level] {
        self.rows.get(sku as usize).map_or(&[], Vec::as_slice)
    }

    /// The levels of a channel's pools of a SKU, by warehouse number; none of [`SHARED`].
    #[must_use]
    pub fn pool(&self, channel: ChannelId, sku: SkuId) -> &[Level] {
        let own = (channel as usize).checked_sub(1).and_then(|at| self.pools.get(at));
        own.and_then(|rows| rows.get(&sku)).map_or(&[], Vec::as_slice)
    }

    /// How many cells are known; pools are not counted.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// What is free in the cell that all share; 0 for one that is not known.
    #[must_use]
    pub fn free(&self, sku: SkuId, warehouse: WarehouseId) -> i64 {
        free_at(self.row(sku), warehouse)
    }

    /// What is free in a channel's pool; 0 for one that is not known.
    #[must_use]
    pub fn free_in_pool(&self, channel: ChannelId, sku: SkuId, warehouse: WarehouseId) -> i64 {
        free_at(self.pool(channel, sku), warehouse)
    }

    fn level(&mut self, cell: CellId) -> Option<&mut Level> {
        let (sku, warehouse) = split_cell_id(cell)?;
        let channel = channel_of(cell);
        let row = if channel == SHARED {
            let at = sku as usize;
            if self.rows.len() <= at {
                self.rows.resize(at + 1, Vec::new());
            }
            &mut self.rows[at]
        } else {
            let at = channel as usize - 1;
            if self.pools.len() <= at {
                self.pools.resize_with(at + 1, FxHashMap::default);
            }
            self.pools[at].entry(sku).or_default()
        };
        let found = match row.binary_search_by_key(&warehouse, |level| level.warehouse) {
            Ok(found) => found,
            Err(place) => {
                row.insert(place, Level { warehouse, free: 0, as_of: 0 });
                self.cells += usize::from(channel == SHARED);
                place
            }
        };
        row.get_mut(found)
    }

    /// Takes units that a plan wants (negative: gives them back).
    pub fn take(&mut self, cell: CellId, units: i64) {
        if let Some(level) = self.level(cell) {
            level.free = level.free.saturating_sub(units);
        }
    }

    /// Replaces a level by one read from the store when `stamp` was its newest event, unless it holds a newer event.
    pub fn set(&mut self, cell: CellId, free: i64, stamp: u64) {
        if let Some(level) = self.level(cell)
            && stamp >= level.as_of
        {
            level.free = free;
            level.as_of = stamp;
        }
    }

    /// As `set`, but makes no cell where nothing is: a shortage asks for cells that may not exist.
    pub fn refresh(&mut self, cell: CellId, free: i64, stamp: u64) {
        let channel = channel_of(cell);
        let known = split_cell_id(cell).is_some_and(|(sku, warehouse)| {
            let row = if channel == SHARED { self.row(sku) } else { self.pool(channel, sku) };
            row.binary_search_by_key(&warehouse, |level| level.warehouse).is_ok()
        });
        if known || free != 0 {
            self.set(cell, free, stamp);
        }
    }

    /// Applies what another process took, unless a level read since then holds it already. Once an event and cell.
    pub fn apply(&mut self, cell: CellId, taken: i64, stamp: u64) {
        if let Some(level) = self.level(cell)
            && stamp > level.as_of
        {
            level.free = level.free.saturating_sub(taken);
            level.as_of = stamp;
        }
    }

    /// Known cells that all channels share, from the number `start` on, in their order: all of them, or of one SKU, one
    /// warehouse, or both.
    #[must_use]
    pub fn cells_from(
        &self,
        sku: Option<SkuId>,
        warehouse: Option<WarehouseId>,
        start: CellId,
        limit: usize,
    ) -> Vec<CellId> {
        if start >= CHANNEL_CELLS {
            return Vec::new();
        }
        let (first, last) = match sku {
            Some(sku) => (sku as usize, (sku as usize + 1).min(self.rows.len())),
            None => (split_cell_id(start).map_or(self.rows.len(), |(first, _)| first as usize), self.rows.len()),
        };
        let rows = (first..last).flat_map(|row| {
            self.rows[row].iter().map(move |level| (level.warehouse, cell_id(row as SkuId, level.warehouse)))
        });
        rows.filter(|&(of, cell)| cell >= start && warehouse.is_none_or(|wanted| wanted == of))
            .map(|(_, cell)| cell)
            .take(limit)
            .collect()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

fn free_at(row: &[Level], warehouse: WarehouseId) -> i64 {
    row.binary_search_by_key(&warehouse, |level| level.warehouse).map_or(0, |at| row[at].free)
}

/// The order of an event among events: its stream id `milliseconds-sequence` as one number; `None` if it is no such id.
///
/// Sixteen bits hold the sequence: a store writes far fewer than 65,536 events in one millisecond.
#[must_use]
pub fn event_stamp(id: &[u8]) -> Option<u64> {
    let (ms, sequence) = std::str::from_utf8(id).ok()?.split_once('-')?;
    let (ms, sequence): (u64, u64) = (ms.parse().ok()?, sequence.parse().ok()?);
    ms.checked_mul(1 << 16)?.checked_add(sequence.min(0xffff))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::pool_id;

    #[test]
    fn pools_stand_beside_what_is_shared() {
        let mut view = View::default();
        // Whichever comes first, and by whichever way.
        view.apply(pool_id(2, 3, 7), -5, 4);
        assert_eq!((view.free(3, 7), view.free_in_pool(2, 3, 7), view.cells()), (0, 5, 0));
        view.set(cell_id(3, 7), 9, 4);
        view.refresh(pool_id(1, 3, 7), 0, 4);
        view.refresh(pool_id(1, 3, 8), 2, 4);
        view.take(pool_id(2, 3, 7), 1);
        assert_eq!((view.free(3, 7), view.free_in_pool(2, 3, 7), view.free_in_pool(1, 3, 8)), (9, 4, 2));
        assert!(view.pool(SHARED, 3).is_empty() && view.pool(200, 3).is_empty());
        assert_eq!(view.pool(1, 3).len(), 1);
        // Lists name each stock once.
        assert_eq!(view.cells_from(None, None, 0, 9), [cell_id(3, 7)]);
        assert!(view.cells_from(None, None, pool_id(1, 0, 0), 9).is_empty());
        view.apply(pool_id(2, 3, 7), 9, 3);
        assert_eq!(view.free_in_pool(2, 3, 7), 4, "an event older than the level");
    }

    #[test]
    fn an_event_older_than_the_level_is_not_counted_twice() {
        let mut view = View::default();
        let cell = cell_id(3, 7);
        view.set(cell, 10, 500);
        view.apply(cell, 4, 499);
        view.apply(cell, 4, 500);
        assert_eq!(view.free(3, 7), 10);
        view.apply(cell, 4, 501);
        assert_eq!(view.free(3, 7), 6);
    }

    #[test]
    fn a_level_that_an_event_has_overtaken_is_not_taken() {
        let mut view = View::default();
        let cell = cell_id(3, 7);
        view.set(cell, 10, 500);
        view.apply(cell, -25, 511);
        view.refresh(cell, 8, 510);
        view.set(cell, 8, 510);
        assert_eq!(view.free(3, 7), 35);
        // Levels as of that event hold it, and then it is not counted again.
        view.refresh(cell, 33, 511);
        view.apply(cell, -25, 511);
        assert_eq!(view.free(3, 7), 33);
        view.set(cell, 32, 511);
        assert_eq!(view.free(3, 7), 32);
    }

    #[test]
    fn what_was_forgotten_is_set_as_of_any_event() {
        let mut view = View::default();
        view.apply(cell_id(3, 7), -25, 511);
        view.clear();
        view.set(cell_id(3, 7), 4, 1);
        assert_eq!((view.free(3, 7), view.cells()), (4, 1));
    }

    #[test]
    fn a_restock_of_an_unknown_cell_makes_it() {
        let mut view = View::default();
        view.apply(cell_id(1, 2), -25, 1);
        assert_eq!(view.free(1, 2), 25);
        assert_eq!(view.cells(), 1);
        assert_eq!(view.row(0), []);
    }

    #[test]
    fn a_look_at_nothing_makes_no_cell() {
        let mut view = View::default();
        view.refresh(cell_id(1, 2), 0, 1);
        assert_eq!(view.cells(), 0);
        view.refresh(cell_id(1, 2), 5, 2);
        view.refresh(cell_id(1, 2), 0, 3);
        assert_eq!((view.cells(), view.free(1, 2)), (1, 0));
    }

    #[test]
    fn pages_of_cells_join_without_gap_or_overlap() {
        let mut view = View::default();
        for sku in [0, 2, 5] {
            for warehouse in [1, 4, 9] {
                view.set(cell_id(sku, warehouse), 1, 1);
            }
        }
        let all = view.cells_from(None, None, 0, 100);
        assert_eq!(all.len(), 9);
        let (mut paged, mut start) = (Vec::new(), 0);
        loop {
            let page = view.cells_from(None, None, start, 2);
            let Some(&last) = page.last() else { break };
            start = last + 1;
            paged.extend(page);
        }
        assert_eq!(paged, all);
        assert_eq!(view.cells_from(Some(2), Some(4), 0, 9), [cell_id(2, 4)]);
        assert_eq!(view.cells_from(None, Some(9), cell_id(2, 9) + 1, 9), [cell_id(5, 9)]);
        assert!(view.cells_from(Some(7), None, 0, 9).is_empty());
    }

    #[test]
    fn stamps_follow_the_order_of_stream_ids() {
        let stamps: Vec<_> =
            ["0-0", "1-0", "1-5", "2-0"].iter().map(|id| event_stamp(id.as_bytes()).unwrap()).collect();
        assert!(stamps.is_sorted() && stamps.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(event_stamp(b"nonsense"), None);
        assert_eq!(event_stamp(b"99999999999999999999-0"), None);
    }
}
