//! Reads what an order was told: an Allocation, a line of a bulk's results, a problem.

use std::borrow::Cow;

use serde::Deserialize;

use crate::bulk::member;

/// States of an order, by number, in the order of its life; 0 for one that is not known.
pub const STATES: [&str; 8] =
    ["", "reserved", "confirmed", "partially_shipped", "shipped", "backordered", "expired", "released"];
/// Numbers of the states that hold stock.
const HOLDING: std::ops::RangeInclusive<u8> = 1..=3;

/// What is looked at of an Allocation.
#[derive(Deserialize)]
pub struct Told<'a> {
    #[serde(borrow)]
    order_id: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    /// Its shipments.
    #[serde(borrow)]
    pub shipments: Vec<Shipment<'a>>,
    #[serde(borrow, default)]
    unfilled: Vec<Line<'a>>,
}

/// A shipment.
#[derive(Deserialize)]
pub struct Shipment<'a> {
    /// Where it leaves.
    #[serde(borrow)]
    pub warehouse: Cow<'a, str>,
    /// What it has.
    #[serde(borrow)]
    pub lines: Vec<Line<'a>>,
    /// What of it has left.
    #[serde(borrow, default)]
    pub shipped: Vec<Line<'a>>,
}

/// Units of a SKU.
#[derive(Deserialize)]
pub struct Line<'a> {
    /// Which.
    #[serde(borrow)]
    pub sku: Cow<'a, str>,
    /// How many.
    pub quantity: i64,
}

impl Told<'_> {
    /// The number of its state; 0 for one that is not known.
    #[must_use]
    pub fn state(&self) -> u8 {
        STATES.iter().position(|state| *state == self.status).unwrap_or(0) as u8
    }

    /// Whether it holds stock.
    #[must_use]
    pub fn holds(&self) -> bool {
        HOLDING.contains(&self.state())
    }

    /// Of what comes from where, and of what does not come: 32 bits of FNV-1a.
    #[must_use]
    pub fn digest(&self) -> u32 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |text: &[u8]| {
            // 0xff is no byte of a text: it ends one.
            text.iter().chain(&[0xff]).for_each(|byte| hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        };
        for shipment in &self.shipments {
            add(shipment.warehouse.as_bytes());
            for line in &shipment.lines {
                add(line.sku.as_bytes());
                add(&line.quantity.to_le_bytes());
            }
        }
        for line in &self.unfilled {
            add(b"-");
            add(line.sku.as_bytes());
            add(&line.quantity.to_le_bytes());
        }
        (hash ^ (hash >> 32)) as u32
    }
}

/// The Allocation in a body; `None` where it is none, or that of another order.
#[must_use]
pub fn read<'a>(body: &'a [u8], id: Option<&[u8]>) -> Option<Told<'a>> {
    let told: Told<'_> = serde_json::from_slice(body).ok()?;
    id.is_none_or(|id| told.order_id.as_bytes() == id).then_some(told)
}

/// The type of a problem.
#[must_use]
pub fn problem_type(body: &[u8]) -> Option<&str> {
    member(body, b"\"type\"")
}

/// Whether a problem is that stock is short, and no limit of the order or its policy.
#[must_use]
pub fn is_for_stock(body: &[u8]) -> bool {
    problem_type(body) == Some("insufficient-stock") && memchr::memmem::find(body, b"\"limit\":").is_none()
}

/// The status that a line of a bulk's results has as an answer of its own; `None` where it tells none.
#[must_use]
pub fn line_status(line: &[u8]) -> Option<u16> {
    #[derive(Deserialize)]
    struct Problem {
        status: u16,
    }
    match member(line, b"\"outcome\"")? {
        "reserved" => Some(201),
        "replayed" => Some(200),
        _ => serde_json::from_slice::<Problem>(line).ok().map(|problem| problem.status),
    }
}
