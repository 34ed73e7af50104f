//! Makes the choice for a large order better: moves and swaps pieces, closes, opens and exchanges shipments as long as that
//! lowers the score; parts the pieces of a few anew; then forces a shipment shut or open, and goes down from there again.

use super::fleet::Fleet;
use super::improve::Scores;
use super::partition;
use crate::kernel::{self, UNSERVABLE};

/// Offers that a search looks at before it keeps what it has: some 500 µs.
pub(super) const OFFERS_MAX: usize = 45_000;

/// The same for so few pieces that the least of all their partitions may be looked at afterwards.
const OFFERS_OF_FEW_MAX: usize = 30_000;

/// Cells of the kernel's work that take as long as an offer.
pub(super) const CELLS_AN_OFFER: u64 = 6;

/// Near to the best choice so far is what costs this part of it more.
const NEAR: i64 = 20;

/// Pieces that are parted anew, at the most.
const PIECES_MAX: usize = 10;

/// Lowers the score of a choice, as far as that is found within the work that is allowed; never down beyond `bound`.
pub(super) fn search(scores: &Scores, shipments_max: usize, bound: i64, at: &mut Vec<usize>) {
    let offers_max = if at.len() > partition::PIECES_MAX { OFFERS_MAX } else { OFFERS_OF_FEW_MAX };
    let mut fleet = Fleet::new(scores, at, offers_max);
    fleet.pass(scores.line.len());
    let mut search = Search { scores, fleet, servers: servers(scores), shipments_max, bound };
    search.descend();
    search.part_anew();
    search.climb_out();
    kernel::count_work(CELLS_AN_OFFER * search.fleet.work_done() as u64);
    at.clear();
    at.extend_from_slice(search.fleet.at());
}

/// By piece, the candidates that serve it, those that ask least for that first.
fn servers(scores: &Scores) -> Vec<Vec<usize>> {
    let of_piece = |costs: &[i64]| {
        let mut servers: Vec<usize> = (0..costs.len()).filter(|&one| costs[one] != UNSERVABLE).collect();
        servers.sort_unstable_by_key(|&one| (costs[one], one));
        servers
    };
    scores.line.chunks_exact(scores.open.len()).map(of_piece).collect()
}

struct Search<'a> {
    scores: &'a Scores<'a>,
    fleet: Fleet<'a>,
    servers: Vec<Vec<usize>>,
    shipments_max: usize,
    bound: i64,
}

