//! What SKUs stand for: the components of bundles, and the substitutes of others. By name, as a definition may come before
//! those that it names.

use rustc_hash::FxHashMap;

use crate::ids::SkuId;

/// SKUs by name, and units of them in one bundle.
type Components = Box<[(Box<str>, i64)]>;

/// Bundles and substitutes.
#[derive(Debug, Default)]
pub struct Assortment {
    components: FxHashMap<SkuId, Components>,
    substitutes: FxHashMap<SkuId, Box<[Box<str>]>>,
}

impl Assortment {
    /// Replaces what a SKU stands for: SKUs with their units in one of it, and SKUs that may come instead, best first.
    pub fn put(&mut self, sku: SkuId, components: Vec<(String, i64)>, substitutes: Vec<String>) {
        if components.is_empty() {
            self.components.remove(&sku);
        } else {
            self.components.insert(sku, components.into_iter().map(|(name, units)| (name.into(), units)).collect());
        }
        if substitutes.is_empty() {
            self.substitutes.remove(&sku);
        } else {
            self.substitutes.insert(sku, substitutes.into_iter().map(Into::into).collect());
        }
    }

    /// Whether any SKU is a bundle.
    #[must_use]
    pub fn has_bundles(&self) -> bool {
        !self.components.is_empty()
    }

    /// What a bundle is made of; `None` for any other SKU.
    #[must_use]
    pub fn components(&self, sku: SkuId) -> Option<&[(Box<str>, i64)]> {
        self.components.get(&sku).map(AsRef::as_ref)
    }

    /// What may come instead of a SKU, best first.
    #[must_use]
    pub fn substitutes(&self, sku: SkuId) -> &[Box<str>] {
        self.substitutes.get(&sku).map_or(&[], AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_takes_the_place_of_the_one_before_it() {
        let mut assortment = Assortment::default();
        assortment.put(1, vec![("a".into(), 2)], vec![]);
        assortment.put(2, vec![], vec!["b".into(), "a".into()]);
        assert!(assortment.has_bundles());
        assert_eq!(assortment.components(1), Some(&[("a".into(), 2)][..]));
        assert_eq!(assortment.substitutes(2), ["b".into(), "a".into()]);
        assert_eq!((assortment.components(2), assortment.substitutes(1).len()), (None, 0));
        assortment.put(1, vec![], vec![]);
        assortment.put(2, vec![], vec![]);
        assert!(!assortment.has_bundles());
        assert_eq!((assortment.components(1), assortment.substitutes(2).len()), (None, 0));
    }
}
