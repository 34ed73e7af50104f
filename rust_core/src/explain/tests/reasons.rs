//! The sentence that says why an order is shipped as it is, or not at all.

use super::*;

fn reason(planner: &mut Planner, fields: Value) -> String {
    explained(planner, fields).1["reason"].as_str().unwrap().to_owned()
}

/// Two near ones that have a line each, and a dear one that has both.
fn three() -> Planner {
    let dear = WarehouseTerms { fixed_cost: 900, unit_cost: 5, ..warehouse(3.0) };
    let cheap = |east| WarehouseTerms { fixed_cost: 100, ..warehouse(east) };
    planner(&[cheap(0.0), cheap(1.0), dear], &[&[4, 0, 9], &[0, 4, 9]])
}

fn planner_of_three_units() -> Planner {
    planner(&[0.0, 1.0, 2.0].map(warehouse), &[&[1, 1, 1]])
}

fn both(units: i64, policy: &str) -> Value {
    json!({"lines": lines(&[(0, units), (1, units)]), "policy": policy})
}

#[test]
fn several_shipments_are_held_against_the_best_single_one_in_money() {
    let mut planner = three();
    let said = reason(&mut planner, both(4, "cheapest"));
    assert_eq!(said, "one shipment from w2 would cost 9.40 CNY; these 2 cost 2.00 CNY");
    let (_, explanation) = explained(&mut planner, both(4, "cheapest"));
    let (single, chosen) = (&explanation["single"], &explanation["chosen"]);
    assert_eq!((&single["warehouses"], &single["score"]["total"]), (&json!(["w2"]), &json!(940)));
    assert_eq!((&chosen["warehouses"], &chosen["cost"]["total"]), (&json!(["w0", "w1"]), &json!(200)));
    assert!(reason(&mut planner, both(4, "nearest")).starts_with("the policy takes what its first warehouses have"));
}

#[test]
fn what_the_policy_weighs_besides_money_is_in_the_sentence() {
    let mut planner = three();
    planner.set_book(book(json!({"split_penalty": 300})));
    assert_eq!(
        reason(&mut planner, json!({"lines": lines(&[(0, 4), (1, 4)])})),
        "one shipment from w2 would cost 9.40 CNY; these 2 cost 2.00 CNY, 5.00 CNY with all that the policy weighs"
    );
    planner.set_book(book(json!({"split_penalty": 800})));
    let said = reason(&mut planner, json!({"lines": lines(&[(0, 4), (1, 4)])}));
    assert_eq!(said, "w2 has everything, and nothing that keeps lines whole is better with all that the policy weighs");
}

#[test]
fn the_fastest_are_told_with_their_days() {
    let mut planner = three();
    planner.now_ms = Some(NOW_MS);
    let zone = |max_m, days| Zone { max_m, transit_days: Some(days), ..Zone::default() };
    planner.costs.set_tariff(vec![zone(150_000, 1), zone(900_000, 4)]);
    assert_eq!(
        reason(&mut planner, both(4, "fastest")),
        "one shipment from w2 would arrive on 2024-10-08 and cost 9.40 CNY; these 2 arrive on 2024-10-05 and cost 2.00 CNY"
    );
}

#[test]
fn where_there_is_no_single_one_that_is_told() {
    let mut planner = three();
    assert_eq!(reason(&mut planner, both(10, "cheapest")), "no warehouse has everything");
    let mut even = planner_of_three_units();
    let three = reason(&mut even, json!({"lines": lines(&[(0, 3)])}));
    assert_eq!(three, "no warehouse has everything, and fewer than 3 shipments are not possible");
    let fewest = reason(
        &mut planner,
        json!({
            "lines": lines(&[(0, 4), (1, 4)]), "policy": "fewest_shipments", "warehouses": ["w0", "w1"],
        }),
    );
    assert_eq!(
        fewest,
        "no warehouse has everything, and fewer than 2 shipments are not possible with lines kept whole"
    );
}

#[test]
fn one_that_has_everything_is_told_by_what_made_it_the_first() {
    let mut planner = three();
    let single = |policy: &str| json!({"lines": lines(&[(0, 3)]), "policy": policy});
    for (policy, said) in [
        ("cheapest", "w0 has everything, and nothing that keeps lines whole costs less"),
        ("nearest", "w0 is the nearest that has everything"),
        ("priority", "w0 is the first by the policy's ranking that has everything"),
        ("fastest", "w0 has everything, and nothing that keeps lines whole is as fast and costs less"),
        ("fewest_shipments", "w0 has everything, and nothing of one shipment costs less"),
    ] {
        assert_eq!(reason(&mut planner, single(policy)), said);
    }
    let only = json!({"lines": lines(&[(0, 1)]), "pickup_at": "w2"});
    assert_eq!(reason(&mut planner, only), "w2 is the only warehouse that may serve it, and has everything");
}

