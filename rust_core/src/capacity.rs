//! How many orders each warehouse serves today, of those with a bound on it, as far as this process knows. It advises; the
//! store decides.
//!
//! What is not known counts as free. Replies of the store teach it, and this process's own plans go on from there. Orders
//! that end elsewhere free some of it, which no event names: then all that is known may be too much, and a warehouse that
//! looks full is asked about anew.

use rustc_hash::FxHashMap;

use crate::catalogue::{Catalogue, WarehouseTerms};
use crate::ids::WarehouseId;

/// Days since 1970, UTC.
pub type Day = u32;

/// Orders of one warehouse.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    orders: i64,
    /// How many doubts there were when the store was asked.
    as_of: u64,
}

/// What is used of the capacities of one day.
#[derive(Clone, Debug, Default)]
pub struct Capacity {
    day: Option<Day>,
    used: FxHashMap<WarehouseId, Used>,
    doubts: u64,
}

impl Capacity {
    /// The day that plans are made for; with none, capacities bound nothing.
    #[must_use]
    pub fn day(&self) -> Option<Day> {
        self.day
    }

    /// Goes on to a day; what is known of another one is forgotten.
    pub fn set_day(&mut self, day: Option<Day>) {
        if self.day != day {
            self.day = day;
            self.used.clear();
        }
    }

    /// How many doubts there have been.
    #[must_use]
    pub fn doubts(&self) -> u64 {
        self.doubts
    }

    /// Orders have ended or changed: warehouses may serve fewer than is known.
    pub fn doubt(&mut self) {
        self.doubts += 1;
    }

    /// Orders that a warehouse serves today, as far as is known.
    #[must_use]
    pub fn used(&self, warehouse: WarehouseId) -> i64 {
        self.used.get(&warehouse).map_or(0, |used| used.orders)
    }

    /// Whether a warehouse serves no more orders today.
    #[must_use]
    pub fn is_full(&self, warehouse: WarehouseId, terms: &WarehouseTerms) -> bool {
        terms.capacity.is_some_and(|capacity| self.day.is_some() && self.used(warehouse) >= capacity)
    }

    /// Whether any warehouse that a capacity bounds serves no more orders today.
    #[must_use]
    pub fn any_full(&self, catalogue: &Catalogue) -> bool {
        catalogue.capped()
            && catalogue.ranked().iter().any(|&warehouse| {
                catalogue.warehouse_terms(warehouse).is_some_and(|terms| self.is_full(warehouse, terms))
            })
    }

    /// Warehouses that look full by what may be too much, in no order.
    pub(crate) fn doubtful(&self, catalogue: &Catalogue) -> Vec<WarehouseId> {
        if !catalogue.capped() {
            return Vec::new();
        }
        let old = self.used.iter().filter(|(_, used)| used.as_of < self.doubts);
        let full = old.filter(|&(&warehouse, _)| {
            catalogue.warehouse_terms(warehouse).is_some_and(|terms| self.is_full(warehouse, terms))
        });
        full.map(|(&warehouse, _)| warehouse).collect()
    }

    /// Takes orders that are planned for a day (negative: gives them back).
    pub fn take(&mut self, day: Day, warehouse: WarehouseId, orders: i64) {
        if self.day == Some(day) {
            let used = self.used.entry(warehouse).or_default();
            used.orders = used.orders.saturating_add(orders).max(0);
        }
    }

    /// Replaces what is known by what the store says, which was asked after so many doubts.
    pub fn set(&mut self, day: Day, warehouse: WarehouseId, orders: i64, doubts: u64) {
        if self.day == Some(day) {
            self.used.insert(warehouse, Used { orders, as_of: doubts });
        }
    }
}

/// The name of the counter of a warehouse's orders of a day.
#[must_use]
pub fn counter_name(warehouse: WarehouseId, day: Day) -> String {
    format!("@{warehouse}:{day}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn catalogue(capacity: Option<i64>) -> Catalogue {
        let mut catalogue = Catalogue::default();
        assert!(catalogue.put_warehouse(3, "w", WarehouseTerms { capacity, ..fixture::warehouse(0.0) }));
        catalogue
    }

    #[test]
    fn a_warehouse_is_full_at_its_capacity_on_that_day_only() {
        let (catalogue, mut capacity) = (catalogue(Some(2)), Capacity::default());
        capacity.set_day(Some(7));
        capacity.take(7, 3, 1);
        assert!(!capacity.any_full(&catalogue));
        capacity.take(7, 3, 1);
        capacity.take(8, 3, -1);
        assert!(capacity.any_full(&catalogue));
        capacity.set_day(None);
        assert!(!capacity.any_full(&catalogue));
        capacity.set_day(Some(8));
        assert_eq!((capacity.any_full(&catalogue), capacity.used(3)), (false, 0));
    }

    #[test]
    fn a_changed_capacity_counts_at_once_and_one_of_none_bounds_nothing() {
        let mut capacity = Capacity::default();
        capacity.set_day(Some(7));
        capacity.set(7, 3, 5, 0);
        for (bound, full) in [(Some(5), true), (Some(6), false), (Some(0), true), (None, false)] {
            assert_eq!(capacity.any_full(&catalogue(bound)), full, "{bound:?}");
        }
        assert!(Capacity { day: Some(1), ..Capacity::default() }.any_full(&catalogue(Some(0))));
    }

    #[test]
    fn a_doubt_asks_for_what_looks_full_until_it_was_read_since() {
        let (catalogue, mut capacity) = (catalogue(Some(2)), Capacity::default());
        capacity.set_day(Some(7));
        capacity.set(7, 3, 2, capacity.doubts());
        assert!(capacity.doubtful(&catalogue).is_empty());
        let asked = capacity.doubts();
        capacity.doubt();
        assert_eq!(capacity.doubtful(&catalogue), [3]);
        // What was asked before the doubt does not end it.
        capacity.set(7, 3, 2, asked);
        assert_eq!(capacity.doubtful(&catalogue), [3]);
        capacity.set(7, 3, 2, capacity.doubts());
        assert!(capacity.doubtful(&catalogue).is_empty());
    }
}
