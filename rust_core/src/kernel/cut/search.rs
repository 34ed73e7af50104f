//! Depth-first search over sets of warehouses: first the sets with the warehouse that the bound would use most, then those
//! without.

use super::supply::{Standing, Supply};
use super::{CutChoice, CutPiece};
use crate::kernel::Unsolved;

/// Offers that a search may walk over, unless the caller limits its nodes: some milliseconds.
const WORK_LIMIT: u64 = 200_000;

/// Cells of the kernel's other searches that take as long as one offer here.
const CELLS_AN_OFFER: u64 = 5;

/// Warehouses that a set in question has, at the most: one more is a call deeper.
const DEPTH_MAX: usize = 512;

const NONE: i64 = i64::MAX;

pub(super) struct Search<'a> {
    supply: &'a Supply<'a>,
    set_max: usize,
    standing: Vec<Standing>,
    used: Vec<u32>,
    /// By warehouse, the share of its fixed cost that the last bound paid; -1 where it gives nothing.
    paid: Vec<i64>,
    /// Whether a warehouse is of the set in question, and whether it gives anything there.
    member: Vec<bool>,
    gives: Vec<bool>,
    best: Vec<u32>,
    cost: i64,
    nodes_left: u64,
    /// What one node walks over.
    node_work: u64,
    work_left: u64,
    open_bound: i64,
}

impl<'a> Search<'a> {
    pub(super) fn new(supply: &'a Supply<'a>, set_max: usize, node_limit: Option<u64>) -> Self {
        let warehouses = supply.fixed.len();
        Self {
            supply,
            set_max,
            standing: vec![Standing::Open; warehouses],
            used: Vec::new(),
            paid: vec![-1; warehouses],
            member: vec![false; warehouses],
            gives: vec![false; warehouses],
            best: Vec::new(),
            cost: NONE,
            nodes_left: node_limit.unwrap_or(u64::MAX),
            node_work: (warehouses * supply.lines.len()) as u64,
            work_left: if node_limit.is_some() { u64::MAX } else { WORK_LIMIT },
            open_bound: NONE,
        }
    }

    pub(super) fn run(mut self) -> Result<CutChoice, Unsolved> {
        let work = self.work_left;
        self.explore(0);
        super::super::count_work((work - self.work_left).saturating_mul(CELLS_AN_OFFER));
        if self.cost == NONE {
            return Err(if self.open_bound == NONE { Unsolved::TooFewShipments } else { Unsolved::NotFound });
        }
        let mut pieces = Vec::new();
        for (number, line) in (0..).zip(&self.supply.lines) {
            line.fill(
                |warehouse| self.best.contains(&warehouse),
                |warehouse, quantity| pieces.push(CutPiece { line: number, warehouse, quantity }),
            );
        }
        let proven = self.open_bound == NONE;
        Ok(CutChoice { pieces, cost: self.cost, bound: self.open_bound.min(self.cost), proven })
    }

    /// Searches the sets that use those used, and any of those open; `fixed` is paid for the former.
    fn explore(&mut self, fixed: i64) {
        let mut struck: Vec<u32> = Vec::new();
        while let Some((bound, pick)) = self.look(fixed) {
            if self.nodes_left == 0 || self.work_left == 0 || self.used.len() == DEPTH_MAX {
                self.open_bound = self.open_bound.min(bound);
                break;
            }
            self.nodes_left -= 1;
            self.standing[pick as usize] = Standing::Used;
            self.used.push(pick);
            self.explore(fixed + self.supply.fixed[pick as usize]);
            self.used.pop();
            self.standing[pick as usize] = Standing::Out;
            struck.push(pick);
        }
        for warehouse in struck {
            self.standing[warehouse as usize] = Standing::Open;
        }
    }

    /// The bound of a node and the warehouse to go on with; `None` when nothing better is to be found there. Offers the set
    /// that the bound points to.
    fn look(&mut self, fixed: i64) -> Option<(i64, u32)> {
        self.work_left = self.work_left.saturating_sub(self.node_work);
        let more_max = self.set_max - self.used.len();
        let mut more_min = 0;
        for line in &self.supply.lines {
            more_min = more_min.max(line.more_min(&self.standing)?);
        }
        if more_min > more_max {
            return None;
        }
        if more_max == 0 {
            self.offer(&[]);
            return None;
        }
        self.paid.fill(-1);
        let mut bound = fixed;
        for line in &self.supply.lines {
            let paid = &mut self.paid;
            bound += line.relaxed(&self.standing, |warehouse, share| {
                let paid = &mut paid[warehouse as usize];
                *paid = (*paid).max(0) + share;
            })?;
        }
        let giving: Vec<u32> =
            (0..).zip(&self.paid).filter(|&(_, &paid)| paid >= 0).map(|(warehouse, _)| warehouse).collect();
        self.offer(&giving);
        let count_min = self.used.len() + more_min.max(usize::from(!giving.is_empty()));
        if bound > self.cost || (bound == self.cost && count_min >= self.best.len()) {
            return None;
        }
        // The first of those that the bound uses most; without any, it is what those used cost.
        giving
            .into_iter()
            .min_by_key(|&warehouse| (-self.paid[warehouse as usize], warehouse))
            .map(|pick| (bound, pick))
    }

    /// Offers those used and these, without those that are then superfluous, as far as the work that is left goes.
    fn offer(&mut self, giving: &[u32]) {
        let mut set: Vec<u32> = self.used.iter().chain(giving).copied().collect();
        set.sort_unstable();
        set.iter().for_each(|&warehouse| self.member[warehouse as usize] = true);
        if let Some(mut cost) = self.cost_of(&mut set) {
            // The dearest to use goes first.
            let mut order = set.clone();
            order.sort_by_key(|&warehouse| -self.supply.fixed[warehouse as usize]);
            for warehouse in order {
                if self.work_left == 0 {
                    break;
                }
                if !std::mem::take(&mut self.member[warehouse as usize]) {
                    continue;
                }
                let mut fewer: Vec<u32> = set.iter().copied().filter(|&other| other != warehouse).collect();
                match self.cost_of(&mut fewer) {
                    Some(less) if less <= cost => (set, cost) = (fewer, less),
                    _ => set.iter().for_each(|&warehouse| self.member[warehouse as usize] = true),
                }
            }
            if set.len() <= self.set_max && (cost, set.len(), &set) < (self.cost, self.best.len(), &self.best) {
                (self.cost, self.best) = (cost, set);
            }
        }
        self.member.fill(false);
    }

    /// What the members cost, who are `set`; both are left without those that give nothing. `None` when they have too little.
    fn cost_of(&mut self, set: &mut Vec<u32>) -> Option<i64> {
        self.work_left = self.work_left.saturating_sub(self.node_work);
        self.gives.fill(false);
        let mut cost = 0;
        for line in &self.supply.lines {
            let (member, gives) = (&self.member, &mut self.gives);
            cost +=
                line.fill(|warehouse| member[warehouse as usize], |warehouse, _| gives[warehouse as usize] = true)?;
        }
        let gives = &self.gives;
        set.retain(|&warehouse| gives[warehouse as usize]);
        self.member.copy_from_slice(gives);
        Some(cost + set.iter().map(|&warehouse| self.supply.fixed[warehouse as usize]).sum::<i64>())
    }
}
