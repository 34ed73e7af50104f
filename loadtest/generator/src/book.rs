//! Counts what became of requests: by class, status, kind and reason, with two latencies each.

use std::collections::BTreeMap;

use crate::bulk::{lines, member};
use crate::ledger::Ledger;
use crate::waits::Waits;

mod class;

pub use class::{CLASSES, Class, FAILURES, Failure};

/// A send that is later than this is late.
pub const LATE_NS: u64 = 1_000_000;
/// Types of problems that are told apart.
const PROBLEMS_MAX: usize = 64;
const OTHER_PROBLEMS: &str = "(others)";

/// One class.
#[derive(Clone, Default)]
pub struct ClassBook {
    /// Requests.
    pub count: u64,
    /// From the intended send time, the first one of a request that was sent again.
    pub intended: Waits,
    /// From the send that was answered.
    pub sent: Waits,
}

/// One kind.
#[derive(Clone, Copy, Default)]
pub struct KindBook {
    /// Requests that became due.
    pub offered: u64,
    /// What became of them, by class.
    pub done: [u64; CLASSES.len()],
}

/// Orders of bulk bodies, by the outcome of their lines.
pub type LineOutcomes = BTreeMap<String, u64>;

/// Everything that one thread counted.
#[derive(Clone, Default)]
pub struct Book {
    /// Requests that became due after the warm-up; the rest of this book is about them.
    pub offered: u64,
    /// Those that became due before.
    pub warmup: u64,
    /// Those that were sent at least once.
    pub sent: u64,
    /// Those that found the backlog full, or the run ended, and were never sent.
    pub dropped: u64,
    /// Those that this generator sent late.
    pub late_generator: u64,
    /// Those that waited for a connection.
    pub late_connection: u64,
    /// How late this generator was, whatever connections were free.
    pub lateness: Waits,
    /// By class.
    pub classes: [ClassBook; CLASSES.len()],
    /// By kind.
    pub kinds: Vec<KindBook>,
    /// By failure.
    pub failures: [u64; FAILURES.len()],
    /// By status, all answers, those that led to another send included.
    pub statuses: BTreeMap<u16, u64>,
    /// By the type of the problem.
    pub problems: BTreeMap<String, u64>,
    /// Lines of bulk bodies.
    pub lines: LineOutcomes,
    /// Orders by class: requests, but of a bulk body each line; one of which a 2xx answer does not tell has failed.
    pub orders: [u64; CLASSES.len()],
    /// Orders that were accepted after the warm-up and before the end, whenever they were due; and after the end.
    pub accepted: u64,
    /// See there.
    pub accepted_after: u64,
    /// Orders of bulk bodies of which a 2xx answer did not tell; lines that it told beyond those.
    pub lines_missing: u64,
    /// See there.
    pub lines_surplus: u64,
    /// Answers that told to be replays.
    pub replayed: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Requests that were sent again and ended well.
    pub recovered: u64,
    /// Those that would have been sent again, but too many waited for that.
    pub retries_dropped: u64,
    /// From the first intended time, of those sent again.
    pub retried: Waits,
    /// Connections made after the first ones.
    pub reconnects: u64,
    /// Connections that could not be made.
    pub connect_failures: u64,
    /// Answers with bytes beyond their end.
    pub surplus: u64,
    /// Bytes written and read, warm-up included.
    pub bytes: [u64; 2],
    /// Requests sent, warm-up and those sent again included.
    pub sends: u64,
    /// What each order was told, where that is kept; not joined here.
    pub ledger: Option<Ledger>,
}

impl Book {
    /// An empty one for so many kinds.
    #[must_use]
    pub fn new(kinds: usize) -> Self {
        Self { kinds: vec![KindBook::default(); kinds], ..Self::default() }
    }

    /// Counts the type of a problem.
    pub fn problem(&mut self, body: &[u8]) {
        tally(&mut self.problems, member(body, b"\"type\"").unwrap_or("(none)"));
    }

