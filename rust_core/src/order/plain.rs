//! Plain orders read in one go: keys in their order, texts short, numbers not negative. All else is left to
//! [`Order::decode`]'s own reader, which judges; a test holds the one against the other.

use super::{Line, Order, Payment, ShipTo};

const LINES_MAX: usize = 100;

/// Reads canonical bytes; `None` for what is not plain.
pub(super) fn read(canonical: &[u8]) -> Option<Order<'_>> {
    let mut reader = Reader { rest: canonical };
    let (mut order_id, mut ship_to, mut lines) = (None, None, None);
    let mut order = Order {
        order_id: "",
        ship_to: ShipTo { lat: 0.0, lon: 0.0, country: None, region: None, postcode: None },
        lines: Vec::new(),
        channel: None,
        customer: None,
        payment: Payment::Paid,
        hold_seconds: None,
        service_level: None,
        customer_class: None,
        deliver_by: None,
        policy: None,
        allow_split: true,
        max_shipments: None,
        allow_partial: false,
        allow_substitutes: false,
        allow_backorder: false,
        warehouses: None,
        pickup_at: None,
    };
    reader.map(|reader, key| {
        match key {
            b"order_id" => order_id = Some(reader.text()?),
            b"ship_to" => ship_to = Some(read_ship_to(reader)?),
            b"lines" => lines = Some(read_lines(reader)?),
            b"channel" => order.channel = Some(reader.text()?),
            b"customer" => order.customer = Some(reader.text()?),
            b"payment" => {
                order.payment = match reader.text()? {
                    "paid" => Payment::Paid,
                    "pending" => Payment::Pending,
                    "cod" => Payment::Cod,
                    _ => return None,
                }
            }
            b"hold_seconds" => order.hold_seconds = Some(u32::try_from(reader.whole()?).ok()?),
            b"service_level" => order.service_level = Some(reader.text()?),
            b"customer_class" => order.customer_class = Some(reader.text()?),
            b"deliver_by" => order.deliver_by = Some(reader.text()?),
            b"policy" => order.policy = Some(reader.text()?),
            b"allow_split" => order.allow_split = reader.truth()?,
            b"max_shipments" => order.max_shipments = Some(usize::try_from(reader.whole()?).ok()?),
            b"allow_partial" => order.allow_partial = reader.truth()?,
            b"allow_substitutes" => order.allow_substitutes = reader.truth()?,
            b"allow_backorder" => order.allow_backorder = reader.truth()?,
            b"pickup_at" => order.pickup_at = Some(reader.text()?),
            _ => return None,
        }
        Some(())
    })?;
    Some(Order { order_id: order_id?, ship_to: ship_to?, lines: lines?, ..order })
}

fn read_ship_to<'a>(reader: &mut Reader<'a>) -> Option<ShipTo<'a>> {
    let (mut lat, mut lon, mut country, mut region, mut postcode) = (None, None, None, None, None);
    reader.map(|reader, key| {
        match key {
            b"lat" => lat = Some(reader.float()?),
            b"lon" => lon = Some(reader.float()?),
            b"country" => country = Some(reader.text()?),
            b"region" => region = Some(reader.text()?),
            b"postcode" => postcode = Some(reader.text()?),
            _ => return None,
        }
        Some(())
    })?;
    Some(ShipTo { lat: lat?, lon: lon?, country, region, postcode })
}

fn read_lines<'a>(reader: &mut Reader<'a>) -> Option<Vec<Line<'a>>> {
    let count = reader.array_length()?;
    if count > LINES_MAX {
        return None;
    }
    let mut lines = Vec::with_capacity(count);
    for _ in 0..count {
        let (mut sku, mut quantity, mut unit_price) = (None, None, None);
        reader.map(|reader, key| {
            match key {
                b"sku" => sku = Some(reader.text()?),
                b"quantity" => quantity = Some(reader.whole()?),
                b"unit_price" => unit_price = Some(reader.whole()?),
                _ => return None,
            }
            Some(())
        })?;
        lines.push(Line { sku: sku?, quantity: quantity?, unit_price });
    }
    Some(lines)
}

