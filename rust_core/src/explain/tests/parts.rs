//! What a warehouse's shipment is made of: parts of its cost, carrier and day, and what the policy adds.

use super::*;

#[test]
fn zones_and_carriers_are_named() {
    let mut planner = planner(&[warehouse(0.0), warehouse(5.0)], &[&[9, 9]]);
    let zone = |name: &str, max_m| Zone { name: name.into(), max_m, transit_days: Some(2), ..Zone::default() };
    let carrier =
        Carrier { name: Some("Fast".into()), zones: vec![zone("near", 1000), zone("far", 2000)], ..Carrier::default() };
    assert!(planner.costs.set_carriers(vec![carrier]));
    planner.now_ms = Some(NOW_MS);
    let (_, explanation) = explained(&mut planner, json!({"lines": lines(&[(0, 1)])}));
    for (index, zone) in [(0, "near"), (1, "far")] {
        let row = row(&explanation, index);
        assert_eq!(
            (&row["zone"], &row["carrier"], &row["promised_on"]),
            (&json!(zone), &json!("Fast"), &json!("2024-10-06"))
        );
    }
}

#[test]
fn a_shipment_is_handling_picking_freight_and_way() {
    let place = WarehouseTerms { fixed_cost: 100, unit_cost: 7, cost_per_km: 2.0, ..warehouse(1.0) };
    let mut planner = planner(&[place], &[&[9]]);
    let parts = |planner: &mut Planner, more: Value| {
        let mut fields = json!({"lines": lines(&[(0, 3)])});
        if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
            fields.extend(more);
        }
        let cost = explained(planner, fields).1["warehouses"][0]["cost"].clone();
        ["handling", "picking", "freight", "way", "per_shipment", "lines", "total"]
            .map(|part| cost[part].as_i64().unwrap())
    };
    // 111.195 km; a unit weighs a kilogram.
    assert_eq!(parts(&mut planner, json!({})), [100, 21, 0, 222, 322, 21, 343]);
    assert_eq!(parts(&mut planner, json!({"pickup_at": "w0"})), [100, 21, 0, 0, 100, 21, 121]);
    let linear = Zone { base: 50, per_kg: 10, ..Zone::default() };
    planner.costs.set_tariff(vec![linear.clone()]);
    assert_eq!(parts(&mut planner, json!({})), [100, 21, 80, 222, 372, 51, 423]);
    planner.costs.set_tariff(vec![Zone { steps: vec![Step { up_to_g: 5000, amount: 400 }], ..linear }]);
    assert_eq!(parts(&mut planner, json!({})), [100, 21, 450, 222, 772, 21, 793]);
    let own = Matrix::new(By::Country, &["FR"], &[0], vec![33]).unwrap();
    planner.costs.set_matrix(Of::Cost, Some(own));
    let to = json!({"ship_to": {"lat": 0.0, "lon": 0.0, "country": "FR"}});
    assert_eq!(parts(&mut planner, to), [100, 21, 33, 0, 133, 21, 154]);
}

#[test]
fn own_costs_and_distances_are_told_to_be_own_where_they_hold() {
    let mut planner = planner(&[warehouse(0.0), warehouse(5.0)], &[&[9, 9]]);
    planner.costs.set_tariff(vec![Zone::default()]);
    let own = |values| Some(Matrix::new(By::Country, &["FR"], &[0, 1], values).unwrap());
    let told = |planner: &mut Planner, more: Value| {
        let mut fields = json!({"lines": lines(&[(0, 1)]), "ship_to": {"lat": 0.0, "lon": 0.0, "country": "FR"}});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let explanation = explained(planner, fields).1;
        let of = |of: &Value| [of.get("own_cost").is_some(), of.get("own_distance").is_some()];
        [of(row(&explanation, 0)), of(row(&explanation, 1)), of(&explanation["chosen"]["shipments"][0])]
    };
    assert_eq!(told(&mut planner, json!({})), [[false, false]; 3]);
    planner.costs.set_matrix(Of::Cost, own(vec![33, 44]));
    planner.costs.set_matrix(Of::Distance, own(vec![70, -1]));
    assert_eq!(told(&mut planner, json!({})), [[true, true], [true, false], [true, true]]);
    let elsewhere = json!({"ship_to": {"lat": 0.0, "lon": 0.0, "country": "DE"}});
    assert_eq!(told(&mut planner, elsewhere), [[false, false]; 3]);
    assert_eq!(told(&mut planner, json!({"pickup_at": "w0"}))[2], [false, false], "nothing travels");
}

#[test]
fn what_the_policy_adds_is_told_part_by_part() {
    let place = WarehouseTerms { fixed_cost: 100, capacity: Some(4), ..warehouse(1.0) };
    let mut planner = planner(&[place], &[&[9]]);
    planner.now_ms = Some(NOW_MS);
    planner.capacity.set_day(Some(20_000));
    planner.capacity.set(20_000, 0, 1, 0);
    planner.costs.set_tariff(vec![Zone { transit_days: Some(5), ..Zone::default() }]);
    let score = |planner: &mut Planner, policy: Value| {
        planner.set_book(book(policy));
        let explanation = explained(planner, json!({"lines": lines(&[(0, 1)])})).1;
        (explanation["warehouses"][0]["score"].clone(), explanation["score_scale"].clone())
    };
    let late = json!({"lateness_cost_per_day": 30, "deliver_within_days": 3, "load_cost": 80, "split_penalty": 9});
    let parts = json!({"cost": 100, "lateness": 60, "load": 20, "total": 180});
    assert_eq!(score(&mut planner, late), (parts, json!(1)));
    let weights = json!({"cost": 2000, "per_km": 1000, "per_day": 10, "per_shipment": 7, "load": 40});
    let parts = json!({
        "cost": 200_000, "distance": 111_195, "days": 50, "shipment": 7, "load": 10, "total": 200_000 + 111_195 + 67,
    });
    assert_eq!(score(&mut planner, json!({"objective": "balanced", "weights": weights})), (parts, json!(1000)));
}
