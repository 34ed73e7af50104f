//! Drops moves whose stock another one keeps after all, and those beyond the bound.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::{Outcome, Reallocation, Why};
use crate::ids::CellId;

impl Reallocation {
    /// Leaves moves that can all be done together, no more than asked for.
    pub fn settle(&mut self) {
        self.drop_short();
        let mut moves: Vec<usize> = self.moves().map(|(at, _, _)| at).collect();
        if moves.len() > self.terms.moves_max {
            let rank = |&at: &usize| {
                let open = &self.orders[at];
                let must = open.waits || open.is_down;
                (!must, if must { Reverse(0) } else { Reverse(self.saves(at)) }, open.rank, at)
            };
            moves.sort_by_key(rank);
            let beyond = moves.split_off(self.terms.moves_max);
            beyond.into_iter().for_each(|at| self.keep(at, "moves_max"));
            self.drop_short();
        }
    }

    fn saves(&self, at: usize) -> i64 {
        match &self.orders[at].outcome {
            Outcome::Moves(made) => self.orders[at].cost.saturating_sub(made.cost),
            _ => 0,
        }
    }

    pub(super) fn keep(&mut self, at: usize, why: Why) {
        self.orders[at].outcome = Outcome::Kept(why);
    }

    /// Drops moves, those that save least first, until no cell gives more than it has and gets back.
    fn drop_short(&mut self) {
        let mut net: FxHashMap<CellId, i64> = FxHashMap::default();
        let mut takers: FxHashMap<CellId, Vec<usize>> = FxHashMap::default();
        for (at, _, made) in self.moves() {
            for &(cell, units) in &made.changes {
                *net.entry(cell).or_default() += units;
                if units > 0 {
                    takers.entry(cell).or_default().push(at);
                }
            }
        }
        let mut short: Vec<CellId> =
            net.iter().filter(|&(&cell, &units)| self.lacks(cell, units)).map(|(&cell, _)| cell).collect();
        // A hash has no order of its own, and an answer must have one.
        short.sort_unstable_by_key(|&cell| Reverse(cell));
        while let Some(cell) = short.pop() {
            while self.lacks(cell, net[&cell]) {
                let Some(dropped) = self.least(&takers[&cell]) else { break };
                let Outcome::Moves(made) =
                    std::mem::replace(&mut self.orders[dropped].outcome, Outcome::Kept("stock_went_to_others"))
                else {
                    break;
                };
                for (other, units) in made.changes {
                    let sum = net.entry(other).or_default();
                    *sum -= units;
                    if units < 0 && other != cell && self.lacks(other, net[&other]) {
                        short.push(other);
                    }
                }
            }
        }
    }

    fn lacks(&self, cell: CellId, net: i64) -> bool {
        net > 0 && net > self.free.get(&cell).copied().unwrap_or(0).max(0)
    }

    /// The move that is missed least; who must move, and among those who comes first, last of all.
    fn least(&self, moves: &[usize]) -> Option<usize> {
        let there = moves.iter().copied().filter(|&at| matches!(self.orders[at].outcome, Outcome::Moves(_)));
        there.min_by_key(|&at| {
            let open = &self.orders[at];
            (open.waits || open.is_down, self.saves(at), Reverse(open.rank), at)
        })
    }
}
