//! What is told of each shipment of a split order, of days, and of prices.

use super::*;
use crate::prices::Prices;

/// Two that have a line each, by a carrier that rounds weights up, and one far away that has both.
fn split() -> Planner {
    let place = |east: f64, fixed_cost| WarehouseTerms { fixed_cost, unit_cost: 7, ..warehouse(east) };
    let mut planner = planner(&[place(0.0, 100), place(1.0, 200), place(9.0, 9000)], &[&[9, 0, 9], &[0, 9, 9]]);
    let zone = |name: &str, max_m, days| {
        let steps = vec![Step { up_to_g: 2000, amount: 300 }];
        Zone { name: name.into(), max_m, base: 50, per_kg: 10, steps, transit_days: Some(days), ..Zone::default() }
    };
    let carrier = Carrier {
        name: Some("post".into()),
        zones: vec![zone("near", 50_000, 1), zone("far", 2_000_000, 3)],
        weight_step_g: 500,
        ..Carrier::default()
    };
    assert!(planner.costs.set_carriers(vec![carrier]));
    assert!(planner.catalogue.put_sku(0, "s0", SkuTerms { weight_g: 600, ..SkuTerms::default() }));
    planner.now_ms = Some(NOW_MS);
    planner
}

fn both(more: Value) -> Value {
    let mut fields = json!({"lines": lines(&[(0, 2), (1, 3)])});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fields
}

/// Handling, units, freight by the weight that is billed; and the sum.
#[test]
fn each_shipment_is_told_part_by_part_and_they_add_up() {
    let mut planner = split();
    let (_, explanation) = explained(&mut planner, both(json!({})));
    let chosen = &explanation["chosen"];
    let told = |index: usize, names: [&str; 5]| names.map(|name| chosen["shipments"][index][name].clone());
    let names = ["warehouse", "carrier", "zone", "billed_g", "promised_on"];
    assert_eq!(told(0, names), [json!("w0"), json!("post"), json!("near"), json!(1500), json!("2024-10-05")]);
    assert_eq!(told(1, names), [json!("w1"), json!("post"), json!("far"), json!(3000), json!("2024-10-07")]);
    let parts = |of: &Value| ["handling", "picking", "freight", "way", "total"].map(|name| of[name].as_i64().unwrap());
    assert_eq!(parts(&chosen["shipments"][0]["cost"]), [100, 14, 350, 0, 464]);
    assert_eq!(parts(&chosen["shipments"][1]["cost"]), [200, 21, 360, 0, 581]);
    assert_eq!(parts(&chosen["cost"]), [300, 35, 710, 0, 1045]);
    assert_eq!(chosen["shipments"][1]["lines"], json!([{"sku": "s1", "quantity": 3}]));
    // What is not charged by the tariff has no weight.
    let collected = explained(&mut planner, json!({"lines": lines(&[(0, 1)]), "pickup_at": "w2"})).1;
    assert_eq!(collected["chosen"]["shipments"][0].get("billed_g"), None);
}

#[test]
fn lateness_is_told_where_a_day_is_asked_for_whatever_the_policy_makes_of_it() {
    let mut planner = split();
    let none = explained(&mut planner, both(json!({}))).1;
    assert_eq!((none.get("due_on"), none["chosen"].get("days_late")), (None, None));
    let due = both(json!({"deliver_by": "2024-10-05"}));
    for (policy, charged, said) in [
        (json!({}), 0, "for which the policy charges nothing"),
        (json!({"lateness_cost_per_day": 40}), 80, "for which the policy charges 0.80 CNY that nobody pays"),
        (json!({"objective": "balanced", "weights": {"cost": 1000}}), 0, "for which the policy charges nothing"),
    ] {
        planner.set_book(book(policy));
        let told = explained(&mut planner, due.clone()).1;
        let chosen = &told["chosen"];
        assert_eq!((&told["due_on"], &chosen["days_late"]), (&json!("2024-10-05"), &json!(2)));
        let late = |index: usize| chosen["shipments"][index]["days_late"].as_i64().unwrap();
        assert_eq!((late(0), late(1), &chosen["lateness_cost"]), (0, 2, &json!(charged)));
        assert_eq!(told["warehouses"][1]["days_late"], 2);
        let reason = told["reason"].as_str().unwrap();
        let expected = format!("; it arrives on 2024-10-07, 2 days after it is due on 2024-10-05, {said}");
        assert!(reason.ends_with(&expected), "{reason}");
    }
    let early = explained(&mut planner, both(json!({"deliver_by": "2024-10-09"}))).1;
    assert_eq!(early["chosen"]["days_late"], 0);
    assert!(!early["reason"].as_str().unwrap().contains("due"));
    planner.now_ms = None;
    let unknown = explained(&mut planner, due).1;
    assert_eq!((&unknown["due_on"], unknown["chosen"].get("days_late")), (&json!("2024-10-05"), None));
}

