//! Prices the kernel's choice truly and makes it better: by looking at every assignment of a small order, and by a search
//! for a large one.

use super::exact::cheapest;
use super::search::{CELLS_AN_OFFER, search};
use super::{Candidates, Demand, Planner, arrival, partition};
use crate::cost::{COST_MAX, Rate, Service};
use crate::fill::Piece;
use crate::kernel::{UNSERVABLE, count_work};

/// What the kernel was asked, and the bound that it found.
pub(in crate::planner) struct Bounded<'a> {
    /// Cost of using each candidate.
    pub(in crate::planner) fixed: &'a [i64],
    /// Cost of each piece at each candidate, a row a piece.
    pub(in crate::planner) cost: &'a [i64],
    /// What both count a minor unit of booked cost for.
    pub(in crate::planner) cost_weight: i64,
    /// Candidates that may be used.
    pub(in crate::planner) shipments_max: usize,
    /// No choice costs less by `fixed` and `cost`, nor truly.
    pub(in crate::planner) bound: i64,
}

/// A carrier that may take a candidate's shipment.
pub(super) struct Offer {
    pub(super) rate: Rate,
    /// What arriving later than with the fastest counts for.
    hurry: i64,
}

/// True scores: as the kernel's, but freight of whole shipments in the place of its bound.
pub(super) struct Scores<'a> {
    planner: &'a Planner,
    /// By candidate, what using it costs besides freight.
    pub(super) open: Vec<i64>,
    /// By piece and candidate, what it costs besides freight.
    pub(super) line: Vec<i64>,
    /// By candidate; none where `open` and `line` say it all.
    pub(super) offers: Vec<Vec<Offer>>,
    /// Chargeable grams by carrier and piece.
    pub(super) grams: Vec<Vec<i64>>,
    pub(super) rows: usize,
    cost_weight: i64,
}

impl<'a> Scores<'a> {
    pub(super) fn new(
        planner: &'a Planner,
        demand: &Demand,
        candidates: &Candidates,
        kernel: &Bounded,
        pieces: &[Piece],
    ) -> Self {
        let width = kernel.fixed.len();
        let terms: Vec<_> =
            pieces.iter().map(|piece| planner.catalogue.sku_terms(demand.lines[piece.line].0)).collect();
        let (mut open, mut line) = (kernel.fixed.to_vec(), kernel.cost.to_vec());
        let mut offers = Vec::with_capacity(width);
        for (candidate, (lane, charged)) in candidates.lanes.iter().zip(&candidates.by_weight).enumerate() {
            if lane.service != Service::ByWeight {
                offers.push(Vec::new());
                continue;
            }
            open[candidate] -= kernel.cost_weight.saturating_mul(lane.fixed - charged.open);
            for ((piece, terms), costs) in pieces.iter().zip(&terms).zip(line.chunks_exact_mut(width)) {
                if costs[candidate] != UNSERVABLE {
                    let picking = lane.per_unit.saturating_mul(piece.quantity).min(COST_MAX);
                    let freight = lane.line_cost(terms, piece.quantity) - picking;
                    costs[candidate] -= kernel.cost_weight.saturating_mul(freight);
                }
            }
            let hurry = |days| candidates.haste.of(arrival(charged.leaves, days));
            let least = hurry(lane.transit_days);
            offers.push(
                (charged.rates.iter())
                    .map(|&rate| Offer { rate, hurry: (hurry(planner.costs.transit_days(rate)) - least).max(0) })
                    .collect(),
            );
        }
        let grams = planner.costs.carriers().iter().map(|carrier| {
            let each = pieces.iter().zip(&terms);
            each.map(|(piece, terms)| terms.chargeable_g(carrier.cm3_per_kg).saturating_mul(piece.quantity)).collect()
        });
        Self {
            planner,
            open,
            line,
            offers,
            grams: grams.collect(),
            rows: pieces.len(),
            cost_weight: kernel.cost_weight,
        }
    }

    /// What an offer charges for so many grams, and what its slowness counts for.
    pub(super) fn offered(&self, offer: &Offer, grams: i64) -> i64 {
        let carrier = &self.planner.costs.carriers()[usize::from(offer.rate.carrier)];
        let freight = carrier.freight(usize::from(offer.rate.zone), grams);
        self.cost_weight.saturating_mul(freight.saturating_add(offer.hurry))
    }

