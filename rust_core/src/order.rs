//! An order as it crosses the boundary: canonical MessagePack, a map whose defaults are left out and whose keys stand in
//! one order. The same bytes are hashed for the fingerprint and kept in the reservation's record.

#[cfg(test)]
mod alike;
mod plain;

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_128;

/// Length of a fingerprint.
pub const FINGERPRINT_BYTES: usize = 16;

/// How long a pending order holds its stock when it does not say.
pub const HOLD_SECONDS_DEFAULT: u32 = 900;

/// Levels that an order's bytes may be nested. An order has four; the stack ends long before the bytes do.
const DEPTH_MAX: usize = 32;

/// The first of January 1970, as days are counted since 4713 before our era.
pub const JULIAN_DAY_1970: i32 = 2_440_588;

/// Units of one line: `engine.model.limits.QUANTITY_MAX`.
pub const QUANTITY_MAX: i64 = 1_000_000;

/// Units of one SKU.
#[derive(Debug, Deserialize)]
pub struct Line<'a> {
    /// Name of the SKU.
    pub sku: &'a str,
    /// Units, from 1.
    pub quantity: i64,
    /// Minor units of one, as sold.
    #[serde(default)]
    pub unit_price: Option<i64>,
}

/// Where the order goes, in WGS 84 degrees.
#[derive(Debug, Deserialize)]
pub struct ShipTo<'a> {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Its country, as the caller writes it.
    #[serde(default, borrow)]
    pub country: Option<&'a str>,
    /// Its region.
    #[serde(default)]
    pub region: Option<&'a str>,
    /// Its postcode.
    #[serde(default)]
    pub postcode: Option<&'a str>,
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

fn yes() -> bool {
    true
}

/// What planning reads of an order.
#[derive(Debug, Deserialize)]
pub struct Order<'a> {
    /// Names the order for ever.
    pub order_id: &'a str,
    /// Its destination.
    #[serde(borrow)]
    pub ship_to: ShipTo<'a>,
    /// What it wants.
    #[serde(borrow)]
    pub lines: Vec<Line<'a>>,
    /// Where it was placed: whose pools it may take from.
    #[serde(default)]
    pub channel: Option<&'a str>,
    /// Whom purchase limits count for.
    #[serde(default)]
    pub customer: Option<&'a str>,
    /// When it is paid.
    #[serde(default)]
    pub payment: Payment,
    /// How long a pending order holds.
    #[serde(default)]
    pub hold_seconds: Option<u32>,
    /// How fast it is to get there, in words of the network's own: which carriers may take it.
    #[serde(default)]
    pub service_level: Option<&'a str>,
    /// What kind of customer it is from, in words of the network's own.
    #[serde(default)]
    pub customer_class: Option<&'a str>,
    /// The last day that is early enough: `2026-11-13`.
    #[serde(default)]
    pub deliver_by: Option<&'a str>,
    /// The policy that it asks for.
    #[serde(default)]
    pub policy: Option<&'a str>,
    /// Whether several warehouses may share it.
    #[serde(default = "yes")]
    pub allow_split: bool,
    /// How many warehouses may share it.
    #[serde(default)]
    pub max_shipments: Option<usize>,
    /// Whether part of it is better than nothing.
    #[serde(default)]
    pub allow_partial: bool,
    /// Whether substitutes may come for what the network lacks.
    #[serde(default)]
    pub allow_substitutes: bool,
    /// Whether it waits for stock where it cannot be served whole.
    #[serde(default)]
    pub allow_backorder: bool,
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
        plain::read(canonical).map_or_else(|| Self::decode_any(canonical), Ok)
    }

    fn decode_any(canonical: &'a [u8]) -> Result<Self, String> {
        let mut reader = rmp_serde::Deserializer::from_read_ref(canonical);
        reader.set_max_depth(DEPTH_MAX);
        Self::deserialize(&mut reader).map_err(|error| error.to_string())
    }

    /// How long the order holds stock unpaid, in milliseconds; `None` when it is confirmed at once.
    #[must_use]
    pub fn hold_ms(&self) -> Option<u64> {
        (self.payment == Payment::Pending).then(|| u64::from(self.hold_seconds.unwrap_or(HOLD_SECONDS_DEFAULT)) * 1000)
    }

    /// What it is worth in minor units, as far as its lines say; `None` where no line does.
    #[must_use]
    pub fn value(&self) -> Option<i64> {
        let of_lines =
            self.lines.iter().filter_map(|line| line.unit_price.map(|price| price.saturating_mul(line.quantity)));
        of_lines.reduce(i64::saturating_add)
    }

    /// The day that it is due, since 1970; the message says what does not fit.
    pub fn due_day(&self) -> Result<Option<i32>, &'static str> {
        self.deliver_by.map(|date| day_of(date).ok_or("must be a date: 2026-11-13")).transpose()
    }

    /// How many shipments it may have.
    #[must_use]
    pub fn shipments_max(&self) -> usize {
        if self.allow_split { self.max_shipments.unwrap_or(usize::MAX) } else { 1 }
    }
}

/// The day of an ISO 8601 date, since 1970.
pub(crate) fn day_of(date: &str) -> Option<i32> {
    let (year, rest) = date.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let month = time::Month::try_from(month.parse::<u8>().ok()?).ok()?;
    let date = time::Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    Some(date.to_julian_day() - JULIAN_DAY_1970)
}