/// Chosen by cost and price, it is not the cheapest in money, and is not said to be.
#[test]
fn what_is_chosen_by_price_is_not_said_to_cost_least() {
    let at = |fixed_cost| WarehouseTerms { fixed_cost, ..warehouse(0.0) };
    let mut planner = planner(&[at(100), at(130)], &[&[9, 9], &[9, 9]]);
    let single = |policy: &str| json!({"lines": lines(&[(0, 2)]), "policy": policy});
    assert_eq!(explained(&mut planner, single("cheapest")).1["weighs"], json!(["cost"]));
    planner.prices = Prices::new(&[(0, 0, 20)], &[]).unwrap();
    for (policy, said) in [
        ("cheapest", "w1 has everything, and nothing that keeps lines whole is better with the price of the stock"),
        (
            "fastest",
            "w1 has everything, and nothing that keeps lines whole is as fast and is better with the price of the stock",
        ),
        ("fewest_shipments", "w1 has everything, and nothing of one shipment is better with the price of the stock"),
    ] {
        let told = explained(&mut planner, single(policy)).1;
        assert_eq!((told["reason"].as_str().unwrap(), &told["weighs"]), (said, &json!(["cost", "prices"])));
    }
    let told = explained(&mut planner, single("cheapest")).1;
    assert_eq!(told["warehouses"][0]["score"], json!({"cost": 100, "price": 40, "total": 140}));
    // Of a SKU that has no price, as ever.
    let other = explained(&mut planner, json!({"lines": lines(&[(1, 2)])})).1;
    assert_eq!(other["reason"], "w0 has everything, and nothing that keeps lines whole costs less");
    planner.set_book(book(json!({"split_penalty": 5})));
    let told = explained(&mut planner, json!({"lines": lines(&[(0, 2)])})).1;
    let both = "is better with the price of the stock and all that the policy weighs";
    assert!(told["reason"].as_str().unwrap().ends_with(both));
    assert_eq!(told["weighs"], json!(["cost", "penalties", "prices"]));
}

/// Split though another has everything: the price is beside the money.
#[test]
fn a_split_by_price_is_told_in_money_and_with_the_price() {
    let at = |fixed_cost| WarehouseTerms { fixed_cost, ..warehouse(0.0) };
    let mut planner = planner(&[at(100), at(100), at(150)], &[&[9, 0, 9], &[0, 9, 9]]);
    planner.prices = Prices::new(&[], &[(2, 75)]).unwrap();
    let told = explained(&mut planner, both(json!({}))).1;
    assert_eq!(
        told["reason"],
        "one shipment from w2 would cost 1.50 CNY, 2.25 CNY with the price of the stock; these 2 cost 2.00 CNY"
    );
}

/// Weighted alike, a balanced plan is the least of what there is, and that is said; also of carriers that charge by steps.
#[test]
fn a_balanced_plan_that_nothing_undercuts_is_called_proven() {
    let mut planner = split();
    planner.set_book(book(json!({
        "objective": "balanced",
        "weights": {"cost": 1000, "per_km": 20, "per_day": 50_000, "per_shipment": 10_000},
    })));
    let (plan, told) = explained(&mut planner, both(json!({})));
    assert_eq!((plan.unwrap().proven, &told["proven"], told.get("gap")), (true, &json!(true), None));
    assert_eq!(told["proven_among"], "plans that split no line which one warehouse holds whole");
    let told = explained(&mut planner, both(json!({"allow_substitutes": true}))).1;
    assert_eq!(
        told["proven_among"],
        "plans that split no line which one warehouse holds whole, and take substitutes only for what the network lacks"
    );
}