impl Search<'_> {
    fn is_done(&self) -> bool {
        self.fleet.total() <= self.bound || self.fleet.is_spent()
    }

    /// Goes down by every kind of move until none lowers the score.
    fn descend(&mut self) {
        let mut before = i64::MAX;
        while self.fleet.total() < before && !self.is_done() {
            self.slide(i64::MAX);
            before = self.fleet.total();
            for candidate in 0..self.fleet.candidates() {
                if self.is_done() {
                    return;
                }
                if self.fleet.is_used(candidate) {
                    self.exchange(candidate);
                } else {
                    self.open(candidate);
                }
            }
        }
    }

    /// The same by those moves that cost little. Pieces are swapped only if the score is no higher than `swaps_from`.
    fn slide(&mut self, swaps_from: i64) {
        let mut before = i64::MAX;
        while self.fleet.total() < before && !self.is_done() {
            before = self.fleet.total();
            self.move_each();
            for candidate in 0..self.fleet.candidates() {
                if self.fleet.is_used(candidate) && !self.is_done() {
                    self.try_to(|search| search.scatter(candidate, |fleet, to| fleet.is_used(to)));
                }
            }
            if self.fleet.total() == before && before <= swaps_from {
                self.swap_each();
            }
        }
    }

    /// Parts the pieces of two or three shipments anew, in the best way there is, wherever those are few.
    fn part_anew(&mut self) {
        let used: Vec<usize> = (0..self.fleet.candidates()).filter(|&one| self.fleet.is_used(one)).collect();
        let pairs = (0..used.len()).flat_map(|one| (0..one).map(move |other| [one, other, other]));
        let triples = (0..used.len())
            .flat_map(|one| (0..one).flat_map(move |other| (0..other).map(move |third| [one, other, third])));
        for some in pairs.chain(triples) {
            if self.is_done() {
                return;
            }
            let some = some.map(|place| used[place]);
            self.fleet.pass(self.fleet.pieces());
            let pieces: Vec<usize> =
                (0..self.fleet.pieces()).filter(|&piece| some.contains(&self.fleet.at()[piece])).collect();
            if pieces.len() > PIECES_MAX {
                continue;
            }
            self.fleet.pass(pieces.len() * self.fleet.candidates());
            let may_ship = |one: usize| some.contains(&one) || !self.fleet.is_used(one);
            let Some(parted) = partition::cheapest(self.scores, &pieces, self.fleet.work_left(), may_ship) else {
                continue;
            };
            self.fleet.spend_work(parted.offers);
            if self.try_to(|search| search.fleet.put_all(&pieces, &parted.at)) {
                // Other shipments than those that were listed.
                self.descend();
                return self.part_anew();
            }
        }
    }

    /// Shuts or opens one shipment after the other, whatever that costs, and goes down from there.
    fn climb_out(&mut self) {
        let candidates = self.fleet.candidates();
        let (mut candidate, mut since_better) = (0, 0);
        while since_better < candidates && !self.is_done() {
            let near = self.fleet.total().saturating_add(self.fleet.total() / NEAR);
            let better = self.try_to(|search| {
                if search.fleet.is_used(candidate) {
                    search.scatter(candidate, |_, _| true);
                } else {
                    for from in 0..candidates {
                        if search.fleet.is_used(from) && from != candidate {
                            search.fleet.hand_over(from, candidate);
                        }
                    }
                }
                search.slide(near);
            });
            if better {
                self.descend();
            }
            since_better = if better { 0 } else { since_better + 1 };
            candidate = (candidate + 1) % candidates;
        }
    }

    /// Takes what a change leads to if that is better, and allowed; tells whether it was.
    fn try_to(&mut self, change: impl FnOnce(&mut Self)) -> bool {
        let (before, noted) = (self.fleet.total(), self.fleet.note());
        change(self);
        let better = self.fleet.total() < before && self.fleet.used() <= self.shipments_max;
        if !better {
            self.fleet.restore(noted);
        }
        better
    }

    fn move_each(&mut self) {
        for piece in 0..self.fleet.pieces() {
            let from = self.fleet.at()[piece];
            let saved = self.fleet.change(from, None, Some(piece));
            let (mut best, mut looks) = ((0, from), 0);
            for &to in &self.servers[piece] {
                looks += 1;
                if saved.saturating_add(self.fleet.line(to, piece)) >= best.0 || self.is_done() {
                    // Nor will those after it.
                    break;
                }
                let may_win = saved.saturating_add(self.fleet.change_least(to, piece)) < best.0;
                if to != from && may_win && self.may_go(piece, to) {
                    best = best.min((saved.saturating_add(self.fleet.change(to, Some(piece), None)), to));
                }
            }
            self.fleet.pass(looks);
            if best.0 < 0 {
                self.fleet.put(piece, best.1);
            }
        }
    }

    /// Whether there are not too many shipments once a piece went there.
    fn may_go(&self, piece: usize, to: usize) -> bool {
        let alone = self.fleet.load(self.fleet.at()[piece]) == 1;
        self.fleet.used() + usize::from(!self.fleet.is_used(to))
            <= self.shipments_max.saturating_add(usize::from(alone))
    }

    fn swap_each(&mut self) {
        for piece in 0..self.fleet.pieces() {
            for other in 0..piece {
                let (here, there) = (self.fleet.at()[piece], self.fleet.at()[other]);
                if here == there || !self.fleet.serves(there, piece) || !self.fleet.serves(here, other) {
                    continue;
                }
                if self.is_done() {
                    return;
                }
                let change = self.fleet.change(here, Some(other), Some(piece));
                if change.saturating_add(self.fleet.change(there, Some(piece), Some(other))) < 0 {
                    self.fleet.put(piece, there);
                    self.fleet.put(other, here);
                }
            }
        }
    }

    /// Each piece of a shipment to whoever ships it for least of those that may take it, as far as there are such.
    fn scatter(&mut self, from: usize, may_take: impl Fn(&Fleet, usize) -> bool) {
        for piece in 0..self.fleet.pieces() {
            if self.is_done() {
                return;
            }
            if self.fleet.at()[piece] != from {
                continue;
            }
            let (mut best, mut looks) = ((UNSERVABLE, from), 0);
            for &to in &self.servers[piece] {
                looks += 1;
                if self.fleet.line(to, piece) >= best.0 {
                    break;
                }
                if to != from && self.fleet.change_least(to, piece) < best.0 && may_take(&self.fleet, to) {
                    best = best.min((self.fleet.change(to, Some(piece), None), to));
                }
            }
            self.fleet.pass(looks);
            self.fleet.put(piece, best.1);
        }
    }

    /// Opens a shipment for what it can take of another, and of further ones that would save by that, if all of it saves.
    fn open(&mut self, to: usize) {
        let from: Vec<usize> = (0..self.fleet.candidates()).filter(|&from| self.fleet.is_used(from)).collect();
        let mut first = (UNSERVABLE, usize::MAX);
        for &from in &from {
            if self.is_done() {
                return;
            }
            let mut parcel = self.fleet.parcel(to);
            let (pieces, rest) = self.fleet.take_over(from, &mut parcel);
            if pieces > 0 {
                first = first.min((parcel.score.saturating_add(rest).saturating_sub(self.fleet.score(from)), from));
            }
        }
        if first.1 == usize::MAX {
            return;
        }
        let (mut change, mut parcel, mut givers) = (0_i64, self.fleet.parcel(to), Vec::with_capacity(from.len()));
        for from in [first.1].into_iter().chain(from) {
            if givers.contains(&from) {
                continue;
            }
            let mut larger = parcel.clone();
            let (_, rest) = self.fleet.take_over(from, &mut larger);
            let more =
                larger.score.saturating_sub(parcel.score).saturating_add(rest).saturating_sub(self.fleet.score(from));
            if givers.is_empty() || more < 0 {
                change = change.saturating_add(more);
                parcel = larger;
                givers.push(from);
            }
        }
        if change < 0 {
            self.try_to(|search| givers.iter().for_each(|&from| search.fleet.hand_over(from, to)));
        }
    }

    /// Another candidate in the place of one, for what it can serve; the rest goes to other shipments.
    fn exchange(&mut self, from: usize) {
        for to in 0..self.fleet.candidates() {
            if self.is_done() || !self.fleet.is_used(from) {
                return;
            }
            if self.fleet.is_used(to) {
                continue;
            }
            let mut parcel = self.fleet.parcel(to);
            let (pieces, _) = self.fleet.take_over(from, &mut parcel);
            // The rest costs something wherever it goes.
            if pieces > 0 && parcel.score < self.fleet.score(from) {
                self.try_to(|search| {
                    search.fleet.hand_over(from, to);
                    search.scatter(from, |fleet, to| fleet.is_used(to));
                });
            }
        }
    }
}