#[test]
fn a_part_is_told_to_be_one() {
    let mut planner = three();
    let partial =
        |units: i64, max: Value| json!({"lines": lines(&[(0, units)]), "allow_partial": true, "max_shipments": max});
    let said = reason(&mut planner, partial(20, Value::Null));
    assert_eq!(
        said,
        "not everything is to be had, and the order accepts a part; of what it gets, no warehouse has everything"
    );
    let said = reason(&mut planner, partial(12, json!(1)));
    assert!(said.starts_with("more shipments than are allowed would be needed for all of it"), "{said}");
}

#[test]
fn a_refusal_is_told_with_what_is_lacking() {
    let mut planner = three();
    assert_eq!(
        reason(&mut planner, both(20, "cheapest")),
        "no plan: the warehouses that may serve it have too little of s0 (13 of 20), s1 (13 of 20)"
    );
    let narrow = json!({"lines": lines(&[(0, 12)]), "allow_split": false});
    assert_eq!(
        reason(&mut planner, narrow),
        "no plan: there is enough, but not from 1 warehouse, and it is not to be split (allow_split); \
         such a choice held too little of s0 (9 of 13 there)"
    );
    assert_eq!(
        reason(&mut planner, json!({"lines": lines(&[(0, 13), (1, 4)]), "max_shipments": 1})),
        "no plan: there is enough, but not from 1 warehouse, and its max_shipments allows no more; \
         such a choice held too little of s0 (9 of 13 there)"
    );
    planner.set_book(book(json!({"only": {"exclude": ["w2"]}})));
    assert_eq!(
        reason(&mut planner, json!({"lines": lines(&[(0, 5)])})),
        "no plan: there is enough, but policy p leaves it where it is; what it lets serve has too little of s0 (4 of 5)"
    );
    planner.set_book(Book::default());
    let capped = WarehouseTerms { capacity: Some(1), ..warehouse(0.0) };
    assert!(planner.put_warehouse(2, "w2", capped));
    planner.capacity.set_day(Some(1));
    planner.capacity.set(1, 2, 1, 0);
    assert_eq!(
        reason(&mut planner, both(5, "cheapest")),
        "no plan: warehouses that have the stock serve no more orders today; the others have too little of \
         s0 (4 of 5), s1 (4 of 5)"
    );
}

#[test]
fn where_no_carrier_goes_is_told_with_the_service_level() {
    let mut planner = planner_of_three_units();
    let only = Zone { countries: vec!["FR".into()], ..Zone::default() };
    assert!(planner.costs.set_carriers(vec![Carrier { zones: vec![only], ..Carrier::default() }]));
    let nobody = "from any warehouse that may serve it";
    for (level, at) in [(Value::Null, ""), (json!("express"), " at service level express")] {
        let fields = json!({"lines": lines(&[(0, 1)]), "service_level": level});
        let expected = format!("no plan: no carrier of the tariff goes there{at} {nobody}");
        assert_eq!(reason(&mut planner, fields), expected);
    }
    let near = Zone { max_m: 1000, ..Zone::default() };
    let only = Zone { countries: vec!["FR".into()], ..Zone::default() };
    assert!(planner.costs.set_carriers(vec![Carrier { zones: vec![near, only], ..Carrier::default() }]));
    assert_eq!(
        reason(&mut planner, json!({"lines": lines(&[(0, 3)])})),
        "no plan: no carrier of the tariff goes there from where the stock is; \
         those that one goes there from have too little of s0 (1 of 3)"
    );
}

#[test]
fn what_is_not_proven_has_a_bound_and_a_gap() {
    let places = [0.0, 1.0, 2.0].map(|east| WarehouseTerms { fixed_cost: 100, unit_cost: 10, ..warehouse(east) });
    let mut planner = planner(&places, &[&[4, 4, 4]]);
    // Freight of which half a unit's is charged: what rounding adds to each piece may yet be saved somewhere.
    planner.costs.set_tariff(vec![Zone { name: "z".into(), max_m: u32::MAX, per_kg: 1, ..Zone::default() }]);
    assert!(planner.catalogue.put_sku(0, "s0", SkuTerms { weight_g: 125, ..SkuTerms::default() }));
    let (plan, explanation) = explained(&mut planner, json!({"lines": lines(&[(0, 8)])}));
    assert!(!plan.unwrap().proven);
    // Two shipments at the least, eight units, and a kilogram's freight.
    assert_eq!((&explanation["bound"], &explanation["gap"]), (&json!(281), &json!(0.0036)));
    let (_, explanation) = explained(&mut planner, json!({"lines": lines(&[(0, 8)]), "policy": "fewest_shipments"}));
    assert_eq!((&explanation["bound_shipments"], explanation.get("bound")), (&json!(2), None));
    let (_, explanation) = explained(&mut planner, json!({"lines": lines(&[(0, 4)])}));
    assert_eq!(explanation.get("bound"), None);
}
