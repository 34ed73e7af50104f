//! What was ordered, divided as its units are: which lines, bundles and substitutions go with units that are split off.

use super::{add, sku_of};
use crate::goods::{Bundle, Goods, Lines, Substitution};
use crate::ids::{CellId, SkuId};
use crate::order::Order;
use crate::planner::Planner;
use crate::record::Record;

/// What was ordered of both parts, and what comes for it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Division {
    /// Lines of what stays.
    pub stays: Lines,
    /// Lines of what goes.
    pub goes: Lines,
    /// Bundles and substitutions of what stays.
    pub stays_as: Goods,
    /// Bundles and substitutions of what goes.
    pub goes_as: Goods,
}

/// Divides what was `ordered` when units are `moved`, by SKU.
///
/// A substitute that goes stands for what it stood for. As many bundles go as the units that go make whole; of the rest,
/// what was ordered as such goes first, and then bundles are opened: their components are lines of their own from then on.
#[must_use]
pub fn divide_lines(ordered: &[(SkuId, i64)], goods: &Goods, moved: &[(SkuId, i64)]) -> Division {
    let mut division = Division::default();
    let mut rest: Lines = Vec::new();
    moved.iter().for_each(|&(sku, units)| add(&mut rest, sku, units));
    for one in &goods.substitutions {
        let gone = of(&rest, one.by).min(one.units);
        add(&mut rest, one.by, -gone);
        add(&mut rest, one.sku, gone);
        let part = |units| (units > 0).then_some(Substitution { units, ..*one });
        division.goes_as.substitutions.extend(part(gone));
        division.stays_as.substitutions.extend(part(one.units - gone));
    }
    let mut plain: Lines = ordered.to_vec();
    let mut left: Vec<Bundle> = goods.bundles.clone();
    for bundle in &mut left {
        let whole = bundle.components.iter().map(|&(sku, each)| of(&rest, sku) / each.max(1)).min().unwrap_or(0);
        let gone = whole.clamp(0, bundle.units);
        bundle.components.iter().for_each(|&(sku, each)| add(&mut rest, sku, -gone * each));
        if gone > 0 {
            division.goes_as.bundles.push(Bundle { units: gone, ..bundle.clone() });
            add(&mut division.goes, bundle.sku, gone);
            add(&mut plain, bundle.sku, -gone);
            bundle.units -= gone;
        }
    }
    for (sku, units) in rest {
        let mut wanted = units;
        let mut take = |plain: &mut Lines, wanted: &mut i64| {
            let gone = of(plain, sku).clamp(0, *wanted);
            if gone > 0 {
                add(plain, sku, -gone);
                add(&mut division.goes, sku, gone);
                *wanted -= gone;
            }
        };
        take(&mut plain, &mut wanted);
        for bundle in &mut left {
            let each = of(&bundle.components, sku);
            if wanted > 0 && each > 0 {
                let opened = ((wanted + each - 1) / each).min(bundle.units);
                bundle.units -= opened;
                add(&mut plain, bundle.sku, -opened);
                bundle.components.iter().for_each(|&(of, each)| add(&mut plain, of, opened * each));
                take(&mut plain, &mut wanted);
            }
        }
    }
    left.retain(|bundle| bundle.units > 0);
    plain.retain(|&(_, units)| units > 0);
    division.goes.retain(|&(_, units)| units > 0);
    (division.stays, division.stays_as.bundles) = (plain, left);
    division
}

impl Planner {
    /// What was ordered by the two parts of a record's order, by name, when units of cells are `moved`; `None` where its
    /// lines tell that by themselves. The message says why the record cannot be divided.
    #[allow(clippy::type_complexity)] // Both halves are told above.
    pub fn divided_lines(
        &self,
        record: &Record,
        moved: &[(CellId, i64)],
    ) -> Result<Option<(Vec<(&str, i64)>, Vec<(&str, i64)>)>, String> {
        if record.goods.is_empty() {
            return Ok(None);
        }
        let division = self.divide_goods(&record.goods, &record.canonical, moved)?;
        let named = |lines: &Lines| {
            let name = |&(sku, units): &(SkuId, i64)| self.catalogue.sku_name(sku).map(|name| (name, units));
            lines.iter().map(name).collect::<Option<Vec<_>>>().ok_or("reservation record: an unknown SKU")
        };
        Ok(Some((named(&division.stays)?, named(&division.goes)?)))
    }

    pub(super) fn divide_goods(
        &self,
        goods: &Goods,
        canonical: &[u8],
        moved: &[(CellId, i64)],
    ) -> Result<Division, String> {
        let mut by_sku: Lines = Vec::new();
        moved.iter().for_each(|&(cell, units)| add(&mut by_sku, sku_of(cell), units));
        if goods.is_empty() {
            return Ok(Division { goes: by_sku, ..Division::default() });
        }
        let mut ordered: Lines = Vec::new();
        for line in Order::decode(canonical)?.lines {
            let sku = self
                .catalogue
                .sku(line.sku)
                .ok_or_else(|| format!("reservation record: unknown SKU {:?}", line.sku))?;
            add(&mut ordered, sku, line.quantity);
        }
        Ok(divide_lines(&ordered, goods, &by_sku))
    }
}

