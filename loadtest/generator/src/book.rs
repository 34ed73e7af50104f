//! Counts what became of requests: by class, status, kind and reason, with two latencies each.

use std::collections::BTreeMap;

use crate::waits::Waits;

/// A send that is later than this is late.
pub const LATE_NS: u64 = 1_000_000;
/// Types of problems that are told apart.
const PROBLEMS_MAX: usize = 64;
const OTHER_PROBLEMS: &str = "(others)";

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 2xx.
    Ok,
    /// 409.
    Refused,
    /// 429 and 503.
    Overloaded,
    /// Any other answer.
    Other,
    /// No answer, or none of HTTP.
    Failed,
}

/// Names of the classes, in the order of their numbers.
pub const CLASSES: [&str; 5] = ["ok", "refused", "overloaded", "other", "failed"];

impl Class {
    /// The class of an answer.
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            200..300 => Self::Ok,
            409 => Self::Refused,
            429 | 503 => Self::Overloaded,
            _ => Self::Other,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The connection ended before the first byte of it.
    Closed,
    /// It ended within it.
    Truncated,
    /// The connection was reset, or broke otherwise.
    Reset,
    /// It is not HTTP/1.1.
    Malformed,
    /// It did not come in time.
    Timeout,
    /// The run was ended before it came.
    Unfinished,
}

/// Names of the failures, in the order of their numbers.
pub const FAILURES: [&str; 6] = ["closed", "truncated", "reset", "malformed", "timeout", "unfinished"];

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
}

impl Book {
    /// An empty one for so many kinds.
    #[must_use]
    pub fn new(kinds: usize) -> Self {
        Self { kinds: vec![KindBook::default(); kinds], ..Self::default() }
    }

    /// Counts the type of a problem.
    pub fn problem(&mut self, body: &[u8]) {
        let kind = member(body, b"\"type\"").unwrap_or("(none)");
        match self.problems.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                let kind = if self.problems.len() < PROBLEMS_MAX { kind } else { OTHER_PROBLEMS };
                *self.problems.entry(kind.into()).or_default() += 1;
            }
        }
    }

    /// Counts the outcomes of a bulk's lines; how many lines there are.
    pub fn bulk(&mut self, body: &[u8]) -> u64 {
        let mut lines = 0;
        for line in body.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let outcome = member(line, b"\"outcome\"").unwrap_or("(none)");
            let outcome = if self.lines.len() < PROBLEMS_MAX { outcome } else { OTHER_PROBLEMS };
            match self.lines.get_mut(outcome) {
                Some(count) => *count += 1,
                None => _ = self.lines.insert(outcome.into(), 1),
            }
            lines += 1;
        }
        lines
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
        self.failures.iter_mut().zip(other.failures).for_each(|(mine, its)| *mine += its);
        other.statuses.iter().for_each(|(status, count)| *self.statuses.entry(*status).or_default() += count);
        other.problems.iter().for_each(|(kind, count)| *self.problems.entry(kind.clone()).or_default() += count);
        other.lines.iter().for_each(|(outcome, count)| *self.lines.entry(outcome.clone()).or_default() += count);
    }
}

/// The text of a JSON object's member, found without reading the object: the first such name that a text follows.
fn member<'a>(json: &'a [u8], name: &[u8]) -> Option<&'a str> {
    memchr::memmem::find_iter(json, name).find_map(|at| {
        let rest =
            json[at + name.len()..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
        std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok()
    })
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
        assert_eq!(book.bulk(body), 3);
        assert_eq!(book.lines, [("rejected".into(), 1), ("reserved".into(), 2)].into());
    }
}
