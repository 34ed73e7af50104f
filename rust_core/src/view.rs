//! The stock view: this process's copy of what is free in every cell. It advises; the store decides.
//!
//! Every event is a difference, so its order among our own takes does not matter; a level read from the store replaces
//! what the view holds, and carries the newest event's stamp so that older events are not counted twice. Levels and
//! events come over different connections: a level that an applied event has overtaken is not taken, as it lacks that
//! event. The events of one cell come in their order.

use crate::ids::{CellId, SkuId, WarehouseId, cell_id, split_cell_id};

/// What is free of one SKU at one warehouse.
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
}

impl View {
    /// The levels of a SKU, by warehouse number.
    #[must_use]
    pub fn row(&self, sku: SkuId) -> &[Level] {
        self.rows.get(sku as usize).map_or(&[], Vec::as_slice)
    }

    /// How many cells are known.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// What is free in a cell; 0 for one that is not known.
    #[must_use]
    pub fn free(&self, sku: SkuId, warehouse: WarehouseId) -> i64 {
        let row = self.row(sku);
        row.binary_search_by_key(&warehouse, |level| level.warehouse).map_or(0, |at| row[at].free)
    }

    fn level(&mut self, cell: CellId) -> Option<&mut Level> {
        let (sku, warehouse) = split_cell_id(cell)?;
        let at = sku as usize;
        if self.rows.len() <= at {
            self.rows.resize(at + 1, Vec::new());
        }
        let row = &mut self.rows[at];
        let found = match row.binary_search_by_key(&warehouse, |level| level.warehouse) {
            Ok(found) => found,
            Err(place) => {
                row.insert(place, Level { warehouse, free: 0, as_of: 0 });
                self.cells += 1;
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
        let known = split_cell_id(cell).is_some_and(|(sku, warehouse)| {
            self.row(sku).binary_search_by_key(&warehouse, |level| level.warehouse).is_ok()
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

    /// Known cells whose number is `start` or more, in their order: all of them, or of one SKU, one warehouse, or both.
    #[must_use]
    pub fn cells_from(
        &self,
        sku: Option<SkuId>,
        warehouse: Option<WarehouseId>,
        start: CellId,
        limit: usize,
    ) -> Vec<CellId> {
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