/// Tells two orders of one id apart: XXH3, 128 bits, of the canonical bytes.
#[must_use]
pub fn fingerprint(canonical: &[u8]) -> [u8; FINGERPRINT_BYTES] {
    xxh3_128(canonical).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::{lines, order};

    #[test]
    fn what_is_left_out_has_its_default() {
        let bytes = order(json!({"lines": lines(&[(0, 2)])}));
        let read = Order::decode(&bytes).unwrap();
        assert_eq!((read.order_id, read.lines[0].sku, read.lines[0].quantity), ("o", "s0", 2));
        assert_eq!((read.customer, read.policy, read.hold_seconds, read.channel), (None, None, None, None));
        assert_eq!((read.payment, read.allow_partial, read.allow_split), (Payment::Paid, false, true));
        assert_eq!((read.allow_substitutes, read.allow_backorder), (false, false));
        assert_eq!((read.warehouses.is_none(), read.pickup_at), (true, None));
        assert_eq!((read.shipments_max(), read.hold_ms()), (usize::MAX, None));
    }

    #[test]
    fn every_field_is_read_and_those_of_others_are_passed_over() {
        let bytes = order(json!({
            "allow_backorder": true, "allow_partial": true, "allow_split": true, "allow_substitutes": true, "channel": "app", "customer": "ann", "hold_seconds": 60,
            "lines": [{"quantity": 1, "sku": "s", "unit_price": 9}], "max_shipments": 2, "metadata": {"a": [1, null]},
            "payment": "pending", "pickup_at": "w1", "policy": "nearest", "service_level": "next_day",
            "warehouses": ["w1", "w2"],
            "ship_to": {"lat": 1.0, "lon": 2.0, "country": "CN", "region": "Hebei", "postcode": "050000"},
        }));
        let read = Order::decode(&bytes).unwrap();
        assert_eq!((read.customer, read.policy, read.allow_partial), (Some("ann"), Some("nearest"), true));
        assert_eq!((read.shipments_max(), read.hold_ms(), read.channel), (2, Some(60_000), Some("app")));
        let to = &read.ship_to;
        assert_eq!((to.country, to.region, to.postcode), (Some("CN"), Some("Hebei"), Some("050000")));
        assert_eq!(read.service_level, Some("next_day"));
        assert_eq!((read.allow_substitutes, read.allow_backorder), (true, true));
        assert_eq!((read.warehouses, read.pickup_at), (Some(vec!["w1", "w2"]), Some("w1")));
    }

    #[test]
    fn an_order_that_must_not_be_split_has_one_shipment_whatever_else_it_says() {
        let bytes = order(json!({"lines": lines(&[(0, 1)]), "allow_split": false, "max_shipments": 5}));
        assert_eq!(Order::decode(&bytes).unwrap().shipments_max(), 1);
    }

    #[test]
    fn an_order_is_worth_what_its_lines_say() {
        let value = |lines: serde_json::Value| Order::decode(&order(json!({"lines": lines}))).unwrap().value();
        assert_eq!(
            value(json!([{"sku": "s", "quantity": 3, "unit_price": 50}, {"sku": "t", "quantity": 9}])),
            Some(150)
        );
        assert_eq!(value(lines(&[(0, 2)])), None);
        assert_eq!(value(json!([{"sku": "s", "quantity": 2, "unit_price": i64::MAX}])), Some(i64::MAX));
    }

    #[test]
    fn a_due_day_is_a_date_or_an_error() {
        let due = |date: &str| Order::decode(&order(json!({"deliver_by": date}))).unwrap().due_day();
        assert_eq!((due("1970-01-01"), due("2026-11-13")), (Ok(Some(0)), Ok(Some(20_770))));
        assert_eq!(Order::decode(&order(json!({}))).unwrap().due_day(), Ok(None));
        for strange in ["", "2026", "2026-02-30", "2026-13-01", "tomorrow", "2026-11-13T00:00"] {
            assert!(due(strange).is_err(), "{strange}");
        }
    }

    #[test]
    fn only_a_pending_order_holds_for_a_time() {
        for (payment, hold_ms) in [("paid", None), ("cod", None), ("pending", Some(900_000))] {
            let bytes = order(json!({"lines": lines(&[(0, 1)]), "payment": payment}));
            assert_eq!(Order::decode(&bytes).unwrap().hold_ms(), hold_ms);
        }
    }

    #[test]
    fn torn_and_strange_bytes_are_errors() {
        let bytes = order(json!({"lines": lines(&[(0, 2)])}));
        for length in 0..bytes.len() {
            assert!(Order::decode(&bytes[..length]).is_err(), "{length} bytes");
        }
        for strange in [
            json!({"lines": null}),
            json!({"lines": [{"sku": "s"}]}),
            json!({"lines": [{"sku": "s", "quantity": 1.5}]}),
            json!({"lines": [{"sku": "s", "quantity": u64::MAX}]}),
            json!({"ship_to": {"lat": 1.0}}),
            json!({"payment": "never"}),
            json!({"policy": 3}),
            json!({"hold_seconds": -1}),
        ] {
            assert!(Order::decode(&order(strange.clone())).is_err(), "{strange}");
        }
    }

    /// Deeper than any order, and deeper than a stack should follow.
    #[test]
    fn a_tower_of_arrays_is_an_error() {
        let mut bytes = vec![0x81, 0xa1, b'x'];
        bytes.resize(100_000, 0x91);
        assert!(Order::decode(&bytes).is_err());
    }

    /// Fingerprints are stored: they must never change between releases.
    #[test]
    fn fingerprints_are_xxh3_of_the_bytes_big_end_first() {
        let empty = 0x99aa_06d3_0147_98d8_6001_c324_468d_497f_u128;
        assert_eq!(fingerprint(b""), empty.to_be_bytes());
        assert_ne!(fingerprint(b"a"), fingerprint(b"b"));
    }
}
