//! Rules of planning one by one; `oracle` holds random orders against every assignment there is.

mod case;
mod goods;
mod hostile;
mod metamorphic;
mod objectives;
mod oracle;
mod policies;
mod refusals;

use serde_json::json;

use super::*;
use crate::catalogue::{SkuTerms, WarehouseTerms};
use crate::cost::{COST_MAX, Zone};
use crate::fixture::{demand, lines, order, planner, warehouse};
use crate::ids::cell_id;
use crate::order::{Order, QUANTITY_MAX};

fn plan(planner: &mut Planner, fields: serde_json::Value) -> Result<Plan, Refusal> {
    let demand = demand(planner, fields);
    planner.plan(&demand)
}

/// Warehouse, SKU and units of every piece.
fn pieces(plan: &Plan) -> Vec<(u32, u32, i64)> {
    plan.shipments
        .iter()
        .flat_map(|shipment| shipment.lines.iter().map(|&(sku, units)| (shipment.warehouse, sku, units)))
        .collect()
}

fn flaws(planner: &Planner, fields: serde_json::Value) -> Vec<(String, String)> {
    let canonical = order(fields);
    let flaws = planner.resolve(&Order::decode(&canonical).unwrap()).unwrap_err();
    flaws.into_iter().map(|flaw| (flaw.pointer, flaw.message)).collect()
}

fn pointers(planner: &Planner, fields: serde_json::Value) -> Vec<String> {
    flaws(planner, fields).into_iter().map(|(pointer, _)| pointer).collect()
}

#[test]
fn unknown_names_are_pointed_at_all_at_once() {
    let planner = planner(&[warehouse(0.0)], &[&[9]]);
    let found = flaws(
        &planner,
        json!({
            "lines": [{"sku": "s0", "quantity": 1}, {"sku": "ghost", "quantity": 1}],
            "warehouses": ["w0", "nowhere"],
            "pickup_at": "no/where",
        }),
    );
    assert_eq!(
        found,
        [
            ("/lines/1/sku".to_owned(), "unknown SKU \"ghost\"".to_owned()),
            ("/warehouses/1".to_owned(), "unknown warehouse \"nowhere\"".to_owned()),
            ("/pickup_at".to_owned(), "unknown warehouse \"no/where\"".to_owned()),
        ]
    );
}

#[test]
fn only_a_pending_order_may_say_how_long_it_holds() {
    let planner = planner(&[warehouse(0.0)], &[&[9]]);
    let fields = |payment: &str| json!({"lines": lines(&[(0, 1)]), "payment": payment, "hold_seconds": 60});
    assert_eq!(pointers(&planner, fields("paid")), ["/hold_seconds"]);
    assert_eq!(pointers(&planner, fields("cod")), ["/hold_seconds"]);
    assert!(planner.resolve(&Order::decode(&order(fields("pending"))).unwrap()).is_ok());
}

#[test]
fn what_no_door_lets_in_is_refused_here_too() {
    let planner = planner(&[warehouse(0.0)], &[&[9]]);
    assert_eq!(pointers(&planner, json!({"lines": []})), ["/lines"]);
    assert_eq!(pointers(&planner, json!({"lines": lines(&[(0, 1)]), "max_shipments": 0})), ["/max_shipments"]);
    for quantity in [0, -1, i64::MIN, QUANTITY_MAX + 1, i64::MAX] {
        let lines = lines(&[(0, 1), (0, quantity)]);
        assert_eq!(pointers(&planner, json!({"lines": lines})), ["/lines/1/quantity"], "{quantity}");
    }
}

#[test]
fn lines_of_one_sku_are_summed() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[3, 5], &[9, 9]]);
    let fields = json!({"lines": lines(&[(0, 2), (1, 1), (0, 3)])});
    assert_eq!(demand(&planner, fields.clone()).lines, [(0, 5), (1, 1)]);
    assert_eq!(pieces(&plan(&mut planner, fields).unwrap()), [(1, 0, 5), (1, 1, 1)]);
}

#[test]
fn a_warehouse_that_is_disabled_or_not_allowed_is_as_good_as_empty() {
    let mut off = planner(&[WarehouseTerms { enabled: false, ..warehouse(0.0) }, warehouse(9.0)], &[&[9, 9]]);
    assert_eq!(pieces(&plan(&mut off, json!({"lines": lines(&[(0, 1)])})).unwrap()), [(1, 0, 1)]);
    let shortage = Err(Refusal::Short(vec![Shortage { sku: 0, requested: 1, available: 0 }]));
    assert_eq!(plan(&mut off, json!({"lines": lines(&[(0, 1)]), "warehouses": ["w0"]})), shortage);
    assert_eq!(plan(&mut off, json!({"lines": lines(&[(0, 1)]), "pickup_at": "w0"})), shortage);
    let fields = json!({"lines": lines(&[(0, 10)]), "warehouses": ["w1"]});
    assert_eq!(plan(&mut off, fields), Err(Refusal::Short(vec![Shortage { sku: 0, requested: 10, available: 9 }])));
}