    /// Counts the lines of a 2xx answer to a bulk of so many orders; how many of them were accepted.
    pub fn bulk(&mut self, body: &[u8], orders: u64) -> u64 {
        let (mut told, mut accepted) = (0, 0);
        for line in lines(body) {
            tally(&mut self.lines, line.outcome);
            if line.class != Class::Ok {
                self.problem(line.text);
            }
            told += 1;
            if told <= orders {
                self.orders[line.class as usize] += 1;
                accepted += u64::from(line.class == Class::Ok);
            }
        }
        let missing = orders.saturating_sub(told);
        self.orders[Class::Failed as usize] += missing;
        self.lines_missing += missing;
        self.lines_surplus += told.saturating_sub(orders);
        accepted
    }

    /// Adds what another thread counted.
    pub fn join(&mut self, other: &Self) {
        let [written, read] = &mut self.bytes;
        for (mine, its) in [
            (&mut self.offered, other.offered),
            (&mut self.warmup, other.warmup),
            (&mut self.sent, other.sent),
            (&mut self.dropped, other.dropped),
            (&mut self.late_generator, other.late_generator),
            (&mut self.late_connection, other.late_connection),
            (&mut self.replayed, other.replayed),
            (&mut self.retries, other.retries),
            (&mut self.recovered, other.recovered),
            (&mut self.retries_dropped, other.retries_dropped),
            (&mut self.reconnects, other.reconnects),
            (&mut self.connect_failures, other.connect_failures),
            (&mut self.surplus, other.surplus),
            (written, other.bytes[0]),
            (read, other.bytes[1]),
            (&mut self.sends, other.sends),
            (&mut self.accepted, other.accepted),
            (&mut self.accepted_after, other.accepted_after),
            (&mut self.lines_missing, other.lines_missing),
            (&mut self.lines_surplus, other.lines_surplus),
        ] {
            *mine += its;
        }
        self.lateness.join(&other.lateness);
        self.retried.join(&other.retried);
        for (mine, its) in self.classes.iter_mut().zip(&other.classes) {
            mine.count += its.count;
            mine.intended.join(&its.intended);
            mine.sent.join(&its.sent);
        }
        for (mine, its) in self.kinds.iter_mut().zip(&other.kinds) {
            mine.offered += its.offered;
            mine.done.iter_mut().zip(its.done).for_each(|(mine, its)| *mine += its);
        }
        self.orders.iter_mut().zip(other.orders).for_each(|(mine, its)| *mine += its);
        self.failures.iter_mut().zip(other.failures).for_each(|(mine, its)| *mine += its);
        other.statuses.iter().for_each(|(status, count)| *self.statuses.entry(*status).or_default() += count);
        other.problems.iter().for_each(|(kind, count)| *self.problems.entry(kind.clone()).or_default() += count);
        other.lines.iter().for_each(|(outcome, count)| *self.lines.entry(outcome.clone()).or_default() += count);
    }
}

/// Counts a word; those beyond the first ones together.
fn tally(counts: &mut BTreeMap<String, u64>, word: &str) {
    match counts.get_mut(word) {
        Some(count) => *count += 1,
        None => {
            let word = if counts.len() < PROBLEMS_MAX { word } else { OTHER_PROBLEMS };
            *counts.entry(word.into()).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_and_outcomes_are_counted_by_their_words() {
        let mut book = Book::new(1);
        book.problem(br#"{"title":"x","type": "insufficient-stock"}"#);
        book.problem(b"not found");
        assert_eq!(book.problems, [("(none)".into(), 1), ("insufficient-stock".into(), 1)].into());
        let body =
            b"{\"order_id\":\"a\",\"outcome\":\"reserved\"}\n\n{\"outcome\": \"rejected\"}\n{\"outcome\":\"reserved\"}";
        assert_eq!(book.bulk(body, 4), 2);
        assert_eq!(book.lines, [("rejected".into(), 1), ("reserved".into(), 2)].into());
        assert_eq!((book.orders, book.lines_missing, book.lines_surplus), ([2, 0, 0, 1, 1], 1, 0));
        assert_eq!(book.bulk(body, 1), 1);
        assert_eq!((book.orders, book.lines_missing, book.lines_surplus), ([3, 0, 0, 1, 1], 1, 2));
    }
}
