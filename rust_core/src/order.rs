//! An order as it crosses the boundary: canonical MessagePack, a map whose defaults are left out and whose keys are
//! sorted. The same bytes are hashed for the fingerprint and kept in the reservation's record.

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_128;

/// Length of a fingerprint.
pub const FINGERPRINT_BYTES: usize = 16;

/// How long a pending order holds its stock when it does not say: `engine.model.limits.HOLD_SECONDS_DEFAULT`.
pub const HOLD_SECONDS_DEFAULT: u32 = 900;

/// Units of one SKU.
#[derive(Debug, Deserialize)]
pub struct Line<'a> {
    /// Name of the SKU.
    pub sku: &'a str,
    /// Units, from 1.
    pub quantity: i64,
}

/// Where the order goes, in WGS 84 degrees.
#[derive(Debug, Deserialize)]
pub struct ShipTo {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
}

/// When the customer pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    /// Already: the reservation is confirmed at once.
    #[default]
    Paid,
    /// Soon: the stock is held for a while.
    Pending,
    /// On delivery: confirmed at once.
    Cod,
}

/// How warehouses are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Least total cost.
    #[default]
    Cheapest,
    /// Nearest warehouse with stock first.
    Nearest,
    /// Best-ranked warehouse with stock first.
    Priority,
}

impl Policy {
    /// Its name in requests, answers and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cheapest => "cheapest",
            Self::Nearest => "nearest",
            Self::Priority => "priority",
        }
    }
}

fn yes() -> bool {
    true
}

/// What planning reads of an order.
#[derive(Debug, Deserialize)]
pub struct Order<'a> {
    /// Names the order for ever.
    pub order_id: &'a str,
    /// Its destination.
    pub ship_to: ShipTo,
    /// What it wants.
    #[serde(borrow)]
    pub lines: Vec<Line<'a>>,
    /// Whom purchase limits count for.
    #[serde(default)]
    pub customer: Option<&'a str>,
    /// When it is paid.
    #[serde(default)]
    pub payment: Payment,
    /// How long a pending order holds.
    #[serde(default)]
    pub hold_seconds: Option<u32>,
    /// How its warehouses are chosen.
    #[serde(default)]
    pub policy: Option<Policy>,
    /// Whether several warehouses may share it.
    #[serde(default = "yes")]
    pub allow_split: bool,
    /// How many warehouses may share it.
    #[serde(default)]
    pub max_shipments: Option<usize>,
    /// Whether part of it is better than nothing.
    #[serde(default)]
    pub allow_partial: bool,
    /// The only warehouses that may serve it.
    #[serde(default, borrow)]
    pub warehouses: Option<Vec<&'a str>>,
    /// The warehouse where the customer collects it.
    #[serde(default)]
    pub pickup_at: Option<&'a str>,
}

impl<'a> Order<'a> {
    /// Reads canonical bytes; the message says what does not fit.
    pub fn decode(canonical: &'a [u8]) -> Result<Self, String> {
        rmp_serde::from_slice(canonical).map_err(|error| error.to_string())
    }

    /// How long the order holds stock unpaid, in milliseconds; `None` when it is confirmed at once.
    #[must_use]
    pub fn hold_ms(&self) -> Option<u64> {
        (self.payment == Payment::Pending).then(|| u64::from(self.hold_seconds.unwrap_or(HOLD_SECONDS_DEFAULT)) * 1000)
    }

    /// How many shipments it may have.
    #[must_use]
    pub fn shipments_max(&self) -> usize {
        if self.allow_split { self.max_shipments.unwrap_or(usize::MAX) } else { 1 }
    }
}

/// Tells two orders of one id apart: XXH3, 128 bits, of the canonical bytes.
#[must_use]
pub fn fingerprint(canonical: &[u8]) -> [u8; FINGERPRINT_BYTES] {
    xxh3_128(canonical).to_be_bytes()
}
