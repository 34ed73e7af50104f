//! What a run reports.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::book::{Book, CLASSES, FAILURES, LineOutcomes};
use crate::clock::seconds;
use crate::plan::{Arrivals, Plan};
use crate::timeline::Row;
use crate::waits::{Waits, milliseconds};
use crate::worker::Worked;

/// A generator that takes more of a processor than this is what limits the run.
const CPU_SHARE_MAX: f64 = 0.9;
/// So is one whose 99th percentile of lateness, with connections free, is above this.
const LATENESS_P99_MS_MAX: f64 = 1.0;
/// Steps of the curve in each half of what is left to 100 %.
const CURVE_STEPS: u32 = 4;

/// A distribution of waits, in milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs)]
pub struct Quantiles {
    pub count: u64,
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

impl Quantiles {
    fn of(waits: &Waits) -> Self {
        let Some(histogram) = waits.histogram().filter(|histogram| !histogram.is_empty()) else {
            return Self::default();
        };
        Self {
            count: histogram.len(),
            mean_ms: histogram.mean() * milliseconds(1),
            p50_ms: waits.quantile_ms(0.5),
            p90_ms: waits.quantile_ms(0.9),
            p99_ms: waits.quantile_ms(0.99),
            p999_ms: waits.quantile_ms(0.999),
            max_ms: milliseconds(histogram.max()),
        }
    }
}

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

/// What the generator itself took, and how late it was.
#[derive(Clone, Debug, Serialize)]
pub struct GeneratorReport {
    /// Seconds of processor time, all threads.
    pub cpu_s: f64,
    /// Share of a processor that the busiest thread took.
    pub cpu_share: f64,
    /// The same, in its busiest second.
    pub cpu_share_peak: f64,
    /// Microseconds of processor time a request.
    pub cpu_us_per_request: f64,
    /// How late it came to requests.
    pub lateness: Quantiles,
    /// Why the run tells of the generator, not of the service: `cpu`, `lateness`.
    pub bound_by: Vec<&'static str>,
}

/// A run. Counts are of requests due after the warm-up.
#[derive(Clone, Debug, Serialize)]
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
    /// Requests answered with 2xx, a second of the measured time.
    pub goodput_per_s: f64,
    /// Waits of all requests that ended, from the intended send time.
    pub from_intended: Quantiles,
    /// The same from the send.
    pub from_sent: Quantiles,
    /// By class.
    pub classes: BTreeMap<&'static str, ClassReport>,
    /// By kind.
    pub kinds: Vec<KindReport>,
    /// By status.
    pub statuses: BTreeMap<u16, u64>,
    /// Refusals by the type of the problem.
    pub problems: BTreeMap<String, u64>,
    /// Requests without an answer, by reason.
    pub failures: BTreeMap<&'static str, u64>,
    /// Lines of bulk answers by outcome.
    pub bulk_lines: LineOutcomes,
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
}

impl Report {
    /// Of what threads counted.
    #[must_use]
    pub fn new(plan: &Plan, worked: Vec<Worked>, timeline: Vec<Row>, cancelled: bool) -> Self {
        let mut book = Book::new(plan.kinds.len());
        worked.iter().for_each(|one| book.join(&one.book));
        let closed = matches!(plan.arrivals, Arrivals::Closed);
        let generator = generator(&worked, &book, closed);
        let (mut intended, mut sent) = (Waits::new(), Waits::new());
        for class in &book.classes {
            intended.join(&class.intended);
            sent.join(&class.sent);
        }
        let wall_s = worked.iter().map(|one| seconds(one.wall_ns)).fold(0.0, f64::max);
        // What was answered after the last request became due was offered before: it belongs to that time.
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
            goodput_per_s: book.classes[0].count as f64 / measured_s.max(1e-9),
            from_intended: Quantiles::of(&intended),
            from_sent: Quantiles::of(&sent),
            classes: CLASSES.into_iter().zip(book.classes.iter().map(class)).collect(),
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
            replayed: book.replayed,
            reconnects: book.reconnects,
            connect_failures: book.connect_failures,
            surplus_answers: book.surplus,
            bytes_sent: book.bytes[0],
            bytes_received: book.bytes[1],
            generator,
            curve: curve.unwrap_or_default(),
            timeline,
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

fn generator(worked: &[Worked], book: &Book, closed: bool) -> GeneratorReport {
    let cpu_s: f64 = worked.iter().map(|one| seconds(one.cpu_ns)).sum();
    let share = |one: &Worked| one.cpu_ns as f64 / one.wall_ns.max(1) as f64;
    let cpu_share = worked.iter().map(share).fold(0.0, f64::max);
    let lateness = Quantiles::of(&book.lateness);
    let mut bound_by = Vec::new();
    if cpu_share > CPU_SHARE_MAX {
        bound_by.push("cpu");
    }
    if !closed && lateness.p99_ms > LATENESS_P99_MS_MAX {
        bound_by.push("lateness");
    }
    GeneratorReport {
        cpu_s,
        cpu_share,
        cpu_share_peak: worked.iter().map(|one| one.cpu_share_peak).fold(0.0, f64::max),
        cpu_us_per_request: cpu_s * 1e6 / book.sends.max(1) as f64,
        lateness,
        bound_by,
    }
}
