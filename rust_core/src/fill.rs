//! Rules that fill an order warehouse after warehouse, and the two cases that need one: the plain policies, and
//! quantities that no single warehouse has. Fast and feasible, not proven cheapest.

/// Quantities that the search for a set of candidates compares before it gives up: 1 to 2 ms. For the few orders that
/// nothing else fills.
pub const SET_READS_MAX: u64 = 1_000_000;

/// Units of one line at one candidate warehouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which line.
    pub line: usize,
    /// Which candidate.
    pub candidate: usize,
    /// Units, from 1.
    pub quantity: i64,
}

/// What is free for one order: a row a line, a column a candidate, none below zero.
#[derive(Clone, Copy, Debug)]
pub struct Supply<'a> {
    /// Units wanted of each line.
    pub wanted: &'a [i64],
    /// Units free, a row a line.
    pub free: &'a [i64],
    /// Number of candidates.
    pub candidates: usize,
}

impl Supply<'_> {
    /// Units of a line free at a candidate.
    #[must_use]
    pub fn at(&self, line: usize, candidate: usize) -> i64 {
        self.free[line * self.candidates + candidate]
    }
}

/// Takes what each candidate has, in the given order, until everything is filled or the shipments are used up.
/// Returns the pieces and what is still wanted.
#[must_use]
pub fn in_order(supply: &Supply, order: &[usize], shipments_max: usize) -> (Vec<Piece>, Vec<i64>) {
    let mut wanted = supply.wanted.to_vec();
    let (mut pieces, mut shipments) = (Vec::new(), 0);
    for &candidate in order {
        if shipments == shipments_max || wanted.iter().all(|&quantity| quantity == 0) {
            break;
        }
        if take_all(supply, candidate, &mut wanted, &mut pieces) {
            shipments += 1;
        }
    }
    (pieces, wanted)
}

/// Again and again the candidate that fills the most units of what is still wanted, the first among equals.
/// For orders that no other way serves whole, or that take a part where the whole is not to be had.
#[must_use]
pub fn most_units(supply: &Supply, shipments_max: usize) -> (Vec<Piece>, Vec<i64>) {
    let mut wanted = supply.wanted.to_vec();
    let mut pieces = Vec::new();
    // Backwards, as max_by_key keeps the last of equals and the first is to be kept.
    let mut unused: Vec<usize> = (0..supply.candidates).rev().collect();
    for _ in 0..shipments_max.min(supply.candidates) {
        let filled = |candidate: usize| -> i64 {
            wanted.iter().enumerate().map(|(line, &quantity)| quantity.min(supply.at(line, candidate))).sum()
        };
        let Some(candidate) = unused.iter().copied().max_by_key(|&candidate| filled(candidate)) else { break };
        if !take_all(supply, candidate, &mut wanted, &mut pieces) {
            break;
        }
        unused.retain(|&other| other != candidate);
    }
    (pieces, wanted)
}

/// A set of at most `shipments_max` candidates that together hold everything wanted: the first that a search in the order
/// of the candidates finds. For orders that fit only if lines are cut otherwise than above. `None` when there is none, or
/// none was found within [`SET_READS_MAX`].
#[must_use]
pub fn covering_set(supply: &Supply, shipments_max: usize) -> Option<Vec<usize>> {
    let mut search = SetSearch::new(supply);
    let mut set = Vec::with_capacity(shipments_max.min(supply.candidates));
    search.descend(0, shipments_max.min(supply.candidates), supply.wanted.to_vec(), &mut set).then_some(set)
}

struct SetSearch<'a> {
    supply: &'a Supply<'a>,
    /// All that the candidates from here to the last have of each line; a row a candidate, one more at the end.
    sum_ahead: Vec<i64>,
    /// The most that one of them has.
    most_ahead: Vec<i64>,
    reads_left: u64,
}

impl<'a> SetSearch<'a> {
    fn new(supply: &'a Supply<'a>) -> Self {
        let lines = supply.wanted.len();
        let mut sum_ahead = vec![0_i64; (supply.candidates + 1) * lines];
        let mut most_ahead = sum_ahead.clone();
        for candidate in (0..supply.candidates).rev() {
            for line in 0..lines {
                let (here, next) = (candidate * lines + line, (candidate + 1) * lines + line);
                let free = supply.at(line, candidate);
                sum_ahead[here] = sum_ahead[next].saturating_add(free);
                most_ahead[here] = most_ahead[next].max(free);
            }
        }
        Self { supply, sum_ahead, most_ahead, reads_left: SET_READS_MAX }
    }

