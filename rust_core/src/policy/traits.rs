//! What rules and filters must know of SKUs and warehouses besides their terms: classes, kinds, capabilities, when counted.

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::ids::{SkuId, WarehouseId};

/// What a warehouse is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A distribution centre.
    #[default]
    Dc,
    /// A shop.
    Store,
    /// Who makes or imports it.
    Supplier,
    /// Somebody else's warehouse.
    ThirdParty,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dc => "dc",
            Self::Store => "store",
            Self::Supplier => "supplier",
            Self::ThirdParty => "third_party",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "dc" => Self::Dc,
            "store" => Self::Store,
            "supplier" => Self::Supplier,
            "third_party" => Self::ThirdParty,
            _ => return None,
        })
    }
}

/// Numbers of capabilities, ascending.
type Capabilities = Box<[u32]>;

#[derive(Debug, Default)]
struct OfSku {
    class: Option<Box<str>>,
    needs: Capabilities,
}

#[derive(Clone, Debug, Default)]
struct OfWarehouse {
    kind: Kind,
    has: Capabilities,
    counted_ms: u64,
}

/// Traits of a network. A SKU or a warehouse that nobody spoke of has none.
#[derive(Debug, Default)]
pub struct Traits {
    capabilities: FxHashMap<Box<str>, u32>,
    // Few SKUs have any, of millions.
    skus: FxHashMap<SkuId, OfSku>,
    warehouses: Vec<OfWarehouse>,
    /// SKUs that need something.
    needing: usize,
}

impl Traits {
    /// Replaces what is known of a SKU.
    pub fn put_sku(&mut self, sku: SkuId, class: Option<&str>, needs: &[String]) {
        let needs = self.numbers(needs);
        self.needing += usize::from(!needs.is_empty());
        let before = if class.is_none() && needs.is_empty() {
            self.skus.remove(&sku)
        } else {
            self.skus.insert(sku, OfSku { class: class.map(Into::into), needs })
        };
        self.needing -= usize::from(before.is_some_and(|before| !before.needs.is_empty()));
    }

    /// Replaces what is known of a warehouse, but for when it was counted.
    pub fn put_warehouse(&mut self, warehouse: WarehouseId, kind: Kind, has: &[String]) {
        let has = self.numbers(has);
        let known = self.warehouse_mut(warehouse);
        (known.kind, known.has) = (kind, has);
    }

    /// Stock of a warehouse was counted at a time, in milliseconds since 1970; what is older changes nothing.
    pub fn counted(&mut self, warehouse: WarehouseId, at_ms: u64) {
        let known = self.warehouse_mut(warehouse);
        known.counted_ms = known.counted_ms.max(at_ms);
    }

    /// Whether stock of a warehouse was counted since a time.
    #[must_use]
    pub fn is_counted_since(&self, warehouse: WarehouseId, since_ms: u64) -> bool {
        self.warehouses.get(warehouse as usize).is_some_and(|of| of.counted_ms > 0 && of.counted_ms >= since_ms)
    }

    /// The class of a SKU.
    #[must_use]
    pub fn sku_class(&self, sku: SkuId) -> Option<&str> {
        self.skus.get(&sku)?.class.as_deref()
    }

    /// The kind of a warehouse.
    #[must_use]
    pub fn kind(&self, warehouse: WarehouseId) -> Kind {
        self.warehouses.get(warehouse as usize).map_or(Kind::default(), |of| of.kind)
    }

    /// What a SKU needs of the warehouse that it ships from; `None` for most.
    #[must_use]
    pub fn needs(&self, sku: SkuId) -> Option<&[u32]> {
        if self.needing == 0 {
            return None;
        }
        self.skus.get(&sku).map(|of| &*of.needs).filter(|needs| !needs.is_empty())
    }

    /// Whether a warehouse has all of some capabilities.
    #[must_use]
    pub fn has_all(&self, warehouse: WarehouseId, capabilities: &[u32]) -> bool {
        let has = self.warehouses.get(warehouse as usize).map_or(&[][..], |of| &of.has);
        capabilities.iter().all(|one| has.binary_search(one).is_ok())
    }

    /// The names of those that a SKU needs and a warehouse has not, sorted.
    #[must_use]
    pub fn lacks(&self, warehouse: WarehouseId, sku: SkuId) -> Vec<&str> {
        let needs = self.needs(sku).unwrap_or_default();
        let missing = |number: u32| needs.contains(&number) && !self.has_all(warehouse, &[number]);
        let mut names: Vec<&str> =
            self.capabilities.iter().filter(|&(_, &number)| missing(number)).map(|(name, _)| &**name).collect();
        names.sort_unstable();
        names
    }

    /// Whether a warehouse has a capability of a name.
    #[must_use]
    pub fn has(&self, warehouse: WarehouseId, name: &str) -> bool {
        self.capabilities.get(name).is_some_and(|&number| self.has_all(warehouse, &[number]))
    }

    /// The numbers of capabilities; `None` where one is nobody's.
    #[must_use]
    pub fn set_of(&self, names: &[Box<str>]) -> Option<Vec<u32>> {
        names.iter().map(|name| self.capabilities.get(name).copied()).collect()
    }

    fn numbers(&mut self, names: &[String]) -> Capabilities {
        let mut numbers: Vec<u32> = names
            .iter()
            .map(|name| {
                let next = self.capabilities.len() as u32;
                *self.capabilities.entry(name.as_str().into()).or_insert(next)
            })
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into()
    }

    fn warehouse_mut(&mut self, warehouse: WarehouseId) -> &mut OfWarehouse {
        let at = warehouse as usize;
        if self.warehouses.len() <= at {
            self.warehouses.resize(at + 1, OfWarehouse::default());
        }
        &mut self.warehouses[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_warehouse_has_all_that_is_needed_or_not() {
        let mut traits = Traits::default();
        assert_eq!(traits.needs(0), None);
        traits.put_sku(0, None, &names(&["hazardous", "cold"]));
        traits.put_sku(1, Some("bulky"), &[]);
        traits.put_warehouse(0, Kind::Store, &names(&["cold"]));
        traits.put_warehouse(2, Kind::Dc, &names(&["cold", "hazardous", "gift"]));
        let needs = traits.needs(0).unwrap();
        assert_eq!([0, 1, 2, 3].map(|warehouse| traits.has_all(warehouse, needs)), [false, false, true, false]);
        assert_eq!((traits.needs(1), traits.sku_class(1), traits.sku_class(0)), (None, Some("bulky"), None));
        assert_eq!((traits.kind(0), traits.kind(1), traits.kind(9)), (Kind::Store, Kind::Dc, Kind::Dc));
        assert_eq!((traits.set_of(&["cold".into()]).is_some(), traits.set_of(&["dry".into()])), (true, None));
        traits.put_sku(0, None, &[]);
        assert_eq!((traits.needs(0), traits.needing), (None, 0));
    }

    #[test]
    fn a_count_is_as_old_as_the_last_one() {
        let mut traits = Traits::default();
        assert!(!traits.is_counted_since(3, 0), "nobody counted it");
        traits.counted(3, 70);
        traits.counted(3, 60);
        traits.put_warehouse(3, Kind::Dc, &[]);
        assert_eq!((traits.is_counted_since(3, 70), traits.is_counted_since(3, 71)), (true, false));
    }
}
