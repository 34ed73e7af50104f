//! The run second by second, joined from all threads as they end each second.

use serde::Serialize;

use crate::book::CLASSES;
use crate::waits::Waits;

/// What one thread saw in one second.
#[derive(Clone)]
pub struct Second {
    /// Requests that became due.
    pub offered: u64,
    /// Sends, those that were sent again included.
    pub sent: u64,
    /// Requests that ended, by class.
    pub done: [u64; CLASSES.len()],
    /// Requests that were dropped.
    pub dropped: u64,
    /// Waits from the intended time of what ended, to 2 significant digits.
    pub waits: Waits,
    /// Share of a processor that the thread took.
    pub cpu_share: f64,
    /// Requests that wait for a connection, at its end.
    pub backlog: u64,
}

impl Default for Second {
    fn default() -> Self {
        let waits = Waits::with_digits(2);
        Self { offered: 0, sent: 0, done: [0; CLASSES.len()], dropped: 0, waits, cpu_share: 0.0, backlog: 0 }
    }
}

/// One second of the run, all threads.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// Its number, from 0.
    pub second: u64,
    /// Requests that became due in it.
    pub offered: u64,
    /// Sends.
    pub sent: u64,
    /// 2xx.
    pub ok: u64,
    /// 409.
    pub refused: u64,
    /// 429 and 503.
    pub overloaded: u64,
    /// Other answers.
    pub other: u64,
    /// No answers.
    pub failed: u64,
    /// Never sent.
    pub dropped: u64,
    /// Of what ended in it, from the intended send time.
    pub p50_ms: f64,
    /// Likewise.
    pub p99_ms: f64,
    /// Requests that wait for a connection, at its end.
    pub backlog: u64,
    /// The share of a processor that the busiest thread took.
    pub cpu_share: f64,
}

/// Seconds that all threads have ended, and what is known of others.
pub struct Timeline {
    threads: usize,
    rows: Vec<Row>,
    /// Seconds that some threads have ended, from `rows.len()` on.
    open: std::collections::VecDeque<(usize, Second)>,
}

impl Timeline {
    /// Of so many threads.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self { threads, rows: Vec::new(), open: std::collections::VecDeque::new() }
    }

    /// Notes what a thread saw in a second. Each thread tells each second once, in order.
    pub fn end(&mut self, number: u64, second: &Second) {
        let at = (number as usize).saturating_sub(self.rows.len());
        while self.open.len() <= at {
            self.open.push_back((0, Second::default()));
        }
        let (threads, sum) = &mut self.open[at];
        *threads += 1;
        sum.offered += second.offered;
        sum.sent += second.sent;
        sum.dropped += second.dropped;
        sum.backlog += second.backlog;
        sum.done.iter_mut().zip(second.done).for_each(|(sum, its)| *sum += its);
        sum.waits.join(&second.waits);
        sum.cpu_share = sum.cpu_share.max(second.cpu_share);
        while self.open.front().is_some_and(|(threads, _)| *threads >= self.threads) {
            self.close_first();
        }
    }

    /// All rows: what some threads have not told is taken for nothing.
    #[must_use]
    pub fn finish(mut self) -> Vec<Row> {
        while !self.open.is_empty() {
            self.close_first();
        }
        self.rows
    }

    /// Rows that are whole, from one on.
    #[must_use]
    pub fn rows(&self, from: usize) -> &[Row] {
        self.rows.get(from..).unwrap_or_default()
    }

    fn close_first(&mut self) {
        if let Some((_, sum)) = self.open.pop_front() {
            let [ok, refused, overloaded, other, failed] = sum.done;
            let Second { offered, sent, dropped, backlog, cpu_share, waits, .. } = sum;
            let (p50_ms, p99_ms) = (waits.quantile_ms(0.5), waits.quantile_ms(0.99));
            let second = self.rows.len() as u64;
            let row = Row {
                second,
                offered,
                sent,
                ok,
                refused,
                overloaded,
                other,
                failed,
                dropped,
                p50_ms,
                p99_ms,
                backlog,
                cpu_share,
            };
            self.rows.push(row);
        }
    }
}
