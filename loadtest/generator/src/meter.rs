//! What a thread of the generator itself took while requests became due: afterwards it only waits, which proves nothing.

/// Measures one thread. Times are nanoseconds since the start, processor time that of the thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meter {
    warmup_ns: u64,
    begun_cpu_ns: u64,
    last: (u64, u64),
    share_peak: f64,
    end: Option<End>,
}

/// How things stood when the last request became due.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct End {
    /// The share of a processor until then.
    pub share: f64,
    /// The highest share within a second of the measured time.
    pub share_peak: f64,
    /// The share of the time that it stood still for its record.
    pub record_share: f64,
    /// Requests that waited for a connection.
    pub waiting: u64,
}

impl Meter {
    /// From now, the start, on; what is used before the warm-up is over is no peak.
    #[must_use]
    pub const fn new(warmup_ns: u64, cpu_ns: u64) -> Self {
        Self { warmup_ns, begun_cpu_ns: cpu_ns, last: (0, cpu_ns), share_peak: 0.0, end: None }
    }

    /// The share of a processor since this was asked last.
    pub fn second(&mut self, now_ns: u64, cpu_ns: u64) -> f64 {
        let (last_ns, last_cpu_ns) = std::mem::replace(&mut self.last, (now_ns, cpu_ns));
        let share = share(cpu_ns - last_cpu_ns, now_ns - last_ns);
        if self.end.is_none() && last_ns >= self.warmup_ns {
            self.share_peak = self.share_peak.max(share);
        }
        share
    }

    /// Whether `end` was told.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Notes how things stand when the last request has become due, or the run is stopped before.
    pub fn end(&mut self, now_ns: u64, cpu_ns: u64, blocked_ns: u64, waiting: u64) {
        let whole = share(cpu_ns - self.begun_cpu_ns, now_ns);
        let share_peak = self.share_peak.max(whole);
        self.end = Some(End { share: whole, share_peak, record_share: share(blocked_ns, now_ns), waiting });
    }

    /// What `end` was told.
    #[must_use]
    pub fn at_end(&self) -> End {
        self.end.unwrap_or_default()
    }
}

fn share(part_ns: u64, whole_ns: u64) -> f64 {
    part_ns as f64 / whole_ns.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND_NS;

    #[test]
    fn a_drain_thins_no_share() {
        let mut meter = Meter::new(0, 500);
        for second in 1..=10 {
            assert_eq!(meter.second(second * SECOND_NS, 500 + second * SECOND_NS), 1.0);
        }
        meter.end(10 * SECOND_NS, 500 + 10 * SECOND_NS, SECOND_NS, 3);
        for second in 11..=40 {
            meter.second(second * SECOND_NS, 500 + 10 * SECOND_NS);
        }
        assert_eq!(meter.at_end(), End { share: 1.0, share_peak: 1.0, record_share: 0.1, waiting: 3 });
    }

    #[test]
    fn the_busiest_second_is_that_of_the_measured_time() {
        let mut meter = Meter::new(SECOND_NS, 0);
        meter.second(SECOND_NS, SECOND_NS);
        assert_eq!(meter.second(2 * SECOND_NS, SECOND_NS + SECOND_NS / 2), 0.5);
        meter.second(3 * SECOND_NS, SECOND_NS + SECOND_NS / 2);
        meter.end(3 * SECOND_NS, SECOND_NS + SECOND_NS / 2, 0, 0);
        meter.second(4 * SECOND_NS, 2 * SECOND_NS + SECOND_NS / 2);
        assert_eq!(meter.at_end(), End { share: 0.5, share_peak: 0.5, record_share: 0.0, waiting: 0 });
    }

    #[test]
    fn a_long_second_has_no_more_than_its_share() {
        let mut meter = Meter::new(0, 0);
        assert_eq!(meter.second(4 * SECOND_NS, SECOND_NS), 0.25);
    }
}
