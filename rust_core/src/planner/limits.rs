//! Purchase limits: they bind what was ordered, whatever comes for it.

use super::{Demand, Exceeded, Plan, Planner};
use crate::ids::SkuId;

impl Planner {
    /// What a demand is beyond a limit by itself, whoever its customer is.
    pub(crate) fn beyond_limits(&self, demand: &Demand) -> Vec<Exceeded> {
        let limited = demand.ordered().iter().map(|&(sku, requested)| (sku, requested, self.purchase_limit(sku)));
        limited
            .filter(|&(_, requested, limit)| limit > 0 && requested > limit)
            .map(|(sku, requested, limit)| Exceeded { sku, requested, limit, remaining: limit })
            .collect()
    }

    /// SKU, units and limit of what a demand counts towards its customer's limits when all of it comes.
    pub(crate) fn limited<'a>(&'a self, demand: &'a Demand) -> impl Iterator<Item = (SkuId, i64, i64)> + 'a {
        let rows = demand.ordered().iter().map(|&(sku, requested)| (sku, requested, self.purchase_limit(sku)));
        rows.filter(|&(_, _, limit)| limit > 0)
    }

    /// SKU, units and limit of what a plan counts towards its customer's limits.
    pub(crate) fn counted<'a>(
        &'a self,
        demand: &'a Demand,
        plan: &'a Plan,
    ) -> impl Iterator<Item = (SkuId, i64, i64)> + 'a {
        let missing = |sku| plan.unfilled.iter().find(|(short, _)| *short == sku).map_or(0, |&(_, units)| units);
        let rows = demand.ordered().iter().map(move |&(sku, requested)| (sku, requested - missing(sku)));
        rows.map(|(sku, units)| (sku, units, self.purchase_limit(sku)))
            .filter(|&(_, units, limit)| limit > 0 && units > 0)
    }

    fn purchase_limit(&self, sku: SkuId) -> i64 {
        self.catalogue.sku_terms(sku).purchase_limit
    }
}
