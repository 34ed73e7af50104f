//! Lines of JSON at and beyond what an order is: the quick reader takes what a standard reader takes alike, or declines;
//! never a panic, in a build that panics on overflow. (What the shape of the model makes of them, Python's tests compare.)

use proptest::prelude::*;
use serde_json::Value;

use crate::fixture::cases;
use crate::lot::Lot;
use crate::order::Order;

const PLAIN: &str = r#"{"order_id":"o","ship_to":{"lat":30,"lon":-120.5},"lines":[{"sku":"s","quantity":2}]}"#;
const FULL: &str = r#"{"order_id": "o-1", "channel": "app", "customer": "ann", "payment": "pending", "hold_seconds": 900,
 "ship_to": {"lat": 30.25, "lon": 120.125, "country": "CN", "region": "浙江", "postcode": "310000"},
 "lines": [{"sku": "a", "quantity": 1, "unit_price": 19900}, {"quantity": 1000000, "sku": "b", "unit_price": null}],
 "service_level": "next_day", "customer_class": "gold", "deliver_by": "2026-11-13", "policy": "cheapest", "max_shipments": 3,
 "allow_split": true, "allow_partial": false, "allow_substitutes": true, "allow_backorder": true, "pickup_at": null}"#;

/// What a hostile or careless client puts where it does not belong.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udc00\\ud800",
    "\\u0061",
    "\u{0}",
    "\u{7f}",
    "\u{feff}",
    "\u{e9}",
    "null",
    "true",
    "NaN",
    "Infinity",
    "-",
    "-0",
    "-0.0",
    "0.",
    "1e1",
    "1E400",
    "1e-400",
    "0.00000000000000000000000000000000000000000001",
    "00",
    "99999999999999999999999999999999",
    "9007199254740993",
    "18446744073709551616",
    "-9223372036854775809",
    "1000001",
    "\"order_id\":\"p\",",
    "\"quantity\":3,",
    "\"metadata\":{},",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":",
    "// /* */",
];

#[derive(Clone, Debug)]
enum Change {
    Insert(prop::sample::Index, &'static str),
    Set(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
    End(prop::sample::Index),
}

fn change() -> BoxedStrategy<Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), prop::sample::select(PIECES)).prop_map(|(at, piece)| Change::Insert(at, piece)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (at(), 1..20_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        2 => (at(), 1..40_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        1 => at().prop_map(Change::End),
    ]
    .boxed()
}

fn changed(text: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for change in changes {
        let place = |at: &prop::sample::Index| at.index(bytes.len() + 1);
        match change {
            Change::Insert(at, piece) => {
                let at = place(at);
                drop(bytes.splice(at..at, piece.bytes()));
            }
            Change::Set(at, byte) => {
                let at = place(at);
                let end = (at + 1).min(bytes.len());
                drop(bytes.splice(at..end, [*byte]));
            }
            Change::Remove(at, length) => {
                let at = place(at);
                let end = (at + length).min(bytes.len());
                drop(bytes.drain(at..end));
            }
            Change::Repeat(at, length) => {
                let at = place(at);
                let again = bytes[at..(at + length).min(bytes.len())].to_vec();
                drop(bytes.splice(at..at, again));
            }
            Change::End(at) => {
                let at = place(at);
                bytes.truncate(at);
            }
        }
    }
    bytes
}

/// Holds what was taken of a line against what a standard reader finds in it.
fn compare(line: &[u8], canonical: &[u8]) -> Result<(), TestCaseError> {
    let order = Order::decode(canonical).map_err(TestCaseError::fail)?;
    let json: Value = serde_json::from_slice(line).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let text = |name: &str| json[name].as_str();
    prop_assert_eq!(Some(order.order_id), text("order_id"));
    prop_assert_eq!(order.channel, text("channel"));
    prop_assert_eq!(order.customer, text("customer"));
    prop_assert_eq!(order.service_level, text("service_level"));
    prop_assert_eq!(order.customer_class, text("customer_class"));
    prop_assert_eq!(order.deliver_by, text("deliver_by"));
    prop_assert_eq!(order.policy, text("policy"));
    prop_assert_eq!(order.pickup_at, text("pickup_at"));
    prop_assert_eq!(order.hold_seconds.map(u64::from), json["hold_seconds"].as_u64());
    prop_assert_eq!(order.max_shipments.map(|most| most as u64), json["max_shipments"].as_u64());
    prop_assert_eq!(order.allow_split, json["allow_split"].as_bool().unwrap_or(true));
    prop_assert_eq!(order.allow_partial, json["allow_partial"] == true);
    prop_assert_eq!(order.allow_substitutes, json["allow_substitutes"] == true);
    prop_assert_eq!(order.allow_backorder, json["allow_backorder"] == true);
    prop_assert_eq!(order.hold_ms().is_some(), json["payment"] == "pending");
    prop_assert!(order.warehouses.is_none());
    let (to, written) = (&order.ship_to, &json["ship_to"]);
    for (degrees, name) in [(to.lat, "lat"), (to.lon, "lon")] {
        // The last digit is another one in some readers.
        prop_assert!((degrees - written[name].as_f64().unwrap_or(f64::NAN)).abs() <= 1e-12 * degrees.abs());
    }
    for (place, name) in [(to.country, "country"), (to.region, "region"), (to.postcode, "postcode")] {
        prop_assert_eq!(place, written[name].as_str());
    }
    let none = Vec::new();
    let lines = json["lines"].as_array().unwrap_or(&none);
    prop_assert_eq!(order.lines.len(), lines.len());
    for (line, written) in order.lines.iter().zip(lines) {
        prop_assert_eq!(Some(line.sku), written["sku"].as_str());
        prop_assert_eq!(Some(line.quantity), written["quantity"].as_i64());
        prop_assert_eq!(line.unit_price, written["unit_price"].as_i64());
    }
    Ok(())
}

fn hold_against(text: &[u8], channel: Option<&str>) -> Result<(), TestCaseError> {
    let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let lot = Lot::read(text, 7, channel);
    prop_assert_eq!(lot.len(), lines.len());
    for (place, line) in lines.iter().enumerate() {
        if let Some((canonical, _)) = lot.order(place) {
            compare(line, canonical)?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn hostile_lines_are_read_as_they_stand_or_declined(
        full: bool, changes in prop::collection::vec(change(), 0..4), of_channel: bool,
    ) {
        let text = if full { FULL.replace('\n', " ") } else { PLAIN.to_owned() };
        hold_against(&changed(&text, &changes), of_channel.then_some("app"))?;
    }

    #[test]
    fn hostile_noise_is_declined(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        hold_against(&noise, None)?;
    }
}

#[test]
fn common_lines_are_taken() {
    let text = [PLAIN, &FULL.replace('\n', " ")].join("\n");
    assert_eq!(Lot::read(text.as_bytes(), 1, None).declined().count(), 0);
    hold_against(text.as_bytes(), None).unwrap();
}

/// Deeper than a stack should follow, within the bytes that an order may have.
#[test]
fn towers_are_declined() {
    for piece in ["[", "{\"order_id\":", "{\"lines\":[", "{\"ship_to\":{\"lat\":"] {
        let tower = piece.repeat(60_000 / piece.len());
        let lot = Lot::read(tower.as_bytes(), 1, None);
        assert_eq!((lot.len(), lot.declined().count()), (1, 1), "{piece}");
    }
}
