//! Opportunity prices: what a unit of a cell, or a shipment of a warehouse, is held to be worth to orders that are yet to
//! come. Plans are chosen by cost and price together; what is booked is the cost.

use rustc_hash::FxHashMap;

use crate::cost::COST_MAX;
use crate::ids::{SKUS_MAX, SkuId, WAREHOUSES_MAX, WarehouseId};

/// Prices of cells and warehouses in minor units; 0 where none was given.
#[derive(Debug, Default)]
pub struct Prices {
    /// By SKU, sorted by warehouse.
    cells: FxHashMap<SkuId, Box<[(WarehouseId, i64)]>>,
    /// By warehouse number.
    warehouses: Box<[i64]>,
}

impl Prices {
    /// Of these cells a unit, and of these warehouses a shipment; the last of several of one kind. The message says which is
    /// out of range.
    pub fn new(cells: &[(SkuId, WarehouseId, i64)], warehouses: &[(WarehouseId, i64)]) -> Result<Self, String> {
        let check = |what: String, price: i64, fits: bool| match (fits, (0..=COST_MAX).contains(&price)) {
            (true, true) => Ok(()),
            (false, _) => Err(format!("{what} is out of range")),
            _ => Err(format!("the price of {what} must be 0 to {COST_MAX}, not {price}")),
        };
        let mut rows: FxHashMap<SkuId, Vec<(WarehouseId, i64)>> = FxHashMap::default();
        for &(sku, warehouse, price) in cells {
            check(format!("cell ({sku}, {warehouse})"), price, sku < SKUS_MAX && warehouse < WAREHOUSES_MAX)?;
            let row = rows.entry(sku).or_default();
            match row.binary_search_by_key(&warehouse, |&(known, _)| known) {
                Ok(place) => row[place].1 = price,
                Err(place) => row.insert(place, (warehouse, price)),
            }
        }
        let mut of_shipments = Vec::new();
        for &(warehouse, price) in warehouses {
            check(format!("warehouse {warehouse}"), price, warehouse < WAREHOUSES_MAX)?;
            let at = warehouse as usize;
            if of_shipments.len() <= at {
                of_shipments.resize(at + 1, 0);
            }
            of_shipments[at] = price;
        }
        let cells = rows.into_iter().map(|(sku, row)| (sku, row.into())).collect();
        Ok(Self { cells, warehouses: of_shipments.into() })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.warehouses.is_empty()
    }

    /// Of a unit.
    #[must_use]
    pub fn of_unit(&self, sku: SkuId, warehouse: WarehouseId) -> i64 {
        let Some(row) = self.cells.get(&sku) else { return 0 };
        row.binary_search_by_key(&warehouse, |&(known, _)| known).map_or(0, |place| row[place].1)
    }

    /// Of a line.
    #[must_use]
    pub fn of_line(&self, sku: SkuId, warehouse: WarehouseId, quantity: i64) -> i64 {
        self.of_unit(sku, warehouse).saturating_mul(quantity).min(COST_MAX)
    }

    /// Of a shipment.
    #[must_use]
    pub fn of_shipment(&self, warehouse: WarehouseId) -> i64 {
        self.warehouses.get(warehouse as usize).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue::WarehouseTerms;
    use crate::fixture::{demand, lines, planner, warehouse};

    #[test]
    fn the_last_price_counts_and_what_has_none_is_free() {
        let prices = Prices::new(&[(3, 9, 5), (3, 1, 7), (3, 9, 6)], &[(2, 40), (2, 50)]).unwrap();
        assert_eq!(
            (prices.of_unit(3, 9), prices.of_unit(3, 1), prices.of_unit(3, 2), prices.of_unit(4, 9)),
            (6, 7, 0, 0)
        );
        assert_eq!((prices.of_shipment(2), prices.of_shipment(1), prices.of_shipment(3)), (50, 0, 0));
        assert!(Prices::default().is_empty() && !prices.is_empty());
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        for (cells, warehouses, named) in [
            (vec![(SKUS_MAX, 0, 1)], vec![], "cell (1"),
            (vec![(0, WAREHOUSES_MAX, 1)], vec![], "cell (0"),
            (vec![(0, 0, -1)], vec![], "must be 0 to"),
            (vec![], vec![(WAREHOUSES_MAX, 1)], "warehouse 4096"),
            (vec![], vec![(0, COST_MAX + 1)], "must be 0 to"),
        ] {
            assert!(Prices::new(&cells, &warehouses).unwrap_err().contains(named), "{named}");
        }
    }

    /// The near warehouse is cheaper by 30; its units, or its shipments, are held to be worth more.
    #[test]
    fn plans_are_chosen_by_cost_and_price_and_book_the_cost() {
        let at = |fixed_cost| WarehouseTerms { fixed_cost, ..warehouse(0.0) };
        let mut planner = planner(&[at(100), at(130)], &[&[9, 9], &[2, 2]]);
        let both = demand(&planner, json!({"lines": lines(&[(0, 2), (1, 1)])}));
        let chosen = |planner: &mut crate::planner::Planner| {
            let plan = planner.plan(&both).unwrap();
            assert!(plan.proven);
            (plan.shipments[0].warehouse, plan.cost())
        };
        for (cells, warehouses, expected) in [
            (vec![], vec![], (0, 100)),
            (vec![(0, 0, 14)], vec![], (0, 100)),
            (vec![(0, 0, 16)], vec![], (1, 130)),
            (vec![(0, 0, 16), (1, 1, 3)], vec![], (0, 100)),
            (vec![], vec![(0, 31)], (1, 130)),
        ] {
            planner.prices = Prices::new(&cells, &warehouses).unwrap();
            assert_eq!(chosen(&mut planner), expected, "{cells:?} {warehouses:?}");
        }
    }

    #[test]
    fn a_line_that_is_shared_comes_from_where_cost_and_price_are_least() {
        let mut planner = planner(&[warehouse(0.0), warehouse(0.0)], &[&[6, 6]]);
        planner.prices = Prices::new(&[(0, 0, 10)], &[]).unwrap();
        let demand = demand(&planner, json!({"lines": lines(&[(0, 8)])}));
        let plan = planner.plan(&demand).unwrap();
        let units: Vec<i64> = plan.shipments.iter().map(|shipment| shipment.lines[0].1).collect();
        assert_eq!((units, plan.cost(), plan.proven), (vec![2, 6], 0, true));
    }
}
