//! Networks, tariffs, policies and orders at and beyond what the doors let in: a plan that adds up or a refusal, never a panic,
//! in a build that panics on overflow.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use crate::catalogue::SkuTerms;
use crate::cost::{By, Carrier, Matrix, Of, Step, Zone};
use crate::fixture::{cases, order};
use crate::geo::Point;
use crate::order::Order;
use crate::policy::Kind;

const WAREHOUSES: u32 = 6;
const SKUS: u32 = 12;

/// An amount that nobody means, or one that somebody may.
fn amount() -> BoxedStrategy<i64> {
    prop_oneof![
        4 => 0_i64..2000,
        1 => Just(0),
        1 => prop_oneof![Just(i64::MAX), Just(i64::MAX - 1), Just(10_i64.pow(13)), Just(1 << 48), Just(1 << 60)],
        1 => 0..i64::MAX,
    ]
    .boxed()
}

fn degrees() -> BoxedStrategy<f64> {
    prop_oneof![4 => -90.0..90.0, 1 => any::<f64>(), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)].boxed()
}

fn terms() -> BoxedStrategy<WarehouseTerms> {
    let per_km = prop_oneof![Just(0.0), 0.0..5.0, Just(f64::MAX), Just(f64::INFINITY), Just(f64::NAN)];
    let capacity = prop::option::weighted(0.3, prop_oneof![0_i64..3, Just(i64::MAX)]);
    let place = (degrees(), degrees(), prop::bool::weighted(0.9), any::<u32>());
    (place, amount(), amount(), per_km, capacity)
        .prop_map(|((lat, lon, enabled, priority), fixed_cost, unit_cost, cost_per_km, capacity)| WarehouseTerms {
            point: Point::from_degrees(lat, lon),
            enabled,
            priority,
            fixed_cost,
            unit_cost,
            cost_per_km,
            capacity,
        })
        .boxed()
}

/// Steps may be out of order, and their amounts fall.
fn zone() -> BoxedStrategy<Zone> {
    let steps = prop::collection::vec((amount(), amount()), 0..5);
    let reach = prop_oneof![Just(u32::MAX), any::<u32>()];
    let country = prop_oneof![3 => Just(vec![]), 1 => Just(vec!["cn".into()])];
    (amount(), amount(), amount(), steps, reach, country, any::<Option<u8>>())
        .prop_map(|(base, per_kg, minimum, steps, max_m, countries, transit_days)| Zone {
            max_m,
            countries,
            base,
            per_kg,
            minimum,
            steps: steps.into_iter().map(|(up_to_g, amount)| Step { up_to_g, amount }).collect(),
            transit_days,
            ..Zone::default()
        })
        .boxed()
}

fn carrier() -> BoxedStrategy<Carrier> {
    let volume = prop_oneof![Just(0), Just(5000), any::<u32>()];
    (prop::collection::vec(zone(), 0..4), volume, amount())
        .prop_map(|(zones, cm3_per_kg, weight_step_g)| Carrier {
            zones,
            cm3_per_kg,
            weight_step_g,
            ..Carrier::default()
        })
        .boxed()
}

fn policy() -> BoxedStrategy<Value> {
    let objective = prop::sample::select(vec![
        "cheapest",
        "nearest",
        "fastest",
        "fewest_shipments",
        "balanced",
        "priority",
        "pinned",
    ]);
    let weights = [amount(), amount(), amount(), amount(), amount()];
    let penalties = [amount(), amount(), amount(), amount()];
    (objective, weights, penalties, any::<i32>(), prop::option::of(0_usize..4), prop::option::of(any::<u64>())).prop_map(
        |(objective, [cost, per_km, per_day, per_shipment, load], [split, late, load_cost, keep], days, max, within)| {
            json!({
                "name": "p", "objective": objective, "split_penalty": split, "lateness_cost_per_day": late,
                "load_cost": load_cost, "deliver_within_days": days, "max_shipments": max, "warehouses": ["w1", "ghost"],
                "weights": {"cost": cost, "per_km": per_km, "per_day": per_day, "per_shipment": per_shipment, "load": load},
                "keep_back": {"app": keep}, "only": {"counted_within_s": within, "exclude": ["w2"]},
            })
        },
    ).boxed()
}

/// Fields of an order, some of which mean nothing.
fn asked() -> BoxedStrategy<Value> {
    let quantity = prop_oneof![5 => 1_i64..9, 1 => amount(), 1 => any::<i64>()];
    let line = (0..SKUS + 1, quantity, any::<Option<i64>>());
    let line = line.prop_map(
        |(sku, quantity, price)| json!({"sku": format!("s{sku}"), "quantity": quantity, "unit_price": price}),
    );
    let flags = (any::<[bool; 4]>(), prop::option::of(0_usize..5), prop::option::weighted(0.1, 0..WAREHOUSES + 1));
    let dates =
        prop::sample::select(vec![None, Some("2026-11-13"), Some("9999-12-31"), Some("-9999-01-01"), Some("x")]);
    let to = (degrees(), degrees(), prop::sample::select(vec![None, Some("CN"), Some("\u{130}\u{1f4a9}")]));
    (prop::collection::vec(line, 0..14), flags, dates, to, prop::bool::ANY)
        .prop_map(|(lines, ([split, partial, substitutes, backorder], max, pickup), due, (lat, lon, country), own)| {
            json!({
                "lines": lines, "allow_split": split, "allow_partial": partial, "allow_substitutes": substitutes,
                "allow_backorder": backorder, "max_shipments": max, "pickup_at": pickup.map(|at| format!("w{at}")),
                "deliver_by": due, "ship_to": {"lat": lat, "lon": lon, "country": country}, "channel": "app",
                "policy": if own { Some("p") } else { None },
            })
        })
        .boxed()
}