    /// The score of a shipment whose pieces cost so much besides freight, and weigh so many chargeable grams by carrier.
    pub(super) fn whole(&self, candidate: usize, lines: i64, grams: impl Fn(usize) -> i64) -> i64 {
        let offers = self.offers[candidate].iter();
        let freight = offers.map(|offer| self.offered(offer, grams(usize::from(offer.rate.carrier))));
        self.open[candidate].saturating_add(lines).saturating_add(freight.min().unwrap_or(0))
    }

    /// The score of one shipment; nothing for one of no pieces, [`UNSERVABLE`] where a piece cannot be had there.
    fn shipment(&self, candidate: usize, pieces: impl Iterator<Item = usize> + Clone) -> i64 {
        if pieces.clone().next().is_none() {
            return 0;
        }
        let width = self.open.len();
        let mut lines = 0_i64;
        for piece in pieces.clone() {
            match self.line[piece * width + candidate] {
                UNSERVABLE => return UNSERVABLE,
                cost => lines = lines.saturating_add(cost),
            }
        }
        let sum = |of: &[i64]| pieces.clone().map(|piece| of[piece]).fold(0, i64::saturating_add);
        self.whole(candidate, lines, |carrier| sum(&self.grams[carrier]))
    }

    fn of(&self, at: &[usize], candidate: usize) -> i64 {
        self.shipment(candidate, (0..at.len()).filter(|&piece| at[piece] == candidate))
    }

    fn total(&self, at: &[usize]) -> i64 {
        let mut used = at.to_vec();
        used.sort_unstable();
        used.dedup();
        used.iter().map(|&candidate| self.of(at, candidate)).fold(0, i64::saturating_add)
    }
}

impl Planner {
    /// Gives pieces to where they truly cost least, as far as that is found. Returns whether nothing can cost less.
    pub(in crate::planner) fn ship_truly(
        &self,
        demand: &Demand,
        candidates: &Candidates,
        kernel: &Bounded,
        pieces: &mut [Piece],
    ) -> bool {
        let scores = Scores::new(self, demand, candidates, kernel, pieces);
        let mut at: Vec<usize> = pieces.iter().map(|piece| piece.candidate).collect();
        let (mut score, mut bound) = (scores.total(&at), kernel.bound);
        let mut take = |found: Vec<usize>, score: &mut i64| {
            let total = scores.total(&found);
            if is_better((total, &found), (*score, &at)) {
                (at, *score) = (found, total);
            }
        };
        if score > bound {
            let least = (0..kernel.fixed.len()).min_by_key(|&candidate| scores.shipment(candidate, 0..pieces.len()));
            take(vec![least.unwrap_or(0); pieces.len()], &mut score);
            match cheapest(&scores, kernel.shipments_max) {
                Some((least, found)) => {
                    debug_assert!(bound <= least, "a bound above the optimum");
                    take(found, &mut score);
                    bound = bound.max(least);
                }
                None => {
                    search(&scores, kernel.shipments_max, bound, &mut at);
                    score = scores.total(&at);
                    let all: Vec<usize> = (0..pieces.len()).collect();
                    if score > bound
                        && let Some(parted) = partition::cheapest(&scores, &all, partition::OFFERS_MAX, |_| true)
                    {
                        bound = bound.max(parted.least);
                        count_work(parted.offers as u64 * CELLS_AN_OFFER);
                        let total = scores.total(&parted.at);
                        let few = distinct(&parted.at) <= kernel.shipments_max;
                        if few && is_better((total, &parted.at), (score, &at)) {
                            (at, score) = (parted.at, total);
                        }
                    }
                }
            }
        }
        pieces.iter_mut().zip(&at).for_each(|(piece, &candidate)| piece.candidate = candidate);
        score <= bound
    }
}

/// Whether an assignment costs less than another, or as much with fewer shipments. One that cannot be had never is.
fn is_better((score, at): (i64, &[usize]), than: (i64, &[usize])) -> bool {
    score < UNSERVABLE && (score, distinct(at)) < (than.0, distinct(than.1))
}

fn distinct(at: &[usize]) -> usize {
    let mut used = at.to_vec();
    used.sort_unstable();
    used.dedup();
    used.len()
}
