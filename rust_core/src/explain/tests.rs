//! What keeps a warehouse out, what it is short of, and by which policy, one by one.

mod parts;
mod random;
mod reasons;
mod shipments;

use serde_json::{Value, json};

use super::*;
use crate::catalogue::{SkuTerms, WarehouseTerms};
use crate::cost::{By, Carrier, Matrix, Of, Step, Zone};
use crate::fixture::{lines, order, planner, warehouse};
use crate::ids::pool_id;
use crate::policy::{Book, Kind};

const NOW_MS: u64 = 20_000 * 86_400_000;

/// A book of one policy, called p.
fn book(policy: Value) -> Book {
    let mut policy = policy;
    policy["name"] = json!("p");
    let message = json!({"version": "7", "default": "p", "policies": [policy], "rules": []});
    Book::decode(&rmp_serde::to_vec_named(&message).unwrap()).unwrap()
}

fn explained(planner: &mut Planner, fields: Value) -> (Option<Plan>, Value) {
    let bytes = order(fields);
    let order = Order::decode(&bytes).unwrap();
    let demand = planner.resolve(&order).unwrap();
    let planned = planner.plan(&demand);
    let explanation = planner.explain(&order, &demand, planned.as_ref());
    (planned.ok(), explanation)
}

fn row(explanation: &Value, index: usize) -> &Value {
    &explanation["warehouses"][index]
}

/// The rule and the text that keep a warehouse out.
fn excluded(explanation: &Value, index: usize) -> (&str, &str) {
    let row = row(explanation, index);
    (row["rule"].as_str().unwrap_or(""), row["excluded"].as_str().unwrap_or(""))
}

#[test]
fn what_keeps_a_warehouse_out_is_told() {
    let off = WarehouseTerms { enabled: false, ..warehouse(1.0) };
    let mut planner = planner(&[warehouse(0.0), off, warehouse(2.0), warehouse(3.0)], &[&[9, 9, 9, 1]]);
    let fields = json!({"lines": lines(&[(0, 4)]), "warehouses": ["w0", "w1", "w3"]});
    let (_, explanation) = explained(&mut planner, fields);
    let of = |index: usize| row(&explanation, index);
    assert_eq!((&of(0)["warehouse"], &of(0)["used"]), (&json!("w0"), &json!(true)));
    assert_eq!(excluded(&explanation, 1), ("disabled", "the warehouse is disabled"));
    assert_eq!(excluded(&explanation, 2), ("order", "the order does not allow it"));
    assert_eq!(of(3)["short"], json!([{"sku": "s0", "requested": 4, "available": 1}]));
    assert_eq!((&explanation["policy"], &explanation["proven"]), (&json!("cheapest"), &json!(true)));
    let (_, collected) = explained(&mut planner, json!({"lines": lines(&[(0, 1)]), "pickup_at": "w3"}));
    assert_eq!(excluded(&collected, 0), ("order", "the order is collected at w3"));
}

#[test]
fn the_filter_that_keeps_a_warehouse_out_is_named() {
    let mut planner = planner(&[0.0, 1.0].map(warehouse), &[&[9, 9]]);
    planner.now_ms = Some(NOW_MS);
    let cold = ["cold".to_owned()];
    planner.policies.traits_mut().put_warehouse(0, Kind::Dc, &cold);
    planner.policies.traits_mut().put_warehouse(1, Kind::ThirdParty, &[]);
    planner.policies.counted(0, NOW_MS - 1000);
    planner.policies.counted(1, NOW_MS - 61_000);
    for (policy, rule, why) in [
        (json!({"only": {"kinds": ["dc", "store"]}}), "kinds", "it is a third_party, not one of dc, store"),
        (json!({"only": {"exclude": ["w1"]}}), "exclude", "it is on its list of excluded ones"),
        (json!({"only": {"capabilities": ["cold"]}}), "capabilities", "it has no cold"),
        (json!({"only": {"counted_within_s": 60}}), "counted_within_s", "its stock was not counted in the last 60 s"),
        (json!({"objective": "pinned", "warehouses": ["w0"]}), "pinned", "it is not on its list"),
    ] {
        planner.set_book(book(policy));
        let (_, explanation) = explained(&mut planner, json!({"lines": lines(&[(0, 4)])}));
        assert!(row(&explanation, 0).get("excluded").is_none(), "{rule}");
        assert_eq!(excluded(&explanation, 1), (rule, &*format!("policy p keeps it out: {why}")));
    }
}

#[test]
fn a_warehouse_at_capacity_is_told() {
    let capped = WarehouseTerms { capacity: Some(1), ..warehouse(0.0) };
    let mut planner = planner(&[capped, warehouse(1.0)], &[&[9, 2]]);
    planner.capacity.set_day(Some(1));
    planner.capacity.set(1, 0, 1, 0);
    let (plan, explanation) = explained(&mut planner, json!({"lines": lines(&[(0, 2)])}));
    assert_eq!(plan.unwrap().shipments[0].warehouse, 1);
    assert_eq!(excluded(&explanation, 0), ("at_capacity", "the warehouse is at capacity for today"));
}

