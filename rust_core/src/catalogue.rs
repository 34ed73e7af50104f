//! Names and their numbers, and what planning must know of SKUs and warehouses.

use rustc_hash::FxHashMap;

use crate::assortment::Assortment;
use crate::geo::Point;
use crate::ids::{CHANNELS_MAX, ChannelId, SHARED, SKUS_MAX, SkuId, WAREHOUSES_MAX, WarehouseId};

/// Names with dense numbers. Numbers come from outside and may leave gaps.
#[derive(Debug, Default)]
struct Names {
    numbers: FxHashMap<Box<str>, u32>,
    names: Vec<Option<Box<str>>>,
}

impl Names {
    fn put(&mut self, number: u32, name: &str) {
        let at = number as usize;
        if self.names.len() <= at {
            self.names.resize(at + 1, None);
        }
        self.names[at] = Some(name.into());
        self.numbers.insert(name.into(), number);
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    fn name(&self, number: u32) -> Option<&str> {
        self.names.get(number as usize)?.as_deref()
    }
}

/// What planning must know of a SKU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkuTerms {
    /// Grams of one unit.
    pub weight_g: i64,
    /// Cubic centimetres of one unit; 0 where that is not known.
    pub volume_cm3: i64,
    /// Units that one customer may take; 0 for no limit.
    pub purchase_limit: i64,
}

impl SkuTerms {
    /// Grams that one unit is charged as where so many cubic centimetres count as a kilogram at the least; 0 for none.
    #[must_use]
    pub fn chargeable_g(&self, cm3_per_kg: u32) -> i64 {
        if cm3_per_kg == 0 {
            return self.weight_g;
        }
        let by_volume = self.volume_cm3.saturating_mul(1000).saturating_add(i64::from(cm3_per_kg) - 1);
        self.weight_g.max(by_volume / i64::from(cm3_per_kg))
    }
}

/// What planning must know of a warehouse. Money in minor units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarehouseTerms {
    /// Where it stands.
    pub point: Point,
    /// Whether it may serve new orders.
    pub enabled: bool,
    /// Lower ranks first, under the priority policy and wherever costs tie.
    pub priority: u32,
    /// Once per shipment.
    pub fixed_cost: i64,
    /// Per unit.
    pub unit_cost: i64,
    /// Per kilometre and shipment.
    pub cost_per_km: f64,
    /// Orders that it serves on a day, if that is bounded.
    pub capacity: Option<i64>,
}

/// The network as planning sees it.
#[derive(Debug, Default)]
pub struct Catalogue {
    sku_names: Names,
    skus: Vec<SkuTerms>,
    warehouse_names: Names,
    warehouses: Vec<Option<WarehouseTerms>>,
    ranked: Vec<WarehouseId>,
    /// Place among the ranked, by number.
    ranks: Vec<u32>,
    capped: bool,
    channel_names: Names,
    /// Bundles and substitutes.
    pub assortment: Assortment,
}

impl Catalogue {
    /// Adds or replaces a SKU; `false`, and nothing done, when the number is beyond [`SKUS_MAX`].
    #[must_use]
    pub fn put_sku(&mut self, sku: SkuId, name: &str, terms: SkuTerms) -> bool {
        if sku >= SKUS_MAX {
            return false;
        }
        let at = sku as usize;
        if self.skus.len() <= at {
            self.skus.resize(at + 1, SkuTerms::default());
        }
        self.skus[at] = terms;
        self.sku_names.put(sku, name);
        true
    }

    /// Adds or replaces a warehouse; `false`, and nothing done, when the number is beyond [`WAREHOUSES_MAX`].
    #[must_use]
    pub fn put_warehouse(&mut self, warehouse: WarehouseId, name: &str, terms: WarehouseTerms) -> bool {
        if warehouse >= WAREHOUSES_MAX {
            return false;
        }
        let at = warehouse as usize;
        if self.warehouses.len() <= at {
            self.warehouses.resize(at + 1, None);
        }
        self.warehouses[at] = Some(terms);
        self.warehouse_names.put(warehouse, name);
        self.rank();
        true
    }

    /// Ties are broken by priority and then by name, so that equal networks plan alike in whatever order they were built.
    fn rank(&mut self) {
        let mut ranked: Vec<(u32, &str, WarehouseId)> = Vec::with_capacity(self.warehouses.len());
        for (number, terms) in (0..).zip(&self.warehouses) {
            if let (Some(terms), Some(name)) = (terms, self.warehouse_names.name(number)) {
                ranked.push((terms.priority, name, number));
            }
        }
        ranked.sort_unstable();
        self.ranked = ranked.into_iter().map(|(_, _, number)| number).collect();
        self.ranks = vec![u32::MAX; self.warehouses.len()];
        for (rank, &number) in (0..).zip(&self.ranked) {
            self.ranks[number as usize] = rank;
        }
        self.capped = self.warehouses.iter().flatten().any(|terms| terms.capacity.is_some());
    }

