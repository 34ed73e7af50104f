//! Common orders from JSON straight to canonical bytes, the same that the shape of `engine/model/order.py` makes of them.
//!
//! Reads what a decent client writes and declines all else: whatever breaks a rule, and what is merely unusual (escapes,
//! exponents, a field named twice, metadata). What it declines the shape itself judges, so that no rule stands here
//! whose breach anybody would be told of; what it accepts a test holds against the shape.

use rmp::encode;

use crate::order::{QUANTITY_MAX, day_of};
use crate::record::{array, text, uint};

const ID_BYTES_MAX: usize = 128;
const TEXT_BYTES_MAX: usize = 64;
const LINES_MAX: usize = 100;
const MONEY_MAX: u64 = 1_000_000_000_000;
const HOLD_SECONDS_MAX: u64 = 7 * 24 * 3600;
/// Digits of a whole number that every float holds exactly.
const DIGITS_MAX: usize = 15;

/// A line of an order.
#[derive(Debug)]
struct Line<'a> {
    sku: &'a str,
    quantity: u64,
    unit_price: Option<u64>,
}

#[derive(Debug)]
struct ShipTo<'a> {
    lat: f64,
    lon: f64,
    country: Option<&'a str>,
    region: Option<&'a str>,
    postcode: Option<&'a str>,
}

#[derive(Debug, Default)]
struct Fields<'a> {
    order_id: Option<&'a str>,
    ship_to: Option<ShipTo<'a>>,
    channel: Option<&'a str>,
    customer: Option<&'a str>,
    payment: Option<&'a str>,
    hold_seconds: Option<u64>,
    service_level: Option<&'a str>,
    customer_class: Option<&'a str>,
    deliver_by: Option<&'a str>,
    policy: Option<&'a str>,
    must_not_split: bool,
    max_shipments: Option<u64>,
    allow_partial: bool,
    allow_substitutes: bool,
    allow_backorder: bool,
    pickup_at: Option<&'a str>,
}

/// Writes the canonical bytes of one order behind `out`; returns its id, or `None` for what it declines, with `out` as it
/// was.
pub fn canonical<'a>(json: &'a str, channel: Option<&str>, out: &mut Vec<u8>) -> Option<&'a str> {
    let mut reader = Reader { json, at: 0 };
    let mut lines = Vec::with_capacity(4);
    let fields = order(&mut reader, &mut lines)?;
    reader.blanks();
    let of_another = channel.is_some() && channel != fields.channel;
    if reader.at < json.len() || lines.is_empty() || of_another {
        return None;
    }
    let (order_id, ship_to) = (fields.order_id?, fields.ship_to.as_ref()?);
    write(out, &fields, order_id, ship_to, &lines);
    Some(order_id)
}

fn order<'a>(reader: &mut Reader<'a>, lines: &mut Vec<Line<'a>>) -> Option<Fields<'a>> {
    let mut fields = Fields::default();
    let mut seen = 0_u32;
    reader.map(|reader, key| {
        let place = match key {
            "order_id" => 0,
            "ship_to" => 1,
            "lines" => 2,
            "channel" => 3,
            "customer" => 4,
            "payment" => 5,
            "hold_seconds" => 6,
            "service_level" => 7,
            "customer_class" => 8,
            "deliver_by" => 9,
            "policy" => 10,
            "allow_split" => 11,
            "max_shipments" => 12,
            "allow_partial" => 13,
            "allow_substitutes" => 14,
            "allow_backorder" => 15,
            "pickup_at" => 16,
            _ => return None,
        };
        if seen & (1 << place) != 0 {
            return None;
        }
        seen |= 1 << place;
        match place {
            0 => fields.order_id = Some(printable(reader.text(ID_BYTES_MAX)?)?),
            1 => fields.ship_to = Some(ship_to(reader)?),
            2 => reader.list(|reader| {
                lines.push(line(reader)?);
                (lines.len() <= LINES_MAX).then_some(())
            })?,
            3 => fields.channel = reader.optional(|reader| reader.text(TEXT_BYTES_MAX))?,
            4 => fields.customer = reader.optional(|reader| printable(reader.text(ID_BYTES_MAX)?))?,
            5 => {
                fields.payment = match reader.text(TEXT_BYTES_MAX)? {
                    "paid" => None,
                    other @ ("pending" | "cod") => Some(other),
                    _ => return None,
                }
            }
            6 => fields.hold_seconds = reader.optional(|reader| reader.whole(1, HOLD_SECONDS_MAX))?,
            7 => fields.service_level = reader.optional(|reader| reader.text(TEXT_BYTES_MAX))?,
            8 => fields.customer_class = reader.optional(|reader| reader.text(TEXT_BYTES_MAX))?,
            9 => fields.deliver_by = reader.optional(Reader::date)?,
            10 => fields.policy = reader.optional(Reader::policy)?,
            11 => fields.must_not_split = !reader.truth()?,
            12 => fields.max_shipments = reader.optional(|reader| reader.whole(1, LINES_MAX as u64))?,
            13 => fields.allow_partial = reader.truth()?,
            14 => fields.allow_substitutes = reader.truth()?,
            15 => fields.allow_backorder = reader.truth()?,
            _ => fields.pickup_at = reader.optional(|reader| reader.text(ID_BYTES_MAX))?,
        }
        Some(())
    })?;
    Some(fields)
}

