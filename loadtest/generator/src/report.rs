//! What a run reports.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::book::{Book, CLASSES, FAILURES, LineOutcomes};
use crate::clock::seconds;
use crate::ledger::Ledger;
use crate::plan::{Arrivals, Plan};
use crate::timeline::Row;
use crate::waits::{Waits, milliseconds};
use crate::worker::Worked;

mod generator;
mod quantiles;

pub use generator::GeneratorReport;
pub use quantiles::Quantiles;

/// Steps of the curve in each half of what is left to 100 %.
const CURVE_STEPS: u32 = 4;

/// One class of outcomes.
#[derive(Clone, Debug, Serialize)]
pub struct ClassReport {
    /// Requests.
    pub count: u64,
    /// Waits from the intended send time.
    pub from_intended: Quantiles,
    /// Waits from the send.
    pub from_sent: Quantiles,
}

/// One kind of requests.
#[derive(Clone, Debug, Serialize)]
pub struct KindReport {
    /// Its name.
    pub name: String,
    /// Requests that became due.
    pub offered: u64,
    /// What became of them, by class.
    pub done: BTreeMap<&'static str, u64>,
}

/// Requests that were sent again.
#[derive(Clone, Debug, Serialize)]
pub struct RetryReport {
    /// Sends after the first one.
    pub sent: u64,
    /// Requests that ended well thanks to them.
    pub recovered: u64,
    /// Requests for which too many others waited.
    pub dropped: u64,
    /// Waits of these requests from their first intended time to their last answer.
    pub from_intended: Quantiles,
}

/// A run. Counts are of requests due after the warm-up.
#[derive(Clone, Serialize)]
pub struct Report {
    /// `open` or `closed`.
    pub r#loop: &'static str,
    /// How long requests became due; how long the run took until the last answer.
    pub seconds: f64,
    /// Until the last answer.
    pub wall_s: f64,
    /// What was not counted.
    pub warmup_s: f64,
    /// Requests due in the warm-up.
    pub warmup_requests: u64,
    /// Connections.
    pub connections: usize,
    /// Threads.
    pub threads: usize,
    /// The seed.
    pub seed: u64,
    /// Whether it was stopped before its end.
    pub cancelled: bool,
    /// Whether it tells of the generator, not of the service.
    pub generator_bound: bool,
    /// Requests that became due.
    pub offered: u64,
    /// Those that were sent.
    pub sent: u64,
    /// Those that never were: the backlog was full, or the run ended.
    pub dropped: u64,
    /// Sent more than 1 ms late because of the generator.
    pub late_generator: u64,
    /// Sent more than 1 ms late because no connection was free.
    pub late_connection: u64,
    /// Orders accepted in the measured time, a second of it.
    pub goodput_per_s: f64,
    /// Orders accepted after it.
    pub accepted_after_end: u64,
    /// Requests that waited for a connection at its end.
    pub waiting_at_end: u64,
    /// Waits of all requests that ended, from the intended send time.
    pub from_intended: Quantiles,
    /// The same from the send.
    pub from_sent: Quantiles,
    /// By class.
    pub classes: BTreeMap<&'static str, ClassReport>,
    /// By class, orders: as requests, but of a bulk body each line.
    pub orders: BTreeMap<&'static str, u64>,
    /// By kind.
    pub kinds: Vec<KindReport>,
    /// By status.
    pub statuses: BTreeMap<u16, u64>,
    /// Refusals by the type of the problem, those of single lines of bulk answers included.
    pub problems: BTreeMap<String, u64>,
    /// Requests without an answer, by reason.
    pub failures: BTreeMap<&'static str, u64>,
    /// Lines of bulk answers by outcome.
    pub bulk_lines: LineOutcomes,
    /// Orders of bulk bodies of which a 2xx answer did not tell.
    pub lines_missing: u64,
    /// Lines that such answers told beyond the orders.
    pub lines_surplus: u64,
    /// Answers that told to be replays.
    pub replayed: u64,
    /// What was sent again.
    pub retries: RetryReport,
    /// Connections made after the first ones.
    pub reconnects: u64,
    /// Connections that could not be made.
    pub connect_failures: u64,
    /// Answers with bytes beyond their end.
    pub surplus_answers: u64,
    /// Bytes written.
    pub bytes_sent: u64,
    /// Bytes read.
    pub bytes_received: u64,
    /// The generator's own cost.
    pub generator: GeneratorReport,
    /// (share, milliseconds from the intended send time) of all requests.
    pub curve: Vec<(f64, f64)>,
    /// Second by second, warm-up included.
    pub timeline: Vec<Row>,
    /// Notes of what orders were told for which the ledger had no room.
    pub unrecorded: u64,
    /// What each order was told, where that was kept.
    #[serde(skip)]
    pub ledger: Option<Ledger>,
}

