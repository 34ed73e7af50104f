//! When requests are due: the inverse of the expected number of arrivals by then, on even counts or on Poisson's.

use crate::clock::nanoseconds;
use crate::draw::Draw;
use crate::plan::Arrivals;

/// Mixed into the seed, so that times and contents are drawn apart.
const TIMES: u64 = 0x7469_6D65;

/// A stretch of time in which the rate goes from one value to another, straight.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start_s: f64,
    length_s: f64,
    from: f64,
    to: f64,
    /// Arrivals expected before it.
    before: f64,
}

impl Stretch {
    fn arrivals(&self) -> f64 {
        (self.from + self.to) / 2.0 * self.length_s
    }

    /// When so many arrivals are expected to have come, of those before it and its own.
    fn time_of(&self, count: f64) -> f64 {
        let own = count - self.before;
        let slope = (self.to - self.from) / self.length_s;
        let root = (self.from * self.from + 2.0 * slope * own).max(0.0).sqrt();
        let divisor = self.from + root;
        self.start_s + if divisor > 0.0 { 2.0 * own / divisor } else { 0.0 }
    }
}

#[derive(Debug)]
enum Source {
    Profile { stretches: Vec<Stretch>, at: usize, count: f64, step: f64, poisson: Option<Draw> },
    Listed { times_ns: Vec<u64>, at: usize, step: usize },
}

/// The times of one thread of several, ascending.
#[derive(Debug)]
pub struct Schedule {
    source: Source,
    end_ns: u64,
}

impl Schedule {
    /// Of thread `thread` of `threads`; `None` for a closed loop, which has no schedule.
    #[must_use]
    pub fn new(arrivals: &Arrivals, seconds: f64, seed: u64, thread: usize, threads: usize) -> Option<Self> {
        let profile = |parts: &[(f64, f64, f64)], poisson: bool| {
            let mut stretches: Vec<Stretch> = Vec::new();
            let (mut start_s, mut before) = (0.0, 0.0);
            for &(length_s, from, to) in parts.iter().filter(|part| part.0 > 0.0) {
                let stretch = Stretch { start_s, length_s, from, to, before };
                (start_s, before) = (start_s + length_s, before + stretch.arrivals());
                stretches.push(stretch);
            }
            let mut draw = Draw::of(seed, &[TIMES, thread as u64]);
            let step = threads as f64;
            let count = if poisson { draw.exponential() * step } else { thread as f64 };
            Source::Profile { stretches, at: 0, count, step, poisson: poisson.then_some(draw) }
        };
        let source = match *arrivals {
            Arrivals::Closed => return None,
            Arrivals::Constant { rate } => profile(&[(seconds, rate, rate)], false),
            Arrivals::Poisson { rate } => profile(&[(seconds, rate, rate)], true),
            Arrivals::Ramp { from, to, poisson } => profile(&[(seconds, from, to)], poisson),
            Arrivals::Spike { base, peak, at_s, for_s, poisson } => {
                let (start, end) = (at_s.min(seconds), (at_s + for_s).min(seconds));
                profile(&[(start, base, base), (end - start, peak, peak), (seconds - end, base, base)], poisson)
            }
            Arrivals::Trace { ref at_s, speed } => Source::Listed {
                times_ns: at_s.iter().skip(thread).step_by(threads).map(|at| nanoseconds(at / speed)).collect(),
                at: 0,
                step: 1,
            },
        };
        Some(Self { source, end_ns: nanoseconds(seconds) })
    }
}

impl Iterator for Schedule {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let time_ns = match &mut self.source {
            Source::Profile { stretches, at, count, step, poisson } => {
                let now = *count;
                while now >= stretches.get(*at)?.before + stretches[*at].arrivals() {
                    *at += 1;
                }
                *count += *step * poisson.as_mut().map_or(1.0, Draw::exponential);
                nanoseconds(stretches[*at].time_of(now))
            }
            Source::Listed { times_ns, at, step } => {
                *at += *step;
                *times_ns.get(*at - *step)?
            }
        };
        (time_ns < self.end_ns).then_some(time_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::seconds;

    fn times(arrivals: &Arrivals, length_s: f64, seed: u64) -> Vec<f64> {
        Schedule::new(arrivals, length_s, seed, 0, 1).unwrap().map(seconds).collect()
    }

    fn within(times: &[f64], from: f64, to: f64) -> usize {
        times.iter().filter(|&&time| time >= from && time < to).count()
    }

    #[test]
    fn a_constant_rate_is_even() {
        let times = times(&Arrivals::Constant { rate: 100.0 }, 2.0, 1);
        assert_eq!(times.len(), 200);
        assert!(times.windows(2).all(|pair| (pair[1] - pair[0] - 0.01).abs() < 1e-6));
    }

    #[test]
    fn a_ramp_has_the_rate_of_each_moment() {
        let times = times(&Arrivals::Ramp { from: 0.0, to: 1_000.0, poisson: false }, 10.0, 1);
        assert_eq!(times.len(), 5_000);
        for second in 0..10 {
            let expected = 50 + 100 * second;
            assert!(within(&times, second as f64, second as f64 + 1.0).abs_diff(expected) <= 2, "second {second}");
        }
    }

    #[test]
    fn a_spike_rises_and_ends() {
        let spike = Arrivals::Spike { base: 10.0, peak: 1_000.0, at_s: 2.0, for_s: 1.0, poisson: false };
        let times = times(&spike, 5.0, 1);
        assert_eq!((within(&times, 0.0, 2.0), within(&times, 3.0, 5.0)), (20, 20));
        assert_eq!(within(&times, 2.0, 3.0), 1_000);
    }

    #[test]
    fn poisson_arrivals_are_random_and_repeat_under_their_seed() {
        let poisson = Arrivals::Poisson { rate: 2_000.0 };
        let first = times(&poisson, 10.0, 5);
        assert_eq!(first, times(&poisson, 10.0, 5));
        assert_ne!(first, times(&poisson, 10.0, 6));
        // Counts of a Poisson process have a variance that is their mean.
        let counts: Vec<f64> =
            (0..1_000).map(|at| within(&first, f64::from(at) / 100.0, f64::from(at + 1) / 100.0) as f64).collect();
        let mean = counts.iter().sum::<f64>() / 1_000.0;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 1_000.0;
        assert!((mean - 20.0).abs() < 0.5 && (variance / mean - 1.0).abs() < 0.2, "{mean} {variance}");
    }

    #[test]
    fn threads_share_a_schedule() {
        let ramp = Arrivals::Ramp { from: 10.0, to: 100.0, poisson: false };
        let mut shared: Vec<f64> =
            (0..3).flat_map(|thread| Schedule::new(&ramp, 10.0, 1, thread, 3).unwrap().map(seconds)).collect();
        shared.sort_by(f64::total_cmp);
        assert_eq!(shared, times(&ramp, 10.0, 1));
        let poisson = Arrivals::Poisson { rate: 1_000.0 };
        let both: usize = (0..2).map(|thread| Schedule::new(&poisson, 10.0, 1, thread, 2).unwrap().count()).sum();
        assert!(both.abs_diff(10_000) < 400, "{both}");
    }

    #[test]
    fn a_trace_is_played_at_its_speed_until_the_run_ends() {
        let trace = Arrivals::Trace { at_s: vec![0.0, 1.0, 4.0, 30.0], speed: 2.0 };
        assert_eq!(times(&trace, 10.0, 1), [0.0, 0.5, 2.0]);
    }
}