fn line<'a>(reader: &mut Reader<'a>) -> Option<Line<'a>> {
    let (mut sku, mut quantity, mut unit_price) = (None, None, None);
    reader.map(|reader, key| match key {
        "sku" if sku.is_none() => {
            sku = Some(reader.text(ID_BYTES_MAX)?);
            Some(())
        }
        "quantity" if quantity.is_none() => {
            quantity = Some(reader.whole(1, QUANTITY_MAX.unsigned_abs())?);
            Some(())
        }
        "unit_price" if unit_price.is_none() => {
            unit_price = Some(reader.optional(|reader| reader.whole(0, MONEY_MAX))?);
            Some(())
        }
        _ => None,
    })?;
    Some(Line { sku: sku?, quantity: quantity?, unit_price: unit_price.flatten() })
}

fn ship_to<'a>(reader: &mut Reader<'a>) -> Option<ShipTo<'a>> {
    let (mut lat, mut lon, mut names) = (None, None, [None; 3]);
    reader.map(|reader, key| {
        match key {
            "lat" if lat.is_none() => lat = Some(reader.degrees(90.0)?),
            "lon" if lon.is_none() => lon = Some(reader.degrees(180.0)?),
            _ => {
                let place = ["country", "region", "postcode"].iter().position(|name| *name == key)?;
                if names[place].is_some() {
                    return None;
                }
                names[place] = Some(reader.optional(|reader| reader.text(TEXT_BYTES_MAX))?);
            }
        }
        Some(())
    })?;
    let [country, region, postcode] = names.map(Option::flatten);
    Some(ShipTo { lat: lat?, lon: lon?, country, region, postcode })
}

/// Names that the rules take: plain ones.
fn printable(name: &str) -> Option<&str> {
    let plain = name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (plain && !name.starts_with(' ') && !name.ends_with(' ')).then_some(name)
}

fn write(out: &mut Vec<u8>, fields: &Fields, order_id: &str, ship_to: &ShipTo, lines: &[Line]) {
    let texts = [
        fields.channel.is_some(),
        fields.customer.is_some(),
        fields.customer_class.is_some(),
        fields.deliver_by.is_some(),
        fields.hold_seconds.is_some(),
        fields.max_shipments.is_some(),
        fields.payment.is_some(),
        fields.pickup_at.is_some(),
        fields.policy.is_some(),
        fields.service_level.is_some(),
        fields.allow_backorder,
        fields.allow_partial,
        fields.must_not_split,
        fields.allow_substitutes,
    ];
    // What is always there: id, lines, destination.
    map(out, 3 + texts.iter().filter(|there| **there).count());
    flag(out, "allow_backorder", fields.allow_backorder, true);
    flag(out, "allow_partial", fields.allow_partial, true);
    flag(out, "allow_split", fields.must_not_split, false);
    flag(out, "allow_substitutes", fields.allow_substitutes, true);
    named(out, "channel", fields.channel);
    named(out, "customer", fields.customer);
    named(out, "customer_class", fields.customer_class);
    named(out, "deliver_by", fields.deliver_by);
    counted(out, "hold_seconds", fields.hold_seconds);
    text(out, "lines");
    array(out, lines.len());
    for line in lines {
        map(out, 2 + usize::from(line.unit_price.is_some()));
        counted(out, "quantity", Some(line.quantity));
        named(out, "sku", Some(line.sku));
        counted(out, "unit_price", line.unit_price);
    }
    counted(out, "max_shipments", fields.max_shipments);
    named(out, "order_id", Some(order_id));
    named(out, "payment", fields.payment);
    named(out, "pickup_at", fields.pickup_at);
    named(out, "policy", fields.policy);
    named(out, "service_level", fields.service_level);
    text(out, "ship_to");
    let names = [ship_to.country, ship_to.postcode, ship_to.region];
    map(out, 2 + names.iter().flatten().count());
    named(out, "country", ship_to.country);
    degrees(out, "lat", ship_to.lat);
    degrees(out, "lon", ship_to.lon);
    named(out, "postcode", ship_to.postcode);
    named(out, "region", ship_to.region);
}

