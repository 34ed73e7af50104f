//! Rules that fill an order warehouse after warehouse, and the two cases that need one: the plain policies, and
//! quantities that no single warehouse has. Fast and feasible, not proven cheapest.

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

/// Cuts a line that no candidate holds whole: all that the fullest ones have, in whole, until one of the others holds
/// the rest. The rest stays wanted, for the kernel to place. `None` when even all together fall short.
#[must_use]
pub fn cut_line(supply: &Supply, line: usize) -> Option<(Vec<Piece>, i64)> {
    let mut fullest: Vec<usize> = (0..supply.candidates).filter(|&candidate| supply.at(line, candidate) > 0).collect();
    // Stable: candidates come ranked, so equals keep their rank.
    fullest.sort_by_key(|&candidate| -supply.at(line, candidate));
    let (mut pieces, mut wanted) = (Vec::new(), supply.wanted[line]);
    for &candidate in &fullest {
        let free = supply.at(line, candidate);
        if wanted <= free {
            return Some((pieces, wanted));
        }
        pieces.push(Piece { line, candidate, quantity: free });
        wanted -= free;
    }
    None
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
    fn a_cut_line_leaves_a_rest_that_one_warehouse_holds() {
        let supply = Supply { wanted: &[12], free: &[5, 8, 1], candidates: 3 };
        assert_eq!(cut_line(&supply, 0), Some((vec![piece(0, 1, 8)], 4)));
        let short = Supply { wanted: &[15], ..supply };
        assert_eq!(cut_line(&short, 0), None);
    }
}
