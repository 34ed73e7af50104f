//! What each warehouse could give to each line, in the orders in which a fill walks through it.

use super::CutProblem;

/// What one warehouse could give to one line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) warehouse: u32,
    /// Units: all that are wanted, or what there is where no warehouse has all.
    pub(super) amount: i64,
    pub(super) unit_cost: i64,
    /// The line's share of the warehouse's fixed cost, as long as that is not paid.
    pub(super) share: i64,
}

impl Offer {
    /// Whether a unit of this one, fixed cost already paid, costs no more than one of the other with its share.
    fn no_dearer_than_with_share(&self, other: &Self) -> bool {
        self.unit_cost * other.amount <= other.unit_cost * other.amount + other.share
    }
}

/// Where a warehouse stands in the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    Used,
    Out,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) wanted: i64,
    by_unit_cost: Vec<Offer>,
    /// By unit cost with the share.
    by_full_cost: Vec<Offer>,
    by_amount: Vec<Offer>,
}

#[derive(Debug)]
pub(super) struct Supply<'a> {
    pub(super) fixed: &'a [i64],
    pub(super) lines: Vec<Line>,
}

impl<'a> Supply<'a> {
    pub(super) fn of(problem: &CutProblem<'a>) -> Self {
        let width = problem.fixed.len();
        let amounts: Vec<i64> = (problem.free.chunks_exact(width).zip(problem.wanted))
            .flat_map(|(free, &wanted)| {
                let whole = free.iter().any(|&free| free >= wanted);
                free.iter().map(move |&free| if whole && free < wanted { 0 } else { free.min(wanted) })
            })
            .collect();
        let lines_of: Vec<i64> = (0..width)
            .map(|warehouse| amounts.iter().skip(warehouse).step_by(width).filter(|&&amount| amount > 0).count() as i64)
            .collect();
        let line = |(line, &wanted): (usize, &i64)| {
            let offers: Vec<Offer> = (0..width)
                .filter(|warehouse| amounts[line * width + warehouse] > 0)
                .map(|warehouse| Offer {
                    warehouse: warehouse as u32,
                    amount: amounts[line * width + warehouse],
                    unit_cost: problem.unit_cost[line * width + warehouse],
                    share: problem.fixed[warehouse] / lines_of[warehouse],
                })
                .collect();
            Line::of(wanted, offers)
        };
        Self { fixed: problem.fixed, lines: problem.wanted.iter().enumerate().map(line).collect() }
    }

    /// Whether all warehouses together have what a line wants.
    pub(super) fn suffices(&self, line: usize) -> bool {
        let line = &self.lines[line];
        let mut left = line.wanted;
        line.by_amount.iter().any(|offer| {
            left = left.saturating_sub(offer.amount);
            left <= 0
        })
    }
}

impl Line {
    fn of(wanted: i64, offers: Vec<Offer>) -> Self {
        let mut by_unit_cost = offers.clone();
        by_unit_cost.sort_by_key(|offer| offer.unit_cost);
        let mut by_full_cost = offers.clone();
        // (unit + share / amount), compared without division.
        let full = |one: &Offer, other: &Offer| {
            (i128::from(one.unit_cost) * i128::from(one.amount) + i128::from(one.share)) * i128::from(other.amount)
        };
        by_full_cost.sort_by(|one, other| full(one, other).cmp(&full(other, one)));
        let mut by_amount = offers;
        by_amount.sort_by_key(|offer| -offer.amount);
        Self { wanted, by_unit_cost, by_full_cost, by_amount }
    }

    /// Fills the line from those used, the cheapest first. Returns the cost; `None` when they have too little.
    pub(super) fn fill(&self, used: impl Fn(u32) -> bool, mut piece: impl FnMut(u32, i64)) -> Option<i64> {
        let (mut left, mut cost) = (self.wanted, 0);
        for offer in self.by_unit_cost.iter().filter(|offer| used(offer.warehouse)) {
            let units = left.min(offer.amount);
            cost += units * offer.unit_cost;
            piece(offer.warehouse, units);
            left -= units;
            if left == 0 {
                return Some(cost);
            }
        }
        None
    }

    /// What the line costs at the least: the cheapest fill from those used, and from those open with their shares, of which
    /// part of a unit's is paid for part of an amount. `None` when all have too little. Tells of each open one that gives.
    pub(super) fn relaxed(&self, standing: &[Standing], mut gives: impl FnMut(u32, i64)) -> Option<i64> {
        let is = |offer: &&Offer, wanted| standing[offer.warehouse as usize] == wanted;
        let mut used = self.by_unit_cost.iter().filter(|offer| is(offer, Standing::Used)).peekable();
        let mut open = self.by_full_cost.iter().filter(|offer| is(offer, Standing::Open)).peekable();
        let (mut left, mut cost) = (self.wanted, 0);
        while left > 0 {
            let paid = match (used.peek(), open.peek()) {
                (Some(used), Some(open)) => used.no_dearer_than_with_share(open),
                (used, None) => used.is_some(),
                (None, Some(_)) => false,
            };
            let offer = if paid { used.next()? } else { open.next()? };
            let units = left.min(offer.amount);
            cost += units * offer.unit_cost;
            if !paid {
                let share = i128::from(offer.share) * i128::from(units) / i128::from(offer.amount);
                cost += share as i64;
                gives(offer.warehouse, share as i64);
            }
            left -= units;
        }
        Some(cost)
    }

    /// How many warehouses more than those used the line needs at the least; `None` when all open ones are too few.
    pub(super) fn more_min(&self, standing: &[Standing]) -> Option<usize> {
        let amount_of = |wanted: Standing| {
            self.by_amount
                .iter()
                .filter(move |offer| standing[offer.warehouse as usize] == wanted)
                .map(|offer| offer.amount)
        };
        let mut left = amount_of(Standing::Used).fold(self.wanted, i64::saturating_sub);
        let mut more = 0;
        let mut open = amount_of(Standing::Open);
        while left > 0 {
            left = left.saturating_sub(open.next()?);
            more += 1;
        }
        Some(more)
    }
}
