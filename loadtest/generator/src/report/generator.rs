//! What a run cost the generator, and whether that was what limited it.

use serde::Serialize;

use super::Quantiles;
use crate::book::Book;
use crate::clock::seconds;
use crate::meter::End;
use crate::worker::Worked;

/// A generator of which a thread takes more of a processor than this, in any second, is what limits the run.
const CPU_SHARE_MAX: f64 = 0.9;
/// So is one that stood still for its record for more than this share of the time.
const RECORD_SHARE_MAX: f64 = 0.01;
/// So is one whose 99th percentile of lateness, with connections free, is above this, and above a share of the 99th percentile
/// of what answers took from their sends: less changes nothing that a run tells.
const LATENESS_P99_MS_MAX: f64 = 1.0;
const LATENESS_SHARE_MAX: f64 = 0.1;

/// What the generator itself took, and how late it was.
#[derive(Clone, Debug, Serialize)]
pub struct GeneratorReport {
    /// Seconds of processor time, all threads.
    pub cpu_s: f64,
    /// Share of a processor that the busiest thread took while requests became due.
    pub cpu_share: f64,
    /// The same, in its busiest second after the warm-up.
    pub cpu_share_peak: f64,
    /// Share of that time for which it stood still, because its record could not be written as fast.
    pub record_share: f64,
    /// Microseconds of processor time a request.
    pub cpu_us_per_request: f64,
    /// How late it came to requests.
    pub lateness: Quantiles,
    /// Why the run tells of the generator, not of the service: `cpu`, `record`, `lateness`.
    pub bound_by: Vec<&'static str>,
}

impl GeneratorReport {
    /// Of all threads. `from_sent`: what answers took. `closed`: whether it waited for answers, and was never late.
    #[must_use]
    pub fn new(worked: &[Worked], book: &Book, from_sent: &Quantiles, closed: bool) -> Self {
        let cpu_s: f64 = worked.iter().map(|one| seconds(one.cpu_ns)).sum();
        let greatest = |share: fn(&End) -> f64| worked.iter().map(|one| share(&one.at_end)).fold(0.0, f64::max);
        let (cpu_share_peak, record_share) = (greatest(|end| end.share_peak), greatest(|end| end.record_share));
        let lateness = Quantiles::of(&book.lateness);
        let mut bound_by = Vec::new();
        if cpu_share_peak > CPU_SHARE_MAX {
            bound_by.push("cpu");
        }
        if record_share > RECORD_SHARE_MAX {
            bound_by.push("record");
        }
        if !closed && lateness.p99_ms > LATENESS_P99_MS_MAX.max(LATENESS_SHARE_MAX * from_sent.p99_ms) {
            bound_by.push("lateness");
        }
        Self {
            cpu_s,
            cpu_share: greatest(|end| end.share),
            cpu_share_peak,
            record_share,
            cpu_us_per_request: cpu_s * 1e6 / book.sends.max(1) as f64,
            lateness,
            bound_by,
        }
    }
}
