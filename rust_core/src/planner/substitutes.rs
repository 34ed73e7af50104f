//! Substitutes: units that the whole network lacks come from SKUs that may stand in for them, where an order allows it.

use super::bundles::add;
use super::{Demand, Planner, Refusal, Shortage};
use crate::goods::{Lines, Substitution};
use crate::ids::SkuId;

impl Planner {
    /// SKUs that may come instead of one, best first; bundles and names that nobody knows are none.
    pub(crate) fn substitutes_of(&self, sku: SkuId) -> impl Iterator<Item = SkuId> + '_ {
        let assortment = &self.catalogue.assortment;
        let known = assortment.substitutes(sku).iter().filter_map(|name| self.catalogue.sku(name));
        known.filter(move |&by| by != sku && assortment.components(by).is_none())
    }

    /// The lines to be planned in the place of a demand's, and what comes instead of what. Nothing where nothing does.
    pub(crate) fn substitute(&mut self, demand: &Demand, capped: bool) -> Option<(Lines, Vec<Substitution>)> {
        let there = self.available(demand, capped);
        if demand.lines.iter().zip(&there).all(|(&(_, wanted), &units)| units >= wanted) {
            return None;
        }
        let mut offered: Vec<(SkuId, i64)> = demand.lines.clone();
        for &(sku, _) in &demand.lines {
            self.substitutes_of(sku).for_each(|by| add(&mut offered, by, 0));
        }
        let known = demand.with_lines(offered);
        let units = self.available(&known, capped);
        // What each has beyond what is wanted of itself.
        let mut spare: Vec<(SkuId, i64)> =
            known.lines.iter().zip(units).map(|(&(sku, wanted), units)| (sku, units - wanted)).collect();
        let (mut lines, mut substitutions) = (demand.lines.clone(), Vec::new());
        for (line, &(sku, wanted)) in demand.lines.iter().enumerate() {
            let mut missing = (wanted - there[line]).max(0);
            for by in self.substitutes_of(sku) {
                let Some((_, left)) = spare.iter_mut().find(|(of, _)| *of == by) else { continue };
                let units = missing.min(*left).max(0);
                if units > 0 {
                    *left -= units;
                    missing -= units;
                    lines[line].1 -= units;
                    add(&mut lines, by, units);
                    substitutions.push(Substitution { sku, by, units });
                }
            }
        }
        lines.retain(|&(_, units)| units > 0);
        (!substitutions.is_empty()).then_some((lines, substitutions))
    }

    /// Units of each line that there are at all warehouses that may serve it.
    pub(super) fn available(&mut self, demand: &Demand, capped: bool) -> Vec<i64> {
        self.gather(demand, capped).held()
    }
}

/// What a demand goes without, when so much is `left` of the lines that were planned in its place: a substitute that is not
/// to be had after all stands for nothing.
pub(super) fn undo(
    demand: &Demand,
    lines: &[(SkuId, i64)],
    left: &[i64],
    substitutions: &mut Vec<Substitution>,
) -> Vec<i64> {
    let mut unfilled = vec![0; demand.lines.len()];
    let mut put = |sku: SkuId, units: i64| {
        if let Some(line) = demand.lines.iter().position(|(of, _)| *of == sku) {
            unfilled[line] += units;
        }
    };
    for (&(sku, _), &left) in lines.iter().zip(left) {
        let mut left = left;
        for one in substitutions.iter_mut().rev().filter(|one| one.by == sku) {
            let units = one.units.min(left);
            one.units -= units;
            left -= units;
            put(one.sku, units);
        }
        put(sku, left);
    }
    substitutions.retain(|one| one.units > 0);
    unfilled
}

/// A refusal of the lines that were planned in a demand's place, in terms of the demand, of which so much is there itself.
pub(super) fn in_terms_of(
    demand: &Demand,
    lines: &[(SkuId, i64)],
    refusal: Refusal,
    mut substitutions: Vec<Substitution>,
    there: &[i64],
) -> Refusal {
    let spread = matches!(refusal, Refusal::TooSpread(_));
    let rows = refusal.shortages();
    let missing = |sku| rows.iter().find(|row| row.sku == sku).map_or(0, |row| row.requested - row.available);
    let left: Vec<i64> = lines.iter().map(|&(sku, _)| missing(sku)).collect();
    let left = undo(demand, lines, &left, &mut substitutions);
    if !spread {
        return Refusal::Short(shortages_of(demand, &left));
    }
    // With what may come instead, there is enough of each.
    let enough: Vec<i64> = demand.lines.iter().zip(there).map(|(&(_, wanted), &there)| wanted.max(there)).collect();
    Planner::too_spread(demand, &enough, &left)
}

/// What falls short of a demand's lines, of which so much is missing.
pub(super) fn shortages_of(demand: &Demand, missing: &[i64]) -> Vec<Shortage> {
    let rows = demand.lines.iter().zip(missing).filter(|(_, missing)| **missing > 0);
    rows.map(|(&(sku, requested), &missing)| Shortage { sku, requested, available: requested - missing }).collect()
}
