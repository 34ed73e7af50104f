//! When to stop: at the time limit, or when whoever watches says so. Decides nothing else, so that a run whose limit does
//! not bite is the same each time.

use std::time::{Duration, Instant};

/// A watcher is asked so often at the most.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Prices are sought; the bound rises.
    Price,
    /// A first assignment is made by the prices.
    Build,
    /// The assignment is made cheaper.
    Improve,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Since the run began.
    pub elapsed: Duration,
    /// What the best assignment so far costs.
    pub cost: Option<i64>,
    /// No assignment costs less.
    pub bound: i64,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All was done that there is to do.
    Complete,
    /// At its time limit.
    TimeLimit,
    /// Whoever watches said so.
    Cancelled,
}

/// Is told how far a run is, and says whether to go on; from the thread that began it.
pub trait Watch {
    /// `false` to stop.
    fn look(&mut self, progress: &Progress) -> bool;
}

/// Nobody watches.
impl Watch for () {
    fn look(&mut self, _: &Progress) -> bool {
        true
    }
}

pub(super) struct Clock<'a> {
    start: Instant,
    limit: Duration,
    next_look: Duration,
    watch: &'a mut dyn Watch,
    /// Of the best assignment so far: what is tried out may cost more for a while.
    least: Option<i64>,
    pub(super) ended: Ended,
}

impl<'a> Clock<'a> {
    pub(super) fn new(limit: Duration, watch: &'a mut dyn Watch) -> Self {
        Self { start: Instant::now(), limit, next_look: Duration::ZERO, watch, least: None, ended: Ended::Complete }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The part of the whole time that is not over yet.
    pub(super) fn left(&self, share: f64) -> Duration {
        self.limit.mul_f64(share).saturating_sub(self.elapsed())
    }

    /// Whether the time limit is past, whatever else was said.
    pub(super) fn overdue(&self) -> bool {
        self.elapsed() >= self.limit
    }

    /// Whether to go on. Asks the watcher now and then.
    pub(super) fn go_on(&mut self, phase: Phase, cost: Option<i64>, bound: i64) -> bool {
        if self.ended != Ended::Complete {
            return false;
        }
        let elapsed = self.elapsed();
        self.least = self.least.into_iter().chain(cost).min();
        if elapsed >= self.next_look {
            self.next_look = elapsed + LOOK_EVERY;
            let cost = self.least;
            if !self.watch.look(&Progress { phase, elapsed, cost, bound }) {
                self.ended = Ended::Cancelled;
                return false;
            }
        }
        if elapsed >= self.limit {
            self.ended = Ended::TimeLimit;
        }
        self.ended == Ended::Complete
    }
}