    /// Adds a channel that has pools of its own; `false`, and nothing done, when the number names no channel.
    #[must_use]
    pub fn put_channel(&mut self, channel: ChannelId, name: &str) -> bool {
        let fits = channel != SHARED && channel < CHANNELS_MAX;
        if fits {
            self.channel_names.put(channel, name);
        }
        fits
    }

    /// The number of a channel that has pools.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<ChannelId> {
        if self.channel_names.names.is_empty() { None } else { self.channel_names.number(name) }
    }

    /// The number of a SKU.
    #[must_use]
    pub fn sku(&self, name: &str) -> Option<SkuId> {
        self.sku_names.number(name)
    }

    /// The name of a SKU.
    #[must_use]
    pub fn sku_name(&self, sku: SkuId) -> Option<&str> {
        self.sku_names.name(sku)
    }

    /// The terms of a SKU; those of an unknown one weigh nothing and limit nothing.
    #[must_use]
    pub fn sku_terms(&self, sku: SkuId) -> SkuTerms {
        self.skus.get(sku as usize).copied().unwrap_or_default()
    }

    /// The number of a warehouse.
    #[must_use]
    pub fn warehouse(&self, name: &str) -> Option<WarehouseId> {
        self.warehouse_names.number(name)
    }

    /// The name of a warehouse.
    #[must_use]
    pub fn warehouse_name(&self, warehouse: WarehouseId) -> Option<&str> {
        self.warehouse_names.name(warehouse)
    }

    /// The terms of a warehouse.
    #[must_use]
    pub fn warehouse_terms(&self, warehouse: WarehouseId) -> Option<&WarehouseTerms> {
        self.warehouses.get(warehouse as usize)?.as_ref()
    }

    /// Every warehouse, by priority and then by name.
    #[must_use]
    pub fn ranked(&self) -> &[WarehouseId] {
        &self.ranked
    }

    /// A warehouse's place among [`Self::ranked`].
    #[must_use]
    pub fn rank_of(&self, warehouse: WarehouseId) -> u32 {
        self.ranks.get(warehouse as usize).copied().unwrap_or(u32::MAX)
    }

    /// Whether any warehouse serves a bounded number of orders a day.
    #[must_use]
    pub fn capped(&self) -> bool {
        self.capped
    }

    /// One more than the largest warehouse number.
    #[must_use]
    pub fn warehouse_numbers(&self) -> usize {
        self.warehouses.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(priority: u32) -> WarehouseTerms {
        WarehouseTerms {
            point: Point::from_degrees(0.0, 0.0),
            enabled: true,
            priority,
            fixed_cost: 0,
            unit_cost: 0,
            cost_per_km: 0.0,
            capacity: None,
        }
    }

    #[test]
    fn rank_is_priority_then_name_whatever_the_numbers() {
        let mut catalogue = Catalogue::default();
        assert!(catalogue.put_warehouse(2, "b", terms(1)));
        assert!(catalogue.put_warehouse(0, "c", terms(1)));
        assert!(catalogue.put_warehouse(5, "a", terms(2)));
        assert_eq!(catalogue.ranked(), [2, 0, 5]);
        assert!(catalogue.put_warehouse(5, "a", terms(0)));
        assert_eq!(catalogue.ranked(), [5, 2, 0]);
    }

    #[test]
    fn numbers_beyond_a_cell_are_refused() {
        assert!(!Catalogue::default().put_warehouse(WAREHOUSES_MAX, "x", terms(1)));
        assert!(!Catalogue::default().put_sku(SKUS_MAX, "x", SkuTerms::default()));
        assert!(!Catalogue::default().put_channel(SHARED, "x"));
        assert!(!Catalogue::default().put_channel(CHANNELS_MAX, "x"));
    }

    #[test]
    fn a_capacity_that_is_taken_away_bounds_nothing() {
        let mut catalogue = Catalogue::default();
        assert!(catalogue.put_warehouse(0, "a", WarehouseTerms { capacity: Some(0), ..terms(1) }));
        assert!(catalogue.put_warehouse(1, "b", terms(1)));
        assert!(catalogue.capped());
        assert!(catalogue.put_warehouse(0, "a", terms(1)));
        assert!(!catalogue.capped());
    }
}
