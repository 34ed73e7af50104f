//! Why an order gets no plan: what it lacks, or what stands between it and stock that is there.

use super::{Demand, Planner, Shortage};
use crate::cost::Service;
use crate::ids::{SkuId, WarehouseId};

/// A SKU of which as few warehouses as are allowed have too little, in units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpreadRow {
    /// Which SKU.
    pub sku: SkuId,
    /// Units that the order wants.
    pub requested: i64,
    /// Units that all its warehouses have; where something else may come for it, no fewer than can be had that way.
    pub available: i64,
    /// Units of the fullest choice of as few warehouses as are allowed that was found.
    pub within: i64,
}

impl SpreadRow {
    fn short(&self) -> Shortage {
        Shortage { sku: self.sku, requested: self.requested, available: self.within }
    }
}

/// Who says from how many warehouses an order may ship.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitedBy {
    /// The order, which is not to be split.
    AllowSplit,
    /// The order, by a number.
    MaxShipments,
    /// The policy.
    Policy,
}

impl LimitedBy {
    /// Its name in answers: the order's field, or the policy.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AllowSplit => "allow_split",
            Self::MaxShipments => "max_shipments",
            Self::Policy => "policy",
        }
    }
}

/// What there is too little of within so many shipments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// SKUs.
    pub rows: Vec<SpreadRow>,
    /// Warehouses that may share the order.
    pub shipments_max: usize,
    /// Who says so.
    pub by: LimitedBy,
    /// The policy that the order is planned by.
    pub policy: Box<str>,
}

/// Why an order got no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is not enough of these SKUs.
    Short(Vec<Shortage>),
    /// No way was found to ship it from as few warehouses as are allowed, though there is more in others.
    TooSpread(Spread),
    /// There is enough, but warehouses that have it serve no more orders today: what the others fall short of.
    AtCapacity(Vec<Shortage>),
    /// There is enough, but the policy of this name leaves it where it is: what may be had without that.
    KeptByPolicy(Vec<Shortage>, Box<str>),
    /// Nobody carries it to where it goes: these SKUs, from where they are; nothing from anywhere, policy or no policy,
    /// where none is named.
    Undeliverable(Vec<Shortage>),
}

impl Refusal {
    /// Whether no level of any cell can change it, no count, and no wait.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Undeliverable(rows) if rows.is_empty())
    }

    /// What falls short of the warehouses that may serve it, or of as few of them as are allowed.
    #[must_use]
    pub fn shortages(self) -> Vec<Shortage> {
        match self {
            Self::Short(rows) | Self::AtCapacity(rows) | Self::KeptByPolicy(rows, _) | Self::Undeliverable(rows) => {
                rows
            }
            Self::TooSpread(spread) => spread.rows.iter().map(SpreadRow::short).collect(),
        }
    }
}

impl Planner {
    /// That so much of each line is left which as few warehouses as are allowed could not give.
    pub(super) fn too_spread(demand: &Demand, available: &[i64], left: &[i64]) -> Refusal {
        let rows = demand.lines.iter().zip(available).zip(left).filter(|(_, left)| **left > 0);
        let rows = rows.map(|((&(sku, requested), &available), &left)| SpreadRow {
            sku,
            requested,
            available,
            within: requested - left,
        });
        Refusal::TooSpread(Spread::of(demand, rows.collect()))
    }

    /// A refusal for want of stock, or what it truly is for: carriers that do not go there, or the policy. Of what is lacking
    /// wherever it may come from, nothing else is told; and the policy before the carriers, where it would be enough without it.
    pub(super) fn refused_by(&mut self, demand: &Demand, refusal: Refusal) -> Refusal {
        let Refusal::Short(rows) = refusal else { return refusal };
        let serving = self.by_carriage(demand);
        let filtered = demand.is_filtered();
        // A carrier that goes there from where only the policy serves nobody is no want of carriers.
        let open = filtered.then(|| self.by_carriage(&demand.unfiltered()));
        let (goes, goes_not) = open.as_ref().unwrap_or(&serving);
        if goes.is_empty() && !goes_not.is_empty() {
            return Refusal::Undeliverable(Vec::new());
        }
        let (near, cut_off) = &serving;
        if cut_off.is_empty() && !filtered {
            return Refusal::Short(rows);
        }
        let asked = demand.with_lines(rows.iter().map(|row| (row.sku, row.requested)).collect());
        let here = self.held(&asked, near);
        let more = |units: Vec<i64>, without: &[i64]| -> Vec<i64> {
            units.iter().zip(without).map(|(units, without)| (units - without).max(0)).collect()
        };
        let carried = self.held(&asked, cut_off);
        let (mut kept, mut both) = (vec![0; rows.len()], carried.clone());
        if filtered {
            let open = asked.unfiltered();
            kept = more(self.held(&open, goes), &here);
            both = kept.iter().zip(self.held(&open, goes_not)).map(|(kept, far)| kept.saturating_add(far)).collect();
        }
        let lacks = |more: &[i64]| -> Vec<Shortage> {
            let lacking = rows.iter().zip(more).filter(|(row, more)| row.requested - row.available > **more);
            lacking.map(|(row, _)| row.clone()).collect()
        };
        if demand.allow_partial && demand.bundles.is_empty() {
            // Any unit would have been a part.
            let some = |more: &[i64]| -> Vec<Shortage> {
                rows.iter().zip(more).filter(|(_, more)| **more > 0).map(|(row, _)| row.clone()).collect()
            };
            return match (some(&kept), some(&carried)) {
                (kept, _) if !kept.is_empty() => Refusal::KeptByPolicy(kept, demand.policy().name.clone()),
                (_, undeliverable) if !undeliverable.is_empty() => Refusal::Undeliverable(undeliverable),
                _ => Refusal::Short(rows),
            };
        }
        let lacking = lacks(&both);
        if !lacking.is_empty() {
            return Refusal::Short(lacking);
        }
        match lacks(&kept) {
            beyond if beyond.is_empty() => Refusal::KeptByPolicy(rows, demand.policy().name.clone()),
            _ if lacks(&carried).is_empty() => Refusal::Undeliverable(rows),
            beyond => Refusal::Undeliverable(beyond),
        }
    }

    /// The warehouses that may serve a demand: those that somebody carries from to where it goes, and the others.
    pub(crate) fn by_carriage(&mut self, demand: &Demand) -> (Vec<WarehouseId>, Vec<WarehouseId>) {
        let lanes = &self.costs.lanes(&self.catalogue, &demand.destination).lanes;
        let serving = self.catalogue.ranked().iter().copied();
        let serving = serving.filter(|&warehouse| demand.terms_of(&self.catalogue, warehouse).is_some());
        serving.partition(|&warehouse| demand.pickup || lanes[warehouse as usize].service != Service::None)
    }

    /// Units of each line that warehouses have, as far as a demand may take them.
    fn held(&self, demand: &Demand, warehouses: &[WarehouseId]) -> Vec<i64> {
        let width = warehouses.len();
        if width == 0 {
            return vec![0; demand.lines.len()];
        }
        let free = self.free_at(demand, warehouses);
        free.chunks_exact(width).map(|row| row.iter().fold(0_i64, |sum, &free| sum.saturating_add(free))).collect()
    }
}

impl Spread {
    pub(super) fn of(demand: &Demand, rows: Vec<SpreadRow>) -> Self {
        let (shipments_max, by) = (demand.shipments_max, demand.limited_by);
        Self { rows, shipments_max, by, policy: demand.policy().name.clone() }
    }
}