#[test]
fn pickup_pays_its_warehouse_and_no_way() {
    let far = WarehouseTerms { fixed_cost: 100, unit_cost: 7, cost_per_km: 3.0, ..warehouse(20.0) };
    let mut planner = planner(&[warehouse(0.0), far], &[&[9, 9]]);
    planner.costs.set_tariff(vec![Zone { name: "z".into(), max_m: 1, base: 1000, per_kg: 500, ..Zone::default() }]);
    let picked_up = plan(&mut planner, json!({"lines": lines(&[(0, 2)]), "pickup_at": "w1"})).unwrap();
    let shipment = Shipment { warehouse: 1, cost: 100 + 2 * 7, lines: vec![(0, 2)], ..Shipment::default() };
    assert_eq!(picked_up.shipments, [shipment]);
    let mixed = json!({"lines": lines(&[(0, 1)]), "pickup_at": "w1", "warehouses": ["w0"]});
    assert_eq!(pointers(&planner, mixed), ["/pickup_at"]);
}

#[test]
fn a_line_that_no_warehouse_holds_is_filled_from_several() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0), warehouse(2.0)], &[&[4, 6, 3], &[0, 0, 2]]);
    let cut = plan(&mut planner, json!({"lines": lines(&[(0, 9), (1, 2)])})).unwrap();
    // The fullest gives all it has, the rest comes from where the other line comes from.
    assert_eq!(pieces(&cut), [(1, 0, 6), (2, 0, 3), (2, 1, 2)]);
    assert!(cut.proven);
    let all = plan(&mut planner, json!({"lines": lines(&[(0, 13)])})).unwrap();
    assert_eq!(pieces(&all), [(0, 0, 4), (1, 0, 6), (2, 0, 3)]);
}

/// Two warehouses can share the order only if a line is split that a third one holds whole.
#[test]
fn a_line_is_split_before_an_order_is_refused_for_its_shipments() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0), warehouse(2.0)], &[&[4, 0, 0], &[2, 2, 4], &[0, 4, 0]]);
    let shared = plan(&mut planner, json!({"lines": lines(&[(0, 4), (1, 4), (2, 4)]), "max_shipments": 2})).unwrap();
    assert_eq!(pieces(&shared), [(0, 0, 4), (0, 1, 2), (1, 1, 2), (1, 2, 4)]);
}

/// No warehouse holds s0 whole, the fullest has nothing else, and most units first starts with it.
#[test]
fn a_set_that_covers_the_order_is_found_before_it_is_refused() {
    let dear = WarehouseTerms { fixed_cost: 9, ..warehouse(1.0) };
    let stock: [&[i64]; 3] = [&[7, 5, 5], &[0, 1, 0], &[0, 0, 1]];
    let mut planner = planner(&[warehouse(0.0), dear, warehouse(2.0)], &stock);
    let fields = |units, partial: bool| {
        let lines = lines(&[(0, units), (1, 1), (2, 1)]);
        json!({"lines": lines, "max_shipments": 2, "allow_partial": partial})
    };
    for partial in [false, true] {
        let covered = plan(&mut planner, fields(10, partial)).unwrap();
        assert_eq!(pieces(&covered), [(1, 0, 5), (1, 1, 1), (2, 0, 5), (2, 2, 1)]);
        assert!(covered.proven && covered.unfilled.is_empty());
    }
    // Of two where a unit costs the same, the first by rank gives all it has.
    let some = plan(&mut planner, fields(9, false)).unwrap();
    assert_eq!(pieces(&some), [(1, 0, 5), (1, 1, 1), (2, 0, 4), (2, 2, 1)]);
    assert!(matches!(plan(&mut planner, fields(11, false)), Err(Refusal::TooSpread(_))));
}

