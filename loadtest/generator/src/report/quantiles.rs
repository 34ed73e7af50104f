//! A distribution as it is told.

use serde::Serialize;

use crate::waits::{Waits, milliseconds};

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
    /// Of these waits; all 0 where there are none.
    #[must_use]
    pub fn of(waits: &Waits) -> Self {
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
