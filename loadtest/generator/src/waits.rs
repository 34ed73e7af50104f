//! Distributions of waits, in bounded memory.

use hdrhistogram::Histogram;

use crate::clock::SECOND_NS;

/// Histograms count in units of so many nanoseconds, up to the longest wait that can be.
pub const UNIT_NS: u64 = 100;
const WAIT_MAX: u64 = 4 * 3_600 * SECOND_NS / UNIT_NS;
/// A histogram of waits, 3 significant digits.
#[derive(Clone)]
pub struct Waits(Option<Histogram<u64>>);

impl Waits {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::with_digits(3)
    }

    /// An empty one of fewer significant digits.
    #[must_use]
    pub fn with_digits(digits: u8) -> Self {
        Self(Histogram::new_with_bounds(1, WAIT_MAX, digits).ok())
    }

    /// Notes one wait.
    pub fn add(&mut self, wait_ns: u64) {
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(wait_ns / UNIT_NS);
        }
    }

    /// Notes those of another one.
    pub fn join(&mut self, other: &Self) {
        if let (Some(histogram), Some(other)) = (&mut self.0, &other.0) {
            // Both have the same bounds, so that nothing can be beyond them.
            let _ = histogram.add(other);
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        if let Some(histogram) = &mut self.0 {
            histogram.reset();
        }
    }

    /// The histogram.
    #[must_use]
    pub fn histogram(&self) -> Option<&Histogram<u64>> {
        self.0.as_ref()
    }

    /// The wait that a share of them does not exceed, in milliseconds; 0 where there are none.
    #[must_use]
    pub fn quantile_ms(&self, share: f64) -> f64 {
        self.0.as_ref().map_or(0.0, |histogram| milliseconds(histogram.value_at_quantile(share)))
    }
}

impl Default for Waits {
    fn default() -> Self {
        Self::new()
    }
}

/// Histogram units as milliseconds.
#[must_use]
pub fn milliseconds(units: u64) -> f64 {
    units as f64 * UNIT_NS as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_kept_to_three_digits() {
        let mut waits = Waits::new();
        for wait_us in 1..=10_000_u64 {
            waits.add(wait_us * 1_000);
        }
        for (share, expected) in [(0.5, 5.0), (0.99, 9.9), (1.0, 10.0)] {
            assert!((waits.quantile_ms(share) / expected - 1.0).abs() < 0.001);
        }
    }
}