    /// Goes on with a set that leaves `wanted`, by candidates from `from` on; `true` when `set` covers everything.
    fn descend(&mut self, from: usize, shipments: usize, wanted: Vec<i64>, set: &mut Vec<usize>) -> bool {
        if wanted.iter().all(|&quantity| quantity == 0) {
            return true;
        }
        for candidate in from..self.supply.candidates {
            if !self.may_cover(candidate, shipments, &wanted) {
                return false;
            }
            if !self.is_worth_a_shipment(candidate, shipments, &wanted) {
                continue;
            }
            let left = wanted.iter().enumerate().map(|(line, &quantity)| {
                let free = self.supply.at(line, candidate);
                quantity - quantity.min(free)
            });
            let left = left.collect();
            set.push(candidate);
            if self.descend(candidate + 1, shipments - 1, left, set) {
                return true;
            }
            set.pop();
        }
        false
    }

    /// Whether so many candidates from `from` on could hold what is wanted. Never, once the reads are used up.
    fn may_cover(&mut self, from: usize, shipments: usize, wanted: &[i64]) -> bool {
        let row = from * wanted.len();
        for (line, &quantity) in wanted.iter().enumerate() {
            if self.reads_left == 0 {
                return false;
            }
            self.reads_left -= 1;
            let most = self.most_ahead[row + line].saturating_mul(i64::try_from(shipments).unwrap_or(i64::MAX));
            if quantity > most.min(self.sum_ahead[row + line]) {
                return false;
            }
        }
        true
    }

    /// Whether a candidate has any of what is wanted, and as the last shipment all of it.
    fn is_worth_a_shipment(&mut self, candidate: usize, shipments: usize, wanted: &[i64]) -> bool {
        for (line, &quantity) in wanted.iter().enumerate() {
            self.reads_left = self.reads_left.saturating_sub(1);
            let free = self.supply.at(line, candidate);
            if shipments == 1 && free < quantity {
                return false;
            }
            if shipments > 1 && free.min(quantity) > 0 {
                return true;
            }
        }
        shipments == 1
    }
}

fn take_all(supply: &Supply, candidate: usize, wanted: &mut [i64], pieces: &mut Vec<Piece>) -> bool {
    let before = pieces.len();
    for (line, quantity) in wanted.iter_mut().enumerate() {
        let taken = (*quantity).min(supply.at(line, candidate));
        if taken > 0 {
            pieces.push(Piece { line, candidate, quantity: taken });
            *quantity -= taken;
        }
    }
    pieces.len() > before
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUPPLY: Supply = Supply { wanted: &[3, 2], free: &[1, 0, 9, 2, 2, 1], candidates: 3 };

    fn piece(line: usize, candidate: usize, quantity: i64) -> Piece {
        Piece { line, candidate, quantity }
    }

    #[test]
    fn filling_in_order_takes_parts_as_they_come() {
        let (pieces, wanted) = in_order(&SUPPLY, &[0, 1, 2], usize::MAX);
        assert_eq!(pieces, [piece(0, 0, 1), piece(1, 0, 2), piece(0, 2, 2)]);
        assert_eq!(wanted, [0, 0]);
    }

    #[test]
    fn the_shipment_limit_ends_the_filling() {
        let (_, wanted) = in_order(&SUPPLY, &[0, 1, 2], 1);
        assert_eq!(wanted, [2, 0]);
    }

    #[test]
    fn most_units_come_first() {
        let (pieces, wanted) = most_units(&SUPPLY, 1);
        assert_eq!(pieces, [piece(0, 2, 3), piece(1, 2, 1)]);
        assert_eq!(wanted, [0, 1]);
    }

    /// What a candidate gave is no longer there, however much is still wanted.
    #[test]
    fn most_units_uses_each_candidate_once() {
        let supply = Supply { wanted: &[9], free: &[4, 3], candidates: 2 };
        let (pieces, wanted) = most_units(&supply, usize::MAX);
        assert_eq!((pieces, wanted), (vec![piece(0, 0, 4), piece(0, 1, 3)], vec![2]));
    }

    #[test]
    fn a_covering_set_is_the_first_in_order_and_within_the_shipments() {
        let supply = Supply { wanted: &[10, 1, 1], free: &[7, 5, 5, 2, 0, 1, 0, 1, 0, 0, 1, 1], candidates: 4 };
        assert_eq!(covering_set(&supply, 1), None);
        assert_eq!(covering_set(&supply, 2), Some(vec![1, 2]));
        assert_eq!(covering_set(&supply, 3), Some(vec![0, 1, 2]));
        assert_eq!(covering_set(&Supply { wanted: &[20, 1, 1], ..supply }, usize::MAX), None);
    }

    /// No three of 200 hold all of two lines, though the bounds at every step say that they may.
    #[test]
    fn the_search_for_a_set_gives_up() {
        let free: Vec<i64> = (0..400).map(|cell| if cell / 200 == cell % 2 { 4 } else { 3 }).collect();
        let supply = Supply { wanted: &[11, 11], free: &free, candidates: 200 };
        let mut search = SetSearch::new(&supply);
        assert!(!search.descend(0, 3, supply.wanted.to_vec(), &mut Vec::new()));
        assert_eq!(search.reads_left, 0);
        assert_eq!(covering_set(&supply, 4).map(|set| set.len()), Some(4));
    }
}