/// 51 lines over 500 warehouses: the cheapest to open give what they have, and a whole order still comes from one.
#[test]
fn what_is_too_much_for_the_kernel_is_filled_from_the_cheapest_to_open() {
    let places: Vec<WarehouseTerms> =
        (0..500).map(|number| WarehouseTerms { fixed_cost: 1000 - number, ..warehouse(0.0) }).collect();
    let mut row = vec![1; 500];
    row[0] = 2;
    let mut planner = planner(&places, &[&row[..]; 51]);
    let order = |skus: u32, max: Option<usize>| {
        let wanted: Vec<(u32, i64)> = (0..skus).map(|sku| (sku, 2)).collect();
        json!({"lines": lines(&wanted), "max_shipments": max})
    };
    let filled = plan(&mut planner, order(51, None)).unwrap();
    let used: Vec<(u32, i64)> = filled.shipments.iter().map(|shipment| (shipment.warehouse, shipment.cost)).collect();
    assert_eq!((used, filled.proven), (vec![(498, 502), (499, 501)], false));
    let whole = plan(&mut planner, order(51, Some(1))).unwrap();
    assert_eq!((whole.shipments.len(), whole.shipments[0].warehouse, whole.proven), (1, 0, false));
    let within = plan(&mut planner, order(50, None)).unwrap();
    assert_eq!((within.shipments.len(), within.shipments[0].warehouse, within.proven), (1, 0, true));
}

#[test]
fn too_many_shipments_say_what_is_missing_from_as_many_as_allowed() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[5, 0], &[0, 3]]);
    let fields = json!({"lines": lines(&[(0, 5), (1, 3)]), "allow_split": false});
    let rows = vec![SpreadRow { sku: 1, requested: 3, available: 3, within: 0 }];
    let (by, policy) = (LimitedBy::AllowSplit, "cheapest".into());
    let spread = Spread { rows, shipments_max: 1, by, policy };
    assert_eq!(plan(&mut planner, fields.clone()), Err(Refusal::TooSpread(spread)));
    let mut partial = fields;
    partial["allow_partial"] = json!(true);
    let partial = plan(&mut planner, partial).unwrap();
    assert_eq!((pieces(&partial), partial.unfilled), (vec![(0, 0, 5)], vec![(1, 3)]));
}

#[test]
fn a_part_of_nothing_is_a_shortage() {
    let mut planner = planner(&[warehouse(0.0)], &[&[0], &[4]]);
    let fields = |lines| json!({"lines": lines, "allow_partial": true});
    let short = Shortage { sku: 0, requested: 2, available: 0 };
    assert_eq!(plan(&mut planner, fields(lines(&[(0, 2)]))), Err(Refusal::Short(vec![short])));
    let part = plan(&mut planner, fields(lines(&[(0, 2), (1, 6)]))).unwrap();
    assert_eq!((pieces(&part), part.unfilled), (vec![(0, 1, 4)], vec![(0, 2), (1, 2)]));
}

/// Nearest first takes parts from two; where that uses up the shipments, others that have whole lines serve.
#[test]
fn a_rule_does_not_refuse_what_fits_in_some_other_way() {
    let places = [warehouse(1.0), warehouse(2.0), warehouse(3.0), warehouse(4.0)];
    let mut planner = planner(&places, &[&[1, 2, 9, 0], &[1, 1, 0, 9]]);
    for policy in ["nearest", "priority"] {
        let fields = json!({"lines": lines(&[(0, 5), (1, 5)]), "max_shipments": 2, "policy": policy});
        let plan = plan(&mut planner, fields).unwrap();
        assert_eq!(pieces(&plan), [(2, 0, 5), (3, 1, 5)], "{policy}");
        assert!(!plan.proven);
    }
}

#[test]
fn an_order_without_policy_gets_the_default_one() {
    let dear = WarehouseTerms { fixed_cost: 500, ..warehouse(0.0) };
    let mut planner = planner(&[dear, warehouse(9.0)], &[&[9, 9]]);
    let fields = json!({"lines": lines(&[(0, 1)])});
    assert_eq!(pieces(&plan(&mut planner, fields.clone()).unwrap()), [(1, 0, 1)]);
    planner.set_book(Book::built_in("nearest").unwrap());
    let nearest = plan(&mut planner, fields).unwrap();
    assert_eq!((pieces(&nearest), &*nearest.selected.label), (vec![(0, 0, 1)], "nearest@built-in"));
}

#[test]
fn a_changed_warehouse_counts_at_once() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[9, 9]]);
    let fields = json!({"lines": lines(&[(0, 1)])});
    assert_eq!(pieces(&plan(&mut planner, fields.clone()).unwrap()), [(0, 0, 1)]);
    assert!(planner.put_warehouse(0, "w0", WarehouseTerms { fixed_cost: 1, ..warehouse(0.0) }));
    assert_eq!(pieces(&plan(&mut planner, fields.clone()).unwrap()), [(1, 0, 1)]);
    // A new one lies beyond the lanes that were kept.
    assert!(planner.put_warehouse(7, "a", warehouse(0.0)));
    planner.view.set(cell_id(0, 7), 1, 1);
    assert_eq!(pieces(&plan(&mut planner, fields).unwrap()), [(7, 0, 1)]);
}

