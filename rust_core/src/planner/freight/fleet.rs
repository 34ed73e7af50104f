//! Pieces on their shipments while a search moves them about: every shipment's load and score are kept, so that a move costs
//! no more than the two shipments that it changes.

use super::improve::Scores;
use crate::kernel::UNSERVABLE;

/// Costs, pieces or candidates that are looked at in passing while one offer is.
pub(super) const PASSED_AN_OFFER: usize = 16;

/// What is on one shipment.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    pieces: usize,
    /// What its pieces cost besides freight.
    lines: i64,
    score: i64,
    /// Whether it is counted among the shipments.
    is_used: bool,
}

/// What a candidate without a shipment would ship if it took over parts of those of others.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) to: usize,
    lines: i64,
    /// By carrier.
    grams: Vec<i64>,
    pub(super) score: i64,
}

/// Where every piece is, and what that comes to.
#[derive(Clone, Debug)]
pub(super) struct State {
    at: Vec<usize>,
    loads: Vec<Load>,
    /// Chargeable grams by candidate and carrier.
    grams: Vec<i64>,
    used: usize,
    total: i64,
}

/// Every piece on some shipment, and the work that may still be done.
pub(super) struct Fleet<'a> {
    scores: &'a Scores<'a>,
    state: State,
    /// Grams of a part that is handed over, by carrier.
    part: Vec<i64>,
    /// In offers.
    work: usize,
    work_max: usize,
}

impl<'a> Fleet<'a> {
    /// `work_max` in offers that may be looked at.
    pub(super) fn new(scores: &'a Scores<'a>, at: &[usize], work_max: usize) -> Self {
        let (width, carriers) = (scores.open.len(), scores.grams.len());
        let state = State {
            at: vec![usize::MAX; at.len()],
            loads: vec![Load::default(); width],
            grams: vec![0; width * carriers],
            used: 0,
            total: 0,
        };
        let mut fleet = Self { scores, state, part: vec![0; carriers], work: 0, work_max };
        fleet.put_all(&(0..at.len()).collect::<Vec<_>>(), at);
        fleet
    }

    /// As everything is now.
    pub(super) fn note(&mut self) -> State {
        self.pass(self.candidates());
        self.state.clone()
    }

    /// Puts everything back to what was noted.
    pub(super) fn restore(&mut self, noted: State) {
        self.state = noted;
    }

    pub(super) fn pieces(&self) -> usize {
        self.state.at.len()
    }

    pub(super) fn candidates(&self) -> usize {
        self.state.loads.len()
    }

    /// The candidate of each piece.
    pub(super) fn at(&self) -> &[usize] {
        &self.state.at
    }

    pub(super) fn total(&self) -> i64 {
        self.state.total
    }

    /// Shipments.
    pub(super) fn used(&self) -> usize {
        self.state.used
    }

    /// Pieces on a candidate's shipment.
    pub(super) fn load(&self, candidate: usize) -> usize {
        self.state.loads[candidate].pieces
    }

    pub(super) fn is_used(&self, candidate: usize) -> bool {
        self.load(candidate) > 0
    }

    pub(super) fn score(&self, candidate: usize) -> i64 {
        self.state.loads[candidate].score
    }

    /// What was done, in offers. That is more than was allowed by no more than the last step.
    pub(super) fn work_done(&self) -> usize {
        self.work
    }

    /// What may still be done.
    pub(super) fn work_left(&self) -> usize {
        self.work_max.saturating_sub(self.work)
    }

    pub(super) fn is_spent(&self) -> bool {
        self.work_left() == 0
    }

    pub(super) fn serves(&self, candidate: usize, piece: usize) -> bool {
        self.line(candidate, piece) != UNSERVABLE
    }

    /// What a candidate's shipment costs more with a piece added to it at the least.
    pub(super) fn change_least(&self, candidate: usize, piece: usize) -> i64 {
        let open = if self.is_used(candidate) { 0 } else { self.scores.open[candidate] };
        open.saturating_add(self.line(candidate, piece))
    }

    /// What a candidate's shipment would cost more with one piece added to it, which it serves, and one taken from it.
    pub(super) fn change(&mut self, candidate: usize, plus: Option<usize>, minus: Option<usize>) -> i64 {
        self.spend(candidate);
        self.priced(candidate, plus, minus).saturating_sub(self.state.loads[candidate].score)
    }

    /// Moves a piece, wherever it is, to a candidate that serves it.
    pub(super) fn put(&mut self, piece: usize, to: usize) {
        let from = self.state.at[piece];
        if from != to {
            self.shift(piece, to);
            self.score_anew(from);
            self.score_anew(to);
        }
    }

    /// Moves pieces, each to its candidate.
    pub(super) fn put_all(&mut self, pieces: &[usize], to: &[usize]) {
        let from: Vec<usize> = pieces.iter().map(|&piece| self.state.at[piece]).collect();
        pieces.iter().zip(to).for_each(|(&piece, &to)| self.shift(piece, to));
        from.iter().chain(to).for_each(|&candidate| self.score_anew(candidate));
    }