// Writing to a Vec cannot fail.

fn map(out: &mut Vec<u8>, len: usize) {
    let _ = encode::write_map_len(out, len as u32);
}

fn named(out: &mut Vec<u8>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        text(out, key);
        text(out, value);
    }
}

fn counted(out: &mut Vec<u8>, key: &str, value: Option<u64>) {
    if let Some(value) = value {
        text(out, key);
        uint(out, value);
    }
}

fn flag(out: &mut Vec<u8>, key: &str, there: bool, value: bool) {
    if there {
        text(out, key);
        let _ = encode::write_bool(out, value);
    }
}

fn degrees(out: &mut Vec<u8>, key: &str, value: f64) {
    text(out, key);
    let _ = encode::write_f64(out, value);
}

/// Reads JSON from the left; `None` for whatever it declines.
struct Reader<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Whether the next byte but blanks is this one, which is then passed.
    fn passes(&mut self, byte: u8) -> bool {
        self.blanks();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn word(&mut self, word: &str) -> bool {
        let there = self.json.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += if there { word.len() } else { 0 };
        there
    }

    /// An object: `member` reads the value of each key.
    fn map(&mut self, mut member: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        if !self.passes(b'{') {
            return None;
        }
        loop {
            // No object of an order is empty.
            let key = self.raw_text()?;
            if !self.passes(b':') {
                return None;
            }
            self.blanks();
            member(self, key)?;
            if self.passes(b'}') {
                return Some(());
            }
            if !self.passes(b',') {
                return None;
            }
        }
    }

    fn list(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if !self.passes(b'[') {
            return None;
        }
        loop {
            self.blanks();
            element(self)?;
            if self.passes(b']') {
                return Some(());
            }
            if !self.passes(b',') {
                return None;
            }
        }
    }

    fn optional<T>(&mut self, value: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.word("null") { Some(None) } else { value(self).map(Some) }
    }

    fn truth(&mut self) -> Option<bool> {
        if self.word("true") {
            return Some(true);
        }
        self.word("false").then_some(false)
    }

    fn raw_text(&mut self) -> Option<&'a str> {
        if !self.passes(b'"') {
            return None;
        }
        let rest = &self.json.as_bytes()[self.at..];
        let end = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < b' ')?;
        if rest[end] != b'"' {
            return None;
        }
        // Between two quotes, which are no part of a longer character.
        let found = self.json.get(self.at..self.at + end)?;
        self.at += end + 1;
        Some(found)
    }

    /// Text that is there, and not too long even if each of its bytes were a character.
    fn text(&mut self, bytes_max: usize) -> Option<&'a str> {
        self.raw_text().filter(|found| !found.is_empty() && found.len() <= bytes_max)
    }

    fn policy(&mut self) -> Option<&'a str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        self.text(TEXT_BYTES_MAX).filter(|name| name.bytes().all(plain))
    }

    fn date(&mut self) -> Option<&'a str> {
        let is_date = |found: &&str| {
            let bytes = found.as_bytes();
            let digits = |from: usize, to: usize| bytes[from..to].iter().all(u8::is_ascii_digit);
            bytes.len() == 10
                && (bytes[4], bytes[7]) == (b'-', b'-')
                && digits(0, 4)
                && digits(5, 7)
                && digits(8, 10)
                && !found.starts_with("0000")
                && day_of(found).is_some()
        };
        self.text(10).filter(is_date)
    }

    /// A number without an exponent; whether it is a whole one comes with it.
    fn number(&mut self) -> Option<(&'a str, bool)> {
        let rest = &self.json.as_bytes()[self.at..];
        let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let from = usize::from(rest.first() == Some(&b'-'));
        let whole = digits(from);
        if whole == 0 || whole > DIGITS_MAX || (whole > 1 && rest[from] == b'0') {
            return None;
        }
        let mut end = from + whole;
        let is_whole = rest.get(end) != Some(&b'.');
        if !is_whole {
            let decimals = digits(end + 1);
            if decimals == 0 {
                return None;
            }
            end += 1 + decimals;
        }
        if matches!(rest.get(end), Some(b'e' | b'E' | b'.')) {
            return None;
        }
        let found = self.json.get(self.at..self.at + end)?;
        self.at += end;
        Some((found, is_whole))
    }

    fn whole(&mut self, least: u64, most: u64) -> Option<u64> {
        let (found, true) = self.number()? else { return None };
        found.parse().ok().filter(|value| (least..=most).contains(value))
    }

    fn degrees(&mut self, most: f64) -> Option<f64> {
        let (found, _) = self.number()?;
        let value: f64 = found.parse().ok()?;
        // A zero below zero is another one in one reader than in another.
        (value.abs() <= most && !(value == 0.0 && found.starts_with('-'))).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Order;

    fn read(json: &str) -> Option<Vec<u8>> {
        let mut out = b"before".to_vec();
        let found = canonical(json, None, &mut out).is_some();
        assert_eq!(&out[..6], b"before");
        assert!(found || out.len() == 6, "what is declined leaves nothing behind");
        found.then(|| out.split_off(6))
    }

    const PLAIN: &str = r#"{"order_id":"o","ship_to":{"lat":30,"lon":-120.5},"lines":[{"sku":"s","quantity":2}]}"#;

    #[test]
    fn a_plain_order_is_read_whole() {
        let bytes = read(PLAIN).unwrap();
        let order = Order::decode(&bytes).unwrap();
        assert_eq!((order.order_id, order.lines[0].sku, order.lines[0].quantity), ("o", "s", 2));
        assert_eq!(
            (order.ship_to.lat.to_bits(), order.ship_to.lon.to_bits()),
            (30_f64.to_bits(), (-120.5_f64).to_bits())
        );
    }

    #[test]
    fn blanks_and_the_order_of_fields_make_no_difference() {
        let turned = " {\t\"lines\" : [ { \"quantity\":2 , \"sku\":\"s\"} ] ,\"payment\":\"paid\",\"customer\":null,\"allow_split\":true, \"ship_to\":{\"lon\":-120.5,\"lat\":30.0}, \"order_id\":\"o\" } \r";
        assert_eq!(read(turned), read(PLAIN));
    }

    #[test]
    fn what_is_broken_or_unusual_is_declined() {
        for strange in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"order_id":"o"}"#,
            &PLAIN[1..],
            &PLAIN[..PLAIN.len() - 1],
            &format!("{PLAIN}x"),
            &PLAIN.replace("\"s\"", "\"\""),
            &PLAIN.replace("\"s\"", "\"\\u0073\""),
            &PLAIN.replace("\"o\"", "\" o\""),
            &PLAIN.replace("\"o\"", "\"\u{e9}\""),
            &PLAIN.replace(":2}", ":0}"),
            &PLAIN.replace(":2}", ":02}"),
            &PLAIN.replace(":2}", ":2.0}"),
            &PLAIN.replace(":2}", ":2e0}"),
            &PLAIN.replace(":2}", ":-2}"),
            &PLAIN.replace(":2}", ":2,}"),
            &PLAIN.replace(":2}", ":2,\"quantity\":2}"),
            &PLAIN.replace(":30,", ":90.1,"),
            &PLAIN.replace(":30,", ":-0,"),
            &PLAIN.replace(":30,", ":30.,"),
            &PLAIN.replace(":30,", ":NaN,"),
            &PLAIN.replace("{\"order_id\"", "{\"metadata\":{\"a\":1},\"order_id\""),
            &PLAIN.replace("{\"order_id\"", "{\"payment\":\"never\",\"order_id\""),
            &PLAIN.replace("{\"order_id\"", "{\"deliver_by\":\"2026-02-30\",\"order_id\""),
            &PLAIN.replace("{\"order_id\"", "{\"unknown\":1,\"order_id\""),
            &PLAIN.replace("\"lines\":[{\"sku\":\"s\",\"quantity\":2}]", "\"lines\":[]"),
        ] {
            assert!(read(strange).is_none(), "{strange}");
        }
        for length in 0..PLAIN.len() {
            assert!(read(&PLAIN[..length]).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn a_line_too_many_is_declined() {
        let one = r#"{"sku":"s","quantity":2}"#;
        let of = |count: usize| PLAIN.replace(one, &vec![one; count].join(","));
        assert!(read(&of(LINES_MAX)).is_some());
        assert!(read(&of(LINES_MAX + 1)).is_none());
    }
}