/// `MessagePack`, of which it knows the heads that an order has.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Has each value of a map read by its key. Keys rise, so that none comes twice.
    fn map(&mut self, mut value: impl FnMut(&mut Self, &'a [u8]) -> Option<()>) -> Option<()> {
        let count = match self.byte()? {
            head @ 0x80..=0x8f => usize::from(head & 0x0f),
            0xde => self.uint::<2>()?,
            _ => return None,
        };
        let mut former: &[u8] = b"";
        for _ in 0..count {
            let key = self.text_bytes()?;
            if key <= former {
                return None;
            }
            former = key;
            value(self, key)?;
        }
        Some(())
    }

    fn array_length(&mut self) -> Option<usize> {
        match self.byte()? {
            head @ 0x90..=0x9f => Some(usize::from(head & 0x0f)),
            0xdc => self.uint::<2>(),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.text_bytes()?).ok()
    }

    fn text_bytes(&mut self) -> Option<&'a [u8]> {
        let length = match self.byte()? {
            head @ 0xa0..=0xbf => usize::from(head & 0x1f),
            0xd9 => self.uint::<1>()?,
            _ => return None,
        };
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(text)
    }

    fn whole(&mut self) -> Option<i64> {
        let value = match self.byte()? {
            small @ 0..=0x7f => usize::from(small),
            0xcc => self.uint::<1>()?,
            0xcd => self.uint::<2>()?,
            0xce => self.uint::<4>()?,
            0xcf => self.uint::<8>()?,
            _ => return None,
        };
        i64::try_from(value).ok()
    }

    fn float(&mut self) -> Option<f64> {
        if self.byte()? != 0xcb {
            return None;
        }
        let (bytes, rest) = self.rest.split_first_chunk::<8>()?;
        self.rest = rest;
        Some(f64::from_be_bytes(*bytes))
    }

    fn truth(&mut self) -> Option<bool> {
        match self.byte()? {
            0xc2 => Some(false),
            0xc3 => Some(true),
            _ => None,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn uint<const BYTES: usize>(&mut self) -> Option<usize> {
        let (bytes, rest) = self.rest.split_first_chunk::<BYTES>()?;
        self.rest = rest;
        Some(bytes.iter().fold(0, |value, &byte| value << 8 | usize::from(byte)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::fixture::{cases, lines, order};

    /// Every field that it knows, in every width.
    fn plain() -> Vec<Vec<u8>> {
        let long = "x".repeat(120);
        [
            json!({"lines": lines(&[(0, 1), (1, 200)])}),
            json!({"lines": [{"quantity": 70_000, "sku": long, "unit_price": 5_000_000_000_i64}], "channel": "é", "customer": long}),
            json!({
                "allow_backorder": true, "allow_partial": true, "allow_split": false, "allow_substitutes": true, "channel": "app",
                "customer": "ann", "customer_class": "gold", "deliver_by": "2026-11-13", "hold_seconds": 600_000,
                "lines": [{"quantity": 128, "sku": "s", "unit_price": 65_536}], "max_shipments": 2, "payment": "pending",
                "pickup_at": "w1", "policy": "nearest", "service_level": "next_day",
                "ship_to": {"country": "CN", "lat": 1.5, "lon": -2.5, "postcode": "050000", "region": "Hebei"},
            }),
            json!({"lines": [], "payment": "cod"}),
        ]
        .map(order)
        .into()
    }

    fn told(order: &Order) -> String {
        format!("{order:?}")
    }

    #[test]
    fn common_orders_are_plain_and_read_as_ever() {
        for bytes in plain() {
            let quick = read(&bytes).unwrap();
            assert_eq!(told(&quick), told(&Order::decode_any(&bytes).unwrap()));
        }
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn whatever_it_reads_the_other_reader_reads_alike(
            which in 0..4_usize, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = plain().swap_remove(which);
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if changes.len() > 2 {
                bytes.truncate(cut.index(bytes.len()));
            }
            if let Some(quick) = read(&bytes) {
                prop_assert_eq!(Ok(told(&quick)), Order::decode_any(&bytes).map(|order| told(&order)));
            }
        }
    }
}