    /// A parcel of nothing yet.
    pub(super) fn parcel(&self, to: usize) -> Parcel {
        Parcel { to, lines: 0, grams: vec![0; self.part.len()], score: 0 }
    }

    /// Adds to a parcel what it can take of a shipment. Tells how many pieces those are, and what the rest costs then.
    pub(super) fn take_over(&mut self, from: usize, parcel: &mut Parcel) -> (usize, i64) {
        self.spend(from);
        self.spend(parcel.to);
        self.part.fill(0);
        let (mut pieces, mut lines) = (0, self.state.loads[from].lines);
        for piece in 0..self.state.at.len() {
            if self.state.at[piece] == from && self.serves(parcel.to, piece) {
                pieces += 1;
                lines = lines.saturating_sub(self.line(from, piece));
                parcel.lines = parcel.lines.saturating_add(self.line(parcel.to, piece));
                for (sum, of) in self.part.iter_mut().zip(&self.scores.grams) {
                    *sum = sum.saturating_add(of[piece]);
                }
            }
        }
        parcel.grams.iter_mut().zip(&self.part).for_each(|(sum, part)| *sum = sum.saturating_add(*part));
        if pieces > 0 {
            parcel.score = self.scores.whole(parcel.to, parcel.lines, |carrier| parcel.grams[carrier]);
        }
        if pieces == self.state.loads[from].pieces {
            return (pieces, 0);
        }
        let carriers = self.part.len();
        let grams = |carrier: usize| self.state.grams[from * carriers + carrier].saturating_sub(self.part[carrier]);
        (pieces, self.scores.whole(from, lines, grams))
    }

    /// Moves what a candidate can take of a shipment there.
    pub(super) fn hand_over(&mut self, from: usize, to: usize) {
        for piece in 0..self.state.at.len() {
            if self.state.at[piece] == from && self.serves(to, piece) {
                self.shift(piece, to);
            }
        }
        self.score_anew(from);
        self.score_anew(to);
    }

    /// Counts what was done elsewhere, in offers.
    pub(super) fn spend_work(&mut self, offers: usize) {
        self.work = self.work.saturating_add(offers);
    }

    /// Counts so many looks in passing.
    pub(super) fn pass(&mut self, looks: usize) {
        self.spend_work(looks / PASSED_AN_OFFER + 1);
    }

    fn spend(&mut self, candidate: usize) {
        self.spend_work(self.scores.offers[candidate].len() + 1);
    }

    /// What a piece costs there besides freight.
    pub(super) fn line(&self, candidate: usize, piece: usize) -> i64 {
        self.scores.line[piece * self.state.loads.len() + candidate]
    }

    /// Moves a piece without a look at what that changes, which has to follow.
    fn shift(&mut self, piece: usize, to: usize) {
        let from = std::mem::replace(&mut self.state.at[piece], to);
        for (candidate, sign) in [(from, -1), (to, 1)] {
            if candidate >= self.state.loads.len() {
                continue;
            }
            let line = self.line(candidate, piece);
            let load = &mut self.state.loads[candidate];
            load.pieces = load.pieces.saturating_add_signed(sign as isize);
            load.lines = load.lines.saturating_add(sign * line);
            let carriers = self.part.len();
            let grams = &mut self.state.grams[candidate * carriers..(candidate + 1) * carriers];
            for (sum, of) in grams.iter_mut().zip(&self.scores.grams) {
                *sum = sum.saturating_add(sign * of[piece]);
            }
        }
    }

    fn score_anew(&mut self, candidate: usize) {
        if candidate >= self.state.loads.len() {
            return;
        }
        self.spend(candidate);
        let score = self.priced(candidate, None, None);
        let load = &mut self.state.loads[candidate];
        let (was_used, before) = (load.is_used, load.score);
        (load.is_used, load.score) = (load.pieces > 0, score);
        let is_used = load.is_used;
        self.state.used = self.state.used + usize::from(is_used) - usize::from(was_used);
        self.state.total = self.state.total.saturating_add(score.saturating_sub(before));
    }

    /// What a candidate's shipment comes to with one piece added to it and one taken from it.
    fn priced(&self, candidate: usize, plus: Option<usize>, minus: Option<usize>) -> i64 {
        let load = &self.state.loads[candidate];
        if load.pieces + usize::from(plus.is_some()) == usize::from(minus.is_some()) {
            return 0;
        }
        let line = |piece: usize| self.line(candidate, piece);
        let lines = load.lines.saturating_add(plus.map_or(0, line)).saturating_sub(minus.map_or(0, line));
        let carriers = self.part.len();
        self.scores.whole(candidate, lines, |carrier| {
            let of = |piece: usize| self.scores.grams[carrier][piece];
            let grams = self.state.grams[candidate * carriers + carrier];
            grams.saturating_add(plus.map_or(0, of)).saturating_sub(minus.map_or(0, of))
        })
    }
}
