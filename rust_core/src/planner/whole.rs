//! A part of an order that has bundles: as many of each as can be had whole, and of all else what there is.

use std::cmp::Reverse;

use super::bundles::{lines_with, lower};
use super::substitutes::shortages_of;
use super::{Demand, Filled, Plan, Planner, Refusal, Shortage, Spread, SpreadRow, goes_without};
use crate::goods::{Bundle, Goods};
use crate::ids::SkuId;

/// Plans that are tried in search of the bundle of which most can be had: some ten milliseconds.
const FILLS_MAX: usize = 200;

impl Planner {
    /// Plans a part of a demand in which bundles are whole.
    pub(super) fn plan_whole_bundles(&mut self, demand: &Demand, capped: bool) -> Result<Plan, Refusal> {
        let mut bundles = demand.bundles.clone();
        // First what there is, then what of it fits into so many shipments: the other way round, warehouses would be chosen
        // for units of bundles that can never be whole.
        let anywhere = Demand { shipments_max: usize::MAX, ..demand.clone() };
        let (mut filled, mut missing) = self.lower_to_fit(&anywhere, &mut bundles, capped)?;
        if filled.shipments.len() > demand.shipments_max {
            let there = bundles.clone();
            (filled, missing) = match self.lower_to_fit(demand, &mut bundles, capped) {
                Ok(fitting) => fitting,
                Err(Refusal::Short(rows)) => {
                    let Some((of_one, whole)) = self.most_of_one(demand, &there, capped) else {
                        return Err(self.none_whole(demand, &rows, capped));
                    };
                    bundles = vec![whole];
                    (of_one, demand.ordered().to_vec())
                }
                Err(refusal) => return Err(refusal),
            };
        }
        // Other bundles might have been lowered instead.
        let proven = filled.proven && bundles == demand.bundles;
        bundles.retain(|bundle| bundle.units > 0);
        let without = |&(sku, wanted): &(SkuId, i64)| {
            let of = |rows: &[(SkuId, i64)]| rows.iter().find(|(of, _)| *of == sku).map_or(0, |&(_, units)| units);
            if demand.bundles.iter().any(|bundle| bundle.sku == sku) {
                (sku, wanted - bundles.iter().find(|bundle| bundle.sku == sku).map_or(0, |bundle| bundle.units))
            } else {
                (sku, of(&missing))
            }
        };
        let unfilled = demand.ordered().iter().map(without).filter(|&(_, units)| units > 0).collect();
        let goods = Goods { substitutions: filled.substitutions, bundles, expected_day: 0 };
        Ok(Plan { shipments: filled.shipments, unfilled, goods, selected: demand.selected.clone(), proven })
    }

    /// Lowers the numbers of bundles until none of them lacks anything. Returns what is chosen then, and what is missing of
    /// other lines; where nothing is left, what all of them lacked.
    fn lower_to_fit(
        &mut self,
        demand: &Demand,
        bundles: &mut [Bundle],
        capped: bool,
    ) -> Result<(Filled, Vec<(SkuId, i64)>), Refusal> {
        let (mut lacking, mut round) = (None, 0);
        loop {
            let asked = demand.with_lines(lines_with(demand, bundles));
            let filled = self.fill(&asked, capped).map_err(|refusal| lacking.take().unwrap_or(refusal))?;
            let missing: Vec<(SkuId, i64)> = goes_without(&asked, &filled.unfilled).collect();
            if !lower(demand, bundles, &missing, round) {
                return Ok((filled, missing));
            }
            lacking.get_or_insert(Refusal::Short(shortages_of(&asked, &filled.unfilled)));
            round += 1;
        }
    }

    /// That no whole bundle fits into so few shipments, which could have given so much of each part.
    fn none_whole(&mut self, demand: &Demand, within: &[Shortage], capped: bool) -> Refusal {
        let held = self.gather(demand, capped).held();
        let row = |(&(sku, requested), &available): (&(SkuId, i64), &i64)| {
            let within = within.iter().find(|row| row.sku == sku)?.available;
            Some(SpreadRow { sku, requested, available, within })
        };
        Refusal::TooSpread(Spread::of(demand, demand.lines.iter().zip(&held).filter_map(row).collect()))
    }

    /// The bundle of which most can be had when there is nothing else, and the cheapest of several; the first among equals.
    fn most_of_one(&mut self, demand: &Demand, bundles: &[Bundle], capped: bool) -> Option<(Filled, Bundle)> {
        let strict = Demand { allow_partial: false, ..demand.clone() };
        let mut fills_left = FILLS_MAX;
        let mut best: Option<(Filled, Bundle)> = None;
        // Most units first: fewer are then seldom looked at.
        let mut order: Vec<&Bundle> = bundles.iter().filter(|bundle| bundle.units > 0).collect();
        order.sort_by_key(|bundle| Reverse(bundle.units));
        for bundle in order {
            let to_match = best.as_ref().map_or(1, |(_, whole)| whole.units);
            let (mut fits, mut too_many) = (0, bundle.units + 1);
            // Halved each time: twenty rounds for a million.
            while too_many - fits > 1 && fills_left > 0 {
                let units = if fits == 0 { to_match } else { fits + (too_many - fits) / 2 };
                if units >= too_many {
                    break;
                }
                fills_left -= 1;
                let lines = bundle.components.iter().map(|&(sku, each)| (sku, each * units)).collect();
                match self.fill(&strict.with_lines(lines), capped) {
                    Ok(filled) => {
                        fits = units;
                        if best.as_ref().is_none_or(|(of, whole)| {
                            units > whole.units || (units == whole.units && cost(&filled) < cost(of))
                        }) {
                            best = Some((filled, Bundle { units, ..bundle.clone() }));
                        }
                    }
                    Err(_) => too_many = units,
                }
            }
        }
        best
    }
}

fn cost(filled: &Filled) -> i64 {
    filled.shipments.iter().map(|shipment| shipment.cost).fold(0, i64::saturating_add)
}
