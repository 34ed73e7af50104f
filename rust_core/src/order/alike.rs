//! Whatever is written as canonical bytes is read as it was written, whichever reader reads it; and of changed bytes the
//! reader of plain orders takes none otherwise than [`Order::decode_any`].

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Order, Payment, plain};
use crate::fixture::{cases, order};

const TEXTS: [&str; 8] =
    ["channel", "customer", "customer_class", "deliver_by", "pickup_at", "policy", "service_level", "payment"];
const FLAGS: [&str; 3] = ["allow_backorder", "allow_partial", "allow_substitutes"];

/// Of each width that `MessagePack` has for it.
fn text() -> BoxedStrategy<String> {
    prop_oneof![6 => "[ -~]{0,12}", 1 => "\\PC{0,20}", 1 => "x{31,32}", 1 => "y{255,256}"].boxed()
}

fn whole() -> BoxedStrategy<i64> {
    prop_oneof![4 => 0_i64..130, 1 => 250_i64..260, 1 => 65_530_i64..65_540, 1 => 0_i64..1 << 32, 1 => any::<i64>()]
        .boxed()
}

fn degrees() -> BoxedStrategy<f64> {
    prop_oneof![3 => -180.0..180.0, 1 => any::<f64>().prop_filter("JSON has no others", |value| value.is_finite())]
        .boxed()
}

fn line() -> BoxedStrategy<Value> {
    (text(), whole(), prop::option::weighted(0.3, whole()))
        .prop_map(|(sku, quantity, unit_price)| match unit_price {
            Some(unit_price) => json!({"sku": sku, "quantity": quantity, "unit_price": unit_price}),
            None => json!({"sku": sku, "quantity": quantity}),
        })
        .boxed()
}

fn place() -> BoxedStrategy<Value> {
    (degrees(), degrees(), prop::collection::vec(prop::option::weighted(0.3, text()), 3))
        .prop_map(|(lat, lon, names)| {
            let mut place = Map::from_iter([("lat".to_owned(), json!(lat)), ("lon".to_owned(), json!(lon))]);
            put_some(&mut place, &["country", "postcode", "region"], names);
            Value::Object(place)
        })
        .boxed()
}

/// Fields of an order, those of defaults left out.
fn fields() -> BoxedStrategy<Map<String, Value>> {
    let texts = prop::collection::vec(prop::option::weighted(0.2, text()), TEXTS.len() - 1);
    let payment = prop::option::weighted(0.3, prop_oneof![Just("pending"), Just("cod")]);
    let flags = prop::collection::vec(any::<bool>(), FLAGS.len() + 1);
    let counts = (prop::option::weighted(0.2, any::<u32>()), prop::option::weighted(0.2, 0_u32..1000));
    let warehouses = prop::option::weighted(0.1, prop::collection::vec(text(), 1..3));
    let rest = (text(), place(), prop::collection::vec(line(), 0..20));
    (texts, payment, flags, counts, warehouses, rest)
        .prop_map(|(texts, payment, flags, (hold_seconds, max_shipments), warehouses, (order_id, ship_to, lines))| {
            let mut fields = Map::new();
            put_some(&mut fields, &TEXTS, texts.into_iter().chain([payment.map(str::to_owned)]));
            put_some(&mut fields, &["hold_seconds", "max_shipments"], [hold_seconds, max_shipments]);
            put_some(&mut fields, &["warehouses"], [warehouses]);
            put_some(&mut fields, &FLAGS, flags.iter().map(|flag| flag.then_some(true)));
            put_some(&mut fields, &["allow_split"], [flags[FLAGS.len()].then_some(false)]);
            put_some(&mut fields, &["order_id"], [Some(order_id)]);
            put_some(&mut fields, &["ship_to", "lines"], [Some(ship_to), Some(Value::Array(lines))]);
            fields
        })
        .boxed()
}

fn put_some<T: Into<Value>>(
    into: &mut Map<String, Value>,
    names: &[&str],
    values: impl IntoIterator<Item = Option<T>>,
) {
    for (name, value) in names.iter().zip(values) {
        if let Some(value) = value {
            into.insert((*name).to_owned(), value.into());
        }
    }
}

/// The fields that an order was written with.
fn told(order: &Order) -> Map<String, Value> {
    let mut fields = Map::new();
    let payment = match order.payment {
        Payment::Paid => None,
        Payment::Pending => Some("pending"),
        Payment::Cod => Some("cod"),
    };
    let texts = [
        order.channel,
        order.customer,
        order.customer_class,
        order.deliver_by,
        order.pickup_at,
        order.policy,
        order.service_level,
        payment,
    ];
    put_some(&mut fields, &TEXTS, texts);
    put_some(&mut fields, &["hold_seconds"], [order.hold_seconds]);
    put_some(&mut fields, &["max_shipments"], [order.max_shipments]);
    put_some(&mut fields, &["warehouses"], [order.warehouses.clone()]);
    let flags = [order.allow_backorder, order.allow_partial, order.allow_substitutes];
    put_some(&mut fields, &FLAGS, flags.map(|flag| flag.then_some(true)));
    put_some(&mut fields, &["allow_split"], [(!order.allow_split).then_some(false)]);
    put_some(&mut fields, &["order_id"], [Some(order.order_id)]);
    let to = &order.ship_to;
    let mut place = Map::from_iter([("lat".to_owned(), json!(to.lat)), ("lon".to_owned(), json!(to.lon))]);
    put_some(&mut place, &["country", "postcode", "region"], [to.country, to.postcode, to.region]);
    let lines = order.lines.iter().map(|line| {
        let mut told = Map::new();
        put_some(&mut told, &["sku"], [Some(line.sku)]);
        put_some(&mut told, &["quantity", "unit_price"], [Some(line.quantity), line.unit_price]);
        Value::Object(told)
    });
    put_some(&mut fields, &["ship_to", "lines"], [Value::Object(place), lines.collect()].map(Some));
    fields
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_written_is_read_alike(fields in fields()) {
        let bytes = order(Value::Object(fields.clone()));
        prop_assert_eq!(&told(&Order::decode(&bytes).unwrap()), &fields);
        prop_assert_eq!(&told(&Order::decode_any(&bytes).unwrap()), &fields);
    }

    #[test]
    fn changed_bytes_are_read_alike_or_left_alone(
        fields in fields(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..4),
    ) {
        let mut bytes = order(Value::Object(fields));
        for (at, byte, how) in changes {
            let at = at.index(bytes.len().max(1)).min(bytes.len());
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => {
                    bytes.remove(at);
                }
                2 => bytes.truncate(at),
                _ if at < bytes.len() => bytes[at] = byte,
                _ => {}
            }
        }
        if let Some(quick) = plain::read(&bytes) {
            let other = Order::decode_any(&bytes).map(|order| format!("{order:?}"));
            prop_assert_eq!(Ok(format!("{quick:?}")), other);
        }
    }
}