impl Report {
    /// Of what threads counted.
    #[must_use]
    pub fn new(plan: &Plan, mut worked: Vec<Worked>, timeline: Vec<Row>, cancelled: bool) -> Self {
        let lines: Vec<u64> = plan.kinds.iter().map(|kind| kind.bulk_lines.unwrap_or(0) as u64).collect();
        let ledgers: Vec<Ledger> = worked.iter_mut().filter_map(|one| one.book.ledger.take()).collect();
        let ledger = plan.ledger.map(|_| Ledger::joined(&ledgers, &lines));
        let mut book = Book::new(plan.kinds.len());
        worked.iter().for_each(|one| book.join(&one.book));
        let closed = matches!(plan.arrivals, Arrivals::Closed);
        let (mut intended, mut sent) = (Waits::new(), Waits::new());
        for class in &book.classes {
            intended.join(&class.intended);
            sent.join(&class.sent);
        }
        let from_sent = Quantiles::of(&sent);
        let generator = GeneratorReport::new(&worked, &book, &from_sent, closed);
        let wall_s = worked.iter().map(|one| seconds(one.wall_ns)).fold(0.0, f64::max);
        let measured_s = if cancelled { wall_s.min(plan.seconds) } else { plan.seconds } - plan.warmup_s;
        let curve = intended.histogram().map(|histogram| {
            let ticks = histogram.iter_quantiles(CURVE_STEPS);
            ticks.map(|tick| (tick.quantile_iterated_to(), milliseconds(tick.value_iterated_to()))).collect()
        });
        let named = |counts: &[u64]| CLASSES.into_iter().zip(counts.iter().copied()).collect();
        Self {
            r#loop: if closed { "closed" } else { "open" },
            seconds: plan.seconds,
            wall_s,
            warmup_s: plan.warmup_s,
            warmup_requests: book.warmup,
            connections: plan.connections,
            threads: plan.threads,
            seed: plan.seed,
            cancelled,
            generator_bound: !generator.bound_by.is_empty(),
            offered: book.offered,
            sent: book.sent,
            dropped: book.dropped,
            late_generator: book.late_generator,
            late_connection: book.late_connection,
            goodput_per_s: book.accepted as f64 / measured_s.max(1e-9),
            accepted_after_end: book.accepted_after,
            waiting_at_end: worked.iter().map(|one| one.at_end.waiting).sum(),
            from_intended: Quantiles::of(&intended),
            from_sent,
            classes: CLASSES.into_iter().zip(book.classes.iter().map(class)).collect(),
            orders: named(&book.orders),
            kinds: plan
                .kinds
                .iter()
                .zip(&book.kinds)
                .map(|(kind, counted)| KindReport {
                    name: kind.name.clone(),
                    offered: counted.offered,
                    done: named(&counted.done),
                })
                .collect(),
            failures: FAILURES.into_iter().zip(book.failures).filter(|(_, count)| *count > 0).collect(),
            retries: RetryReport {
                sent: book.retries,
                recovered: book.recovered,
                dropped: book.retries_dropped,
                from_intended: Quantiles::of(&book.retried),
            },
            statuses: book.statuses,
            problems: book.problems,
            bulk_lines: book.lines,
            lines_missing: book.lines_missing,
            lines_surplus: book.lines_surplus,
            replayed: book.replayed,
            reconnects: book.reconnects,
            connect_failures: book.connect_failures,
            surplus_answers: book.surplus,
            bytes_sent: book.bytes[0],
            bytes_received: book.bytes[1],
            generator,
            curve: curve.unwrap_or_default(),
            timeline,
            unrecorded: ledger.as_ref().map_or(0, |ledger| ledger.unrecorded),
            ledger,
        }
    }
}

fn class(counted: &crate::book::ClassBook) -> ClassReport {
    ClassReport {
        count: counted.count,
        from_intended: Quantiles::of(&counted.intended),
        from_sent: Quantiles::of(&counted.sent),
    }
}
