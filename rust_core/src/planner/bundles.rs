//! Bundles: what they are made of before an order is planned, and how many of them a part of it fills whole.

use super::demand::flaw;
use super::{Demand, Flaw, Planner};
use crate::goods::{Bundle, Lines};
use crate::ids::SkuId;
use crate::order::{Order, QUANTITY_MAX};

/// SKUs that an order comes to once its bundles are taken apart.
pub const EXPLODED_SKUS_MAX: usize = 200;

/// Units of one SKU that it comes to: no more than a hundred lines without bundles.
pub const EXPLODED_UNITS_MAX: i64 = 100 * QUANTITY_MAX;

/// Plans of a part after which bundles that lack anything are left out instead of lowered.
const LOWERED_MAX: u32 = 8;

impl Planner {
    /// Takes bundles apart: the lines to be planned, each SKU once, and the bundles among what was ordered. Nothing where
    /// there are none.
    pub(super) fn explode(
        &self,
        order: &Order,
        ordered: &[(SkuId, i64)],
        flaws: &mut Vec<Flaw>,
    ) -> Option<(Lines, Vec<Bundle>)> {
        let assortment = &self.catalogue.assortment;
        if !assortment.has_bundles() || ordered.iter().all(|&(sku, _)| assortment.components(sku).is_none()) {
            return None;
        }
        let (mut lines, mut bundles) = (Vec::with_capacity(2 * ordered.len()), Vec::new());
        for &(sku, units) in ordered {
            let Some(named) = assortment.components(sku) else {
                add(&mut lines, sku, units);
                continue;
            };
            let index = order.lines.iter().position(|line| self.catalogue.sku(line.sku) == Some(sku)).unwrap_or(0);
            let mut components: Vec<(SkuId, i64)> = Vec::with_capacity(named.len());
            for (name, each) in named {
                match self.catalogue.sku(name) {
                    Some(component) if assortment.components(component).is_none() && *each > 0 => {
                        add(&mut components, component, *each);
                        add(&mut lines, component, each.saturating_mul(units));
                    }
                    // The doors let neither in; two processes that define at once can.
                    Some(_) => {
                        let message = format!("has the component {name:?}, which is a bundle itself or has no units");
                        flaws.push(flaw(format!("/lines/{index}/sku"), message));
                    }
                    None => {
                        flaws.push(flaw(format!("/lines/{index}/sku"), format!("has an unknown component {name:?}")))
                    }
                }
            }
            bundles.push(Bundle { sku, units, components });
        }
        if lines.len() > EXPLODED_SKUS_MAX {
            let message = format!("come to {} SKUs with all components, more than {EXPLODED_SKUS_MAX}", lines.len());
            flaws.push(flaw("/lines".into(), message));
        }
        if let Some(&(sku, units)) = lines.iter().find(|(_, units)| *units > EXPLODED_UNITS_MAX) {
            let name = self.catalogue.sku_name(sku).unwrap_or("?");
            let message = format!("come to {units} units of {name:?}, more than {EXPLODED_UNITS_MAX}");
            flaws.push(flaw("/lines".into(), message));
        }
        Some((lines, bundles))
    }
}

/// Units of a SKU that a demand wants as such, not as a part of bundles.
pub(super) fn plain(demand: &Demand, sku: SkuId) -> i64 {
    let bundled: i64 = demand.bundles.iter().map(|bundle| bundle.units * each_of(bundle, sku)).sum();
    demand.lines.iter().find(|(of, _)| *of == sku).map_or(0, |&(_, units)| units) - bundled
}

/// The lines of a demand with other numbers of its bundles; SKUs of which nothing is left are gone.
pub(super) fn lines_with(demand: &Demand, bundles: &[Bundle]) -> Vec<(SkuId, i64)> {
    let wanted =
        |sku| plain(demand, sku) + bundles.iter().map(|bundle| bundle.units * each_of(bundle, sku)).sum::<i64>();
    demand.lines.iter().map(|&(sku, _)| (sku, wanted(sku))).filter(|&(_, units)| units > 0).collect()
}

/// Lowers the numbers of bundles by what they lack, the last one first; what is wanted as such goes without before any
/// bundle does. `missing` are units of SKUs, and `round` counts these calls. Whether any was lowered.
pub(super) fn lower(demand: &Demand, bundles: &mut [Bundle], missing: &[(SkuId, i64)], round: u32) -> bool {
    let mut lacking: Vec<(SkuId, i64)> =
        missing.iter().map(|&(sku, units)| (sku, units - plain(demand, sku))).filter(|&(_, units)| units > 0).collect();
    let mut lowered = false;
    for bundle in bundles.iter_mut().rev() {
        let lacks = |&(sku, each): &(SkuId, i64)| {
            lacking.iter().find(|(of, _)| *of == sku).map_or(0, |&(_, units)| (units + each - 1) / each)
        };
        let mut less = bundle.components.iter().map(lacks).max().unwrap_or(0).clamp(0, bundle.units);
        if less > 0 && round >= LOWERED_MAX {
            less = bundle.units;
        }
        for &(sku, each) in &bundle.components {
            if let Some((_, units)) = lacking.iter_mut().find(|(of, _)| *of == sku) {
                *units -= less * each;
            }
        }
        bundle.units -= less;
        lowered |= less > 0;
    }
    lowered
}

/// Units of a SKU in one bundle.
fn each_of(bundle: &Bundle, sku: SkuId) -> i64 {
    bundle.components.iter().find(|(of, _)| *of == sku).map_or(0, |&(_, each)| each)
}

pub(crate) fn add(sums: &mut Vec<(SkuId, i64)>, sku: SkuId, units: i64) {
    match sums.iter_mut().find(|(known, _)| *known == sku) {
        Some((_, sum)) => *sum = sum.saturating_add(units),
        None => sums.push((sku, units)),
    }
}
