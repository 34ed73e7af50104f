//! The cheapest assignment of a small order, each shipment priced as a whole: candidate by candidate, what every set of
//! pieces costs at the least.

use super::improve::Scores;
use crate::kernel::UNSERVABLE;

/// Pieces of an order that is small.
const PIECES_MAX: usize = 8;

/// Divisions of sets that are looked at: about 300 µs.
const DIVISIONS_MAX: usize = 100_000;

/// Cost and number of shipments of a set of pieces; fewer shipments among equals.
type Least = (i64, u32);

/// The least that any assignment to so many candidates costs, and one that costs it: the candidate of each piece. `None`
/// for an order that is too large for this, or that cannot be assigned.
pub(super) fn cheapest(scores: &Scores, shipments_max: usize) -> Option<(i64, Vec<usize>)> {
    let (width, rows) = (scores.open.len(), scores.rows);
    // Shipments are counted only where their number may be too great.
    let (layers, next) = if shipments_max < rows { (shipments_max + 1, 1) } else { (1, 0) };
    if rows > PIECES_MAX || 3_usize.pow(rows as u32) * width * layers > DIVISIONS_MAX {
        return None;
    }
    let sets = 1_usize << rows;
    let mut table: Vec<Least> = vec![(UNSERVABLE, 0); layers * sets];
    table[0] = (0, 0);
    // By candidate and state: the pieces that it ships there.
    let mut taken = vec![0_u8; width * layers * sets];
    let mut shipments = Shipments::new(scores, sets);
    for candidate in 0..width {
        let served = shipments.price(scores, candidate);
        let taken = &mut taken[candidate * layers * sets..][..layers * sets];
        // From the largest set down: what a smaller one costs is still without this candidate.
        for set in (1..sets).rev() {
            for layer in (next..layers).rev() {
                let mut own = set & served;
                while own > 0 {
                    let (cost, count) = table[(layer - next) * sets + (set ^ own)];
                    if cost != UNSERVABLE {
                        let with = (cost.saturating_add(shipments.costs[own]), count + 1);
                        if with < table[layer * sets + set] {
                            table[layer * sets + set] = with;
                            taken[layer * sets + set] = own as u8;
                        }
                    }
                    own = (own - 1) & set & served;
                }
            }
        }
    }
    let mut layer = (0..layers).min_by_key(|layer| table[layer * sets + sets - 1])?;
    let (least, _) = table[layer * sets + sets - 1];
    let (mut at, mut set) = (vec![0; rows], sets - 1);
    for candidate in (0..width).rev() {
        let own = usize::from(taken[(candidate * layers + layer) * sets + set]);
        (0..rows).filter(|piece| own >> piece & 1 == 1).for_each(|piece| at[piece] = candidate);
        (set, layer) = (set ^ own, if own > 0 { layer - next } else { layer });
    }
    (least != UNSERVABLE).then_some((least, at))
}

/// What one candidate charges for every set of pieces.
struct Shipments {
    costs: Vec<i64>,
    /// By carrier and set.
    grams: Vec<Vec<i64>>,
}

impl Shipments {
    fn new(scores: &Scores, sets: usize) -> Self {
        let sums = |of: &Vec<i64>| {
            let mut sums = vec![0_i64; sets];
            for set in 1..sets {
                sums[set] = sums[set & (set - 1)].saturating_add(of[set.trailing_zeros() as usize]);
            }
            sums
        };
        Self { costs: vec![0; sets], grams: scores.grams.iter().map(sums).collect() }
    }

    /// Prices a candidate's shipments; returns the pieces that it can serve. Sets of others keep whatever they had.
    fn price(&mut self, scores: &Scores, candidate: usize) -> usize {
        let line = |piece: usize| scores.line[piece * scores.open.len() + candidate];
        let served: usize = (0..scores.rows).filter(|&piece| line(piece) != UNSERVABLE).map(|piece| 1 << piece).sum();
        for set in (1..self.costs.len()).filter(|set| set & !served == 0) {
            let pieces = (0..scores.rows).filter(|piece| set >> piece & 1 == 1);
            let lines = pieces.map(line).fold(scores.open[candidate], i64::saturating_add);
            let offers = scores.offers[candidate].iter();
            let freight = offers.map(|offer| scores.offered(offer, self.grams[usize::from(offer.rate.carrier)][set]));
            self.costs[set] = lines.saturating_add(freight.min().unwrap_or(0));
        }
        served
    }
}
