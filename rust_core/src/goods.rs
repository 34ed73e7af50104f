//! What an order gets beside what its lines name: components of bundles, substitutes, and the day on which it may get
//! something at all. As a plan advises it and as a record keeps it.

use serde::Deserialize;

use crate::ids::SkuId;
use crate::record::{array, uint};

/// SKUs and units, each SKU once.
pub type Lines = Vec<(SkuId, i64)>;

/// Units of a SKU that come from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Substitution {
    /// What was ordered.
    pub sku: SkuId,
    /// What comes instead.
    pub by: SkuId,
    /// Units.
    pub units: i64,
}

/// Units of a SKU that stands for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// What was ordered.
    pub sku: SkuId,
    /// How many of it.
    pub units: i64,
    /// SKUs, and units of them in one.
    pub components: Vec<(SkuId, i64)>,
}

/// What differs from the lines. Empty for most orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goods {
    /// What comes instead of what, each pair once.
    pub substitutions: Vec<Substitution>,
    /// Bundles that are filled, each SKU once.
    pub bundles: Vec<Bundle>,
    /// Of an order that waits for stock: the day since 1970 by which what is announced covers it; 0 when nobody knows.
    pub expected_day: u32,
}

impl Goods {
    /// Whether the lines tell everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.substitutions.is_empty() && self.bundles.is_empty() && self.expected_day == 0
    }

    /// Packs it as a part of a record's body; [`StoredGoods`] reads it.
    pub fn pack(&self, out: &mut Vec<u8>) {
        array(out, 3);
        array(out, 3 * self.substitutions.len());
        for one in &self.substitutions {
            uint(out, u64::from(one.sku));
            uint(out, u64::from(one.by));
            uint(out, one.units.unsigned_abs());
        }
        array(out, self.bundles.len());
        for bundle in &self.bundles {
            array(out, 3);
            uint(out, u64::from(bundle.sku));
            uint(out, bundle.units.unsigned_abs());
            array(out, 2 * bundle.components.len());
            for &(sku, units) in &bundle.components {
                uint(out, u64::from(sku));
                uint(out, units.unsigned_abs());
            }
        }
        uint(out, u64::from(self.expected_day));
    }
}

/// The part of a record's body: [sku, by, units, ...], [[bundle, units, [component, units of it in one, ...]], ...], day.
#[derive(Debug, Default, Deserialize)]
pub struct StoredGoods(Vec<i64>, Vec<(SkuId, i64, Vec<i64>)>, u32);

impl TryFrom<StoredGoods> for Goods {
    type Error = String;

    fn try_from(stored: StoredGoods) -> Result<Self, String> {
        let number = |value: i64| SkuId::try_from(value).map_err(|_| "a SKU number is out of range".to_owned());
        if !stored.0.len().is_multiple_of(3) {
            return Err("a substitution without its units".into());
        }
        let mut goods = Self { expected_day: stored.2, ..Self::default() };
        for row in stored.0.chunks_exact(3) {
            goods.substitutions.push(Substitution { sku: number(row[0])?, by: number(row[1])?, units: row[2] });
        }
        for (sku, units, flat) in stored.1 {
            if flat.len() % 2 == 1 {
                return Err("a component without its units".into());
            }
            let pairs = flat.chunks_exact(2).map(|pair| Ok((number(pair[0])?, pair[1])));
            goods.bundles.push(Bundle { sku, units, components: pairs.collect::<Result<_, String>>()? });
        }
        Ok(goods)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(packed: &[u8]) -> Result<Goods, String> {
        rmp_serde::from_slice::<StoredGoods>(packed).map_err(|error| error.to_string()).and_then(Goods::try_from)
    }

    #[test]
    fn what_was_packed_is_read_back() {
        let goods = Goods {
            substitutions: vec![Substitution { sku: 1, by: 70_000, units: 9 }],
            bundles: vec![Bundle { sku: 5, units: 2, components: vec![(6, 1), (7, 300)] }],
            expected_day: 20_700,
        };
        let mut packed = Vec::new();
        goods.pack(&mut packed);
        assert_eq!(read(&packed).unwrap(), goods);
        assert!(!goods.is_empty() && Goods::default().is_empty());
    }

    #[test]
    fn numbers_that_do_not_fit_together_are_an_error() {
        type Row<'a> = (u32, i64, &'a [i64]);
        let packed = |flat: &[i64], bundles: &[Row]| rmp_serde::to_vec(&(flat, bundles, 0)).unwrap();
        assert!(read(&packed(&[1, 2, 3], &[(4, 1, &[5, 1])])).is_ok());
        for (bytes, message) in [
            (packed(&[1, 2], &[]), "a substitution without its units"),
            (packed(&[-1, 2, 3], &[]), "a SKU number is out of range"),
            (packed(&[], &[(4, 1, &[5])]), "a component without its units"),
            (packed(&[], &[(4, 1, &[i64::MAX, 1])]), "a SKU number is out of range"),
        ] {
            assert_eq!(read(&bytes).unwrap_err(), message);
        }
    }
}