type Stock = Vec<(u32, u32, i64)>;

fn stock() -> BoxedStrategy<Stock> {
    let free = prop_oneof![6 => 0_i64..12, 1 => any::<i64>(), 1 => Just(i64::MAX), 1 => Just(i64::MIN)];
    prop::collection::vec((0..SKUS, 0..WAREHOUSES + 1, free), 0..60).boxed()
}

fn skus() -> BoxedStrategy<Vec<(i64, i64, i64)>> {
    prop::collection::vec((amount(), amount(), prop_oneof![3 => Just(0), 1 => amount()]), SKUS as usize).boxed()
}

fn network(places: &[WarehouseTerms], skus: &[(i64, i64, i64)], stock: &Stock) -> Planner {
    let mut planner = Planner { currency: "CNY".into(), ..Planner::default() };
    for (number, &terms) in (0..).zip(places) {
        assert!(planner.put_warehouse(number, &format!("w{number}"), terms));
        planner.policies.traits_mut().put_warehouse(number, Kind::default(), &[]);
    }
    for (sku, &(weight_g, volume_cm3, purchase_limit)) in (0..).zip(skus) {
        let terms = SkuTerms { weight_g, volume_cm3, purchase_limit };
        assert!(planner.catalogue.put_sku(sku, &format!("s{sku}"), terms));
    }
    assert!(planner.catalogue.put_channel(1, "app"));
    for &(sku, warehouse, free) in stock {
        planner.view.set(cell_id(sku, warehouse), free, 1);
    }
    planner
}

/// No warehouse twice, and no more from any cell than is free there.
fn adds_up(planner: &Planner, plan: &Plan) -> bool {
    let mut warehouses: Vec<_> = plan.shipments.iter().map(|shipment| shipment.warehouse).collect();
    warehouses.sort_unstable();
    let within = |shipment: &Shipment| {
        let mut lines = shipment.lines.iter();
        lines.all(|&(sku, units)| units > 0 && units <= planner.view.free(sku, shipment.warehouse))
    };
    warehouses.windows(2).all(|pair| pair[0] != pair[1]) && plan.shipments.iter().all(within)
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn hostile_networks_and_orders_do_no_harm(
        places in prop::collection::vec(terms(), 0..=WAREHOUSES as usize), skus in skus(), stock in stock(),
        carriers in prop::collection::vec(carrier(), 0..4), policy in policy(), asked in asked(),
        now_ms in prop::option::of(prop_oneof![0_u64..1 << 42, any::<u64>()]),
        values in prop::option::weighted(0.2, prop::collection::vec(any::<i64>(), WAREHOUSES as usize)),
    ) {
        let mut planner = network(&places, &skus, &stock);
        planner.now_ms = now_ms;
        prop_assert!(planner.costs.set_carriers(carriers));
        if let Some(values) = values {
            let warehouses: Vec<u32> = (0..WAREHOUSES).collect();
            let matrix = Matrix::new(By::Country, &["cn"], &warehouses, values.iter().map(|&value| value.max(-1)).collect());
            planner.costs.set_matrix(Of::Cost, matrix);
        }
        let book = json!({"version": "1", "default": "p", "policies": [policy], "rules": []});
        if let Ok(book) = Book::decode(&rmp_serde::to_vec_named(&book).unwrap()) {
            planner.set_book(book);
        }
        let bytes = order(asked);
        let Ok(order) = Order::decode(&bytes) else { return Ok(()) };
        let Ok(demand) = planner.resolve(&order) else { return Ok(()) };
        let planned = planner.plan(&demand);
        if let Ok(plan) = &planned {
            prop_assert!(adds_up(&planner, plan), "{:?}", plan);
        }
        prop_assert!(planner.explain(&order, &demand, planned.as_ref()).is_object());
    }

    /// Well-formed messages of any kind, and bytes of none, as a book of policies and as an order.
    #[test]
    fn hostile_messages_are_errors_or_what_they_say(noise in prop::collection::vec(any::<u8>(), 0..200), value in message()) {
        let _ = (Book::decode(&noise), Order::decode(&noise).map(|order| order.hold_ms()));
        for bytes in [rmp_serde::to_vec(&value).unwrap(), rmp_serde::to_vec_named(&value).unwrap()] {
            let _ = Book::decode(&bytes);
            if let Ok(order) = Order::decode(&bytes) {
                let _ = (order.value(), order.due_day(), order.shipments_max(), order.hold_ms());
            }
        }
    }

    /// One byte of an order's canonical bytes is another, or it ends early.
    #[test]
    fn hostile_changes_of_an_order_are_errors_or_an_order(
        asked in asked(), place: prop::sample::Index, byte: u8, end: prop::sample::Index,
    ) {
        let mut bytes = order(asked);
        let planner = network(&[], &[], &Vec::new());
        *place.get_mut(&mut bytes) = byte;
        for bytes in [&bytes[..], &bytes[..end.index(bytes.len())]] {
            if let Ok(order) = Order::decode(bytes) {
                let _ = (order.value(), order.due_day(), planner.resolve(&order).is_ok());
            }
        }
    }
}

/// Anything that MessagePack can say, under names that books and orders use.
fn message() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9-]{0,6}".prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "order_id", "ship_to", "lat", "lon", "lines", "sku", "quantity", "payment", "version", "default", "policies",
        "rules", "name", "use", "when", "trial", "share", "window", "only", "weights",
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..8)
                .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
    .boxed()
}