fn of(lines: &[(SkuId, i64)], sku: SkuId) -> i64 {
    lines.iter().filter(|(known, _)| *known == sku).map(|&(_, units)| units).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIT: SkuId = 9;

    fn kit(units: i64) -> Bundle {
        Bundle { sku: KIT, units, components: vec![(0, 1), (1, 2)] }
    }

    fn goods(bundles: Vec<Bundle>, substitutions: Vec<Substitution>) -> Goods {
        Goods { bundles, substitutions, expected_day: 0 }
    }

    #[test]
    fn whole_bundles_go_as_such_and_others_are_opened() {
        let held = goods(vec![kit(3)], vec![]);
        let whole = divide_lines(&[(KIT, 3), (5, 1)], &held, &[(0, 2), (1, 4)]);
        assert_eq!((whole.stays, whole.goes), (vec![(KIT, 1), (5, 1)], vec![(KIT, 2)]));
        assert_eq!((whole.stays_as, whole.goes_as), (goods(vec![kit(1)], vec![]), goods(vec![kit(2)], vec![])));
        let opened = divide_lines(&[(KIT, 3)], &held, &[(1, 3)]);
        assert_eq!((opened.stays, opened.goes), (vec![(KIT, 1), (0, 2), (1, 1)], vec![(1, 3)]));
        assert_eq!((opened.stays_as, opened.goes_as), (goods(vec![kit(1)], vec![]), Goods::default()));
    }

    #[test]
    fn what_was_ordered_as_such_goes_before_a_bundle_is_opened() {
        let part = divide_lines(&[(KIT, 1), (0, 2)], &goods(vec![kit(1)], vec![]), &[(0, 2)]);
        assert_eq!((part.stays, part.goes), (vec![(KIT, 1)], vec![(0, 2)]));
        assert_eq!(part.stays_as.bundles, [kit(1)]);
    }

    #[test]
    fn a_substitute_stands_for_what_it_stood_for() {
        let instead = |units| Substitution { sku: 0, by: 7, units };
        let part = divide_lines(&[(KIT, 1), (7, 1)], &goods(vec![kit(1)], vec![instead(1)]), &[(7, 1), (1, 2)]);
        assert_eq!((part.stays, part.goes), (vec![(7, 1)], vec![(KIT, 1)]));
        assert_eq!((part.goes_as, part.stays_as), (goods(vec![kit(1)], vec![instead(1)]), Goods::default()));
    }

    /// Units by SKU of lines, once bundles are taken apart and substitutes stand in.
    fn physical(lines: &Lines, goods: &Goods) -> Lines {
        let mut units: Lines = Vec::new();
        for &(sku, count) in lines {
            let bundle = goods.bundles.iter().find(|bundle| bundle.sku == sku);
            assert_eq!(bundle.map_or(count, |bundle| bundle.units), count);
            match bundle {
                Some(bundle) => bundle.components.iter().for_each(|&(of, each)| add(&mut units, of, count * each)),
                None => add(&mut units, sku, count),
            }
        }
        for one in &goods.substitutions {
            add(&mut units, one.sku, -one.units);
            add(&mut units, one.by, one.units);
        }
        assert!(units.iter().all(|&(_, count)| count >= 0), "{units:?}");
        units.retain(|&(_, count)| count > 0);
        units.sort_unstable();
        units
    }

    proptest! {
        /// Whatever goes: both parts together are what there was, and each is what its units are.
        #[test]
        fn nothing_is_lost_between_the_parts(
            plain in prop::collection::vec(0_i64..4, 3), kits in (0_i64..3, 0_i64..3),
            replaced in prop::collection::vec(0_i64..3, 2), shares in prop::collection::vec(0.0..=1.0_f64, 4)
        ) {
            let second = |units| Bundle { sku: 8, units, components: vec![(1, 1), (2, 1)] };
            let bundles: Vec<Bundle> = [kit(kits.0), second(kits.1)].into_iter().filter(|one| one.units > 0).collect();
            let mut ordered: Lines = (0..).zip(plain).filter(|(_, units)| *units > 0).collect();
            ordered.extend(bundles.iter().map(|bundle| (bundle.sku, bundle.units)));
            let all = physical(&ordered, &goods(bundles.clone(), vec![]));
            let instead = |sku: SkuId| {
                let units = replaced[sku as usize].min(of(&all, sku));
                (units > 0).then_some(Substitution { sku, by: sku + 1 + 2 * sku, units })
            };
            let held = goods(bundles, (0..2).filter_map(instead).collect());
            let units = physical(&ordered, &held);
            let moved: Lines = units.iter().zip(&shares).map(|(&(sku, n), share)| (sku, (n as f64 * share) as i64)).collect();
            let parts = divide_lines(&ordered, &held, &moved);
            let gone: Lines = moved.into_iter().filter(|(_, units)| *units > 0).collect();
            prop_assert_eq!(physical(&parts.goes, &parts.goes_as), gone.clone());
            let left: Lines = units.iter().map(|&(sku, n)| (sku, n - of(&gone, sku))).filter(|(_, n)| *n > 0).collect();
            prop_assert_eq!(physical(&parts.stays, &parts.stays_as), left);
        }
    }
}