/// The largest order on the dearest network, in a build that panics on overflow.
#[test]
fn extremes_end_at_a_bound() {
    let dear = WarehouseTerms { fixed_cost: i64::MAX, unit_cost: i64::MAX, cost_per_km: f64::MAX, ..warehouse(180.0) };
    let mut planner = planner(&[dear, WarehouseTerms { cost_per_km: f64::INFINITY, ..dear }], &[]);
    planner.costs.set_tariff(vec![Zone {
        name: "z".into(),
        max_m: 0,
        base: i64::MAX,
        per_kg: i64::MAX,
        ..Zone::default()
    }]);
    let skus = 100_u32;
    for sku in 0..skus {
        let terms = SkuTerms { weight_g: i64::MAX, ..SkuTerms::default() };
        assert!(planner.catalogue.put_sku(sku, &format!("s{sku}"), terms));
        planner.view.set(cell_id(sku, 0), i64::MAX, 1);
        planner.view.set(cell_id(sku, 1), if sku % 2 == 0 { i64::MAX } else { i64::MIN }, 1);
    }
    let wanted: Vec<(u32, i64)> = (0..skus).map(|sku| (sku, QUANTITY_MAX)).collect();
    for policy in ["cheapest", "nearest", "priority"] {
        let fields = json!({"lines": lines(&wanted), "policy": policy, "allow_partial": true});
        let plan = plan(&mut planner, fields).unwrap();
        assert_eq!(plan.cost(), COST_MAX * i64::from(skus + 1), "{policy}");
    }
    let bytes = order(json!({"lines": lines(&wanted)}));
    let order = Order::decode(&bytes).unwrap();
    let demand = planner.resolve(&order).unwrap();
    let planned = planner.plan(&demand).unwrap();
    assert!(planner.explain(&order, &demand, Ok(&planned)).is_object());
}

/// Two warehouses are needed; the near one, where a unit costs less, gives all it has.
#[test]
fn a_cut_line_comes_from_where_a_unit_costs_least() {
    let near = WarehouseTerms { unit_cost: 1, ..warehouse(0.0) };
    let far = WarehouseTerms { unit_cost: 9, ..warehouse(5.0) };
    let mut planner = planner(&[near, far], &[&[60, 140]]);
    let demand = demand(&planner, json!({"lines": lines(&[(0, 150)])}));
    let plan = planner.plan(&demand).unwrap();
    let pieces: Vec<(u32, i64)> = plan.shipments.iter().map(|one| (one.warehouse, one.lines[0].1)).collect();
    assert_eq!(pieces, [(0, 60), (1, 90)]);
    assert!(plan.proven);
}

/// What leaves tomorrow with two days under way arrives in three; nothing is promised where either is not known.
#[test]
fn a_plan_promises_the_day_that_it_leaves_and_the_days_under_way() {
    let mut planner = planner(&[warehouse(0.0), warehouse(5.0)], &[&[9, 0], &[0, 9]]);
    let zone = |name: &str, max_m, days| Zone { name: name.into(), max_m, transit_days: days, ..Zone::default() };
    planner.costs.set_tariff(vec![zone("near", 1000, Some(2)), zone("far", 2000, None)]);
    let fields = json!({"lines": lines(&[(0, 1), (1, 1)])});
    let promised = |planner: &mut Planner| -> Vec<Option<i32>> {
        let planned = plan(planner, fields.clone()).unwrap();
        planned.shipments.iter().map(|shipment| shipment.promised).collect()
    };
    assert_eq!(promised(&mut planner), [None, None], "no instant, no day");
    planner.now_ms = Some(20_000 * 86_400_000);
    assert_eq!(promised(&mut planner), [Some(20_002), None]);
    planner.dispatches.set(0, Some(vec![(20_000 * 86_400_000 + 1, 20_001)]));
    assert_eq!(promised(&mut planner), [Some(20_003), None]);
    planner.now_ms = Some(20_000 * 86_400_000 + 1);
    assert_eq!(promised(&mut planner), [None, None], "the calendar ends there");
    let collected = plan(&mut planner, json!({"lines": lines(&[(1, 1)]), "pickup_at": "w1"})).unwrap();
    assert_eq!(collected.shipments[0].promised, Some(20_000));
}