#[test]
fn a_place_that_no_carrier_serves_is_told() {
    let mut planner = planner(&[warehouse(0.0), warehouse(5.0)], &[&[9, 9]]);
    let near = Zone { max_m: 1000, countries: vec!["FR".into()], ..Zone::default() };
    assert!(planner.costs.set_carriers(vec![Carrier { zones: vec![near], ..Carrier::default() }]));
    let to = json!({"lat": 0.0, "lon": 0.0, "country": "FR"});
    let (_, explanation) = explained(&mut planner, json!({"lines": lines(&[(0, 1)]), "ship_to": to}));
    assert!(row(&explanation, 0).get("excluded").is_none());
    assert_eq!(excluded(&explanation, 1), ("carrier", "no carrier of the tariff goes there from it"));
}

#[test]
fn what_a_rule_leaves_where_it_is_short_is_told() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[9, 5]]);
    assert!(planner.catalogue.put_channel(1, "app"));
    planner.view.set(pool_id(1, 0, 1), 2, 1);
    let mut short = |policy: Value, units: i64| {
        planner.set_book(book(policy));
        let fields = json!({"lines": lines(&[(0, units)]), "channel": "app"});
        explained(&mut planner, fields).1["warehouses"][1]["short"][0].clone()
    };
    let of = |requested: i64, available: i64| json!({"sku": "s0", "requested": requested, "available": available});
    let with = |row: Value, name: &str, units: i64| {
        let mut row = row;
        row[name] = json!(units);
        row
    };
    assert_eq!(short(json!({}), 8), of(8, 7));
    assert_eq!(short(json!({"keep_back": {"app": 3}}), 6), with(of(6, 4), "kept_back", 3));
    assert_eq!(short(json!({"only": {"pools": "only"}}), 3), with(of(3, 2), "left_to_others", 5));
    assert_eq!(short(json!({"only": {"pools": "never"}}), 6), with(of(6, 5), "left_in_pool", 2));
}

#[test]
fn a_capability_that_a_sku_needs_is_named() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[9, 9]]);
    planner.policies.traits_mut().put_sku(0, None, &["hazardous".into(), "cold".into()]);
    planner.policies.traits_mut().put_warehouse(0, Kind::Dc, &["cold".into(), "hazardous".into()]);
    planner.policies.traits_mut().put_warehouse(1, Kind::Dc, &["cold".into()]);
    let (_, explanation) = explained(&mut planner, json!({"lines": lines(&[(0, 2)])}));
    let short = json!([{"sku": "s0", "requested": 2, "available": 0, "lacks": ["hazardous"]}]);
    assert_eq!((row(&explanation, 0).get("short"), &row(&explanation, 1)["short"]), (None, &short));
}

#[test]
fn components_and_substitutes_are_what_is_explained() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[5, 5], &[0, 0], &[5, 1]]);
    assert!(planner.catalogue.put_sku(3, "kit", SkuTerms::default()));
    planner.catalogue.assortment.put(3, vec![("s0".into(), 2)], vec![]);
    planner.catalogue.assortment.put(1, vec![], vec!["s2".into()]);
    let wanted = json!([{"sku": "kit", "quantity": 1}, {"sku": "s1", "quantity": 2}]);
    for units in [2, 20] {
        // Planned, and refused for want of the rest.
        let mut wanted = wanted.clone();
        wanted[0]["quantity"] = json!(units / 2);
        let (plan, explanation) = explained(&mut planner, json!({"lines": wanted, "allow_substitutes": true}));
        assert_eq!(plan.is_some(), units == 2);
        let replaced = json!([{"sku": "s1", "quantity": 2}]);
        let parts = json!([
            {"sku": "s0", "quantity": units, "part_of": ["kit"]},
            {"sku": "s2", "quantity": 2, "instead_of": replaced},
        ]);
        assert_eq!(explanation["planned"], parts);
        assert_eq!(row(&explanation, 0).get("short").is_none(), units == 2);
        let short = json!({"sku": "s2", "requested": 2, "available": 1, "instead_of": replaced});
        assert_eq!(row(&explanation, 1)["short"].as_array().unwrap().last(), Some(&short));
    }
}

#[test]
fn who_chose_the_policy_is_told() {
    let rule = |trial: Value| json!({"name": "market", "use": "b", "when": {"channels": ["app"]}, "trial": trial});
    let book = |trial: Value| {
        let policies = json!([{"name": "a"}, {"name": "b", "objective": "nearest"}]);
        let message = json!({"version": "7", "default": "a", "policies": policies, "rules": [rule(trial)]});
        Book::decode(&rmp_serde::to_vec_named(&message).unwrap()).unwrap()
    };
    let mut planner = planner(&[warehouse(0.0)], &[&[5]]);
    let chosen = |planner: &mut Planner, more: Value| {
        let mut fields = json!({"lines": lines(&[(0, 1)])});
        if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
            fields.extend(more);
        }
        let found = explained(planner, fields).1;
        assert_eq!(found["policy_version"], "7");
        (found["policy"].clone(), found["chosen_by"].clone(), found["trial"].clone())
    };
    planner.set_book(book(Value::Null));
    let by = |by: &str| json!({"by": by});
    assert_eq!(chosen(&mut planner, json!({})), (json!("a"), by("default"), Value::Null));
    assert_eq!(chosen(&mut planner, json!({"policy": "b"})), (json!("b"), by("order"), Value::Null));
    let by_rule = json!({"by": "rule", "rule": "market"});
    assert_eq!(chosen(&mut planner, json!({"channel": "app"})), (json!("b"), by_rule.clone(), Value::Null));
    planner.set_book(book(json!({"name": "t", "use": "a", "share": 10_000})));
    let trial = json!({"name": "t", "arm": "trial"});
    assert_eq!(chosen(&mut planner, json!({"channel": "app"})), (json!("a"), by_rule, trial));
}
