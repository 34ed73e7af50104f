//! The least that any partition of pieces into shipments costs, each set of pieces at the candidate that ships it
//! for least. That bounds every assignment; it is one unless two of the sets leave the same candidate.

use super::improve::Scores;
use crate::kernel::UNSERVABLE;

/// Pieces that this looks at, at the most: sets of them fit into a small table.
pub(super) const PIECES_MAX: usize = 12;

/// Offers for sets, and as many divisions of sets as take as long, that are looked at: some 400 µs.
pub(super) const OFFERS_MAX: usize = 50_000;
const DIVISIONS_AN_OFFER: usize = 6;

/// A partition of some pieces.
pub(super) struct Parted {
    /// No assignment of them costs less.
    pub(super) least: i64,
    /// The candidate of each.
    pub(super) at: Vec<usize>,
    /// What it took to find, in offers.
    pub(super) offers: usize,
}

/// Parts some pieces among the candidates that may ship them. `None` where that takes more than [`OFFERS_MAX`] or so many
/// offers, or nobody ships one.
pub(super) fn cheapest(
    scores: &Scores,
    pieces: &[usize],
    offers_max: usize,
    may_ship: impl Fn(usize) -> bool,
) -> Option<Parted> {
    let (width, rows) = (scores.open.len(), pieces.len());
    if rows == 0 || rows > PIECES_MAX {
        return None;
    }
    let line = |piece: usize, candidate: usize| scores.line[pieces[piece] * width + candidate];
    let serves = |candidate: usize| {
        let served = (0..rows).filter(|&piece| line(piece, candidate) != UNSERVABLE);
        served.map(|piece| 1_usize << piece).sum::<usize>()
    };
    let served: Vec<usize> = (0..width).map(|one| if may_ship(one) { serves(one) } else { 0 }).collect();
    let looks = served.iter().zip(&scores.offers).map(|(served, offers)| (offers.len() + 1) << served.count_ones());
    let offers = looks.sum::<usize>() + 3_usize.pow(rows as u32) / 2 / DIVISIONS_AN_OFFER;
    if offers > OFFERS_MAX.min(offers_max) {
        return None;
    }
    let sets = 1_usize << rows;
    let sums = |of: &dyn Fn(usize) -> i64| {
        let mut sums = vec![0_i64; sets];
        for set in 1..sets {
            sums[set] = sums[set & (set - 1)].saturating_add(of(set.trailing_zeros() as usize));
        }
        sums
    };
    let grams: Vec<Vec<i64>> = scores.grams.iter().map(|of| sums(&|piece| of[pieces[piece]])).collect();
    let mut shipment = vec![(UNSERVABLE, 0_u32); sets];
    let mut lines = vec![0_i64; sets];
    for (candidate, &served) in served.iter().enumerate() {
        // Subsets of those it serves, each after all that it contains.
        let mut set = 0_usize;
        while set != served {
            set = set.wrapping_sub(served) & served;
            lines[set] = lines[set & (set - 1)].saturating_add(line(set.trailing_zeros() as usize, candidate));
            let least = scores.open[candidate].saturating_add(lines[set]);
            if least < shipment[set].0 {
                let score = scores.whole(candidate, lines[set], |carrier| grams[carrier][set]);
                shipment[set] = shipment[set].min((score, candidate as u32));
            }
        }
    }
    // By set, what it costs at the least, and what of it goes with its first piece.
    let alone: Vec<i64> = shipment.iter().map(|&(cost, _)| cost).collect();
    let (mut least, mut first) = (alone.clone(), vec![0; sets]);
    for set in 1..sets {
        let rest = set & (set - 1);
        let (mut others, mut best) = (rest, (alone[set], set));
        while others > 0 {
            let own = set ^ others;
            // Neither is above the mark of what nobody ships.
            let cost = alone[own] + least[others];
            if cost < best.0 {
                best = (cost, own);
            }
            others = (others - 1) & rest;
        }
        (least[set], first[set]) = best;
    }
    let mut at = vec![0; rows];
    let mut set = sets - 1;
    while set > 0 {
        let own: usize = first[set];
        (0..rows).filter(|piece| own >> piece & 1 == 1).for_each(|piece| at[piece] = shipment[own].1 as usize);
        set ^= own;
    }
    let least = least[sets - 1];
    (least < UNSERVABLE).then_some(Parted { least, at, offers })
}
