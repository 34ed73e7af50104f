//! Random networks, tariffs and policies: what is told agrees with the plan and adds up.

use proptest::prelude::*;

use super::*;

fn zone() -> impl Strategy<Value = Zone> {
    let steps = prop::collection::vec((1_i64..5000, 0_i64..400), 0..3);
    (0_i64..200, 0_i64..90, 0_i64..400, steps, prop::option::of(0_u8..4)).prop_map(
        |(base, per_kg, minimum, parts, transit_days)| {
            let (mut up_to_g, mut amount) = (0, 0);
            let steps = parts.into_iter().map(|(more_g, more)| {
                (up_to_g, amount) = (up_to_g + more_g, amount + more);
                Step { up_to_g, amount }
            });
            Zone { base, per_kg, minimum, steps: steps.collect(), transit_days, ..Zone::default() }
        },
    )
}

fn policy() -> impl Strategy<Value = Value> {
    let objectives =
        prop::sample::select(vec!["cheapest", "nearest", "fastest", "fewest_shipments", "balanced", "priority"]);
    let weights = (0_i64..3000, 0_i64..2000, 0_i64..90_000, 0_i64..90_000);
    (objectives, weights, 0_i64..200, 0_i64..60, 0_i64..90).prop_map(
        |(objective, (cost, per_km, per_day, per_shipment), split, late, load)| {
            json!({
                "objective": objective, "split_penalty": split, "lateness_cost_per_day": late, "load_cost": load,
                "deliver_within_days": 1,
                "weights": {"cost": cost, "per_km": per_km, "per_day": per_day, "per_shipment": per_shipment},
            })
        },
    )
}

fn sum(of: &Value) -> i64 {
    let parts = of.as_object().unwrap().iter().filter(|(name, _)| *name != "total");
    parts.map(|(_, part)| part.as_i64().unwrap()).sum()
}

fn whole(of: &Value) -> i64 {
    of["total"].as_i64().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// One row a warehouse, used as the plan uses it; parts make the whole; a plan of one shipment costs and scores what its
    /// row says; where the best is proven, nothing single scores less, and nothing is below the bound.
    #[test]
    fn what_is_told_agrees_with_the_plan(
        stock in prop::collection::vec(0_i64..8, 8), costs in prop::collection::vec(0_i64..90, 8),
        units in 1_i64..8, pickup in prop::option::weighted(0.1, 0_usize..4), policy in policy(),
        zones in prop::collection::vec(zone(), 0..3), capacity in prop::option::of(1_i64..5), partial in any::<bool>(),
    ) {
        let place = |at: usize| WarehouseTerms {
            fixed_cost: 10 * costs[at],
            unit_cost: costs[4 + at],
            cost_per_km: 0.5,
            capacity,
            ..warehouse(at as f64)
        };
        let mut planner = planner(&[place(0), place(1), place(2), place(3)], &[&stock[..4], &stock[4..]]);
        planner.now_ms = Some(NOW_MS);
        planner.capacity.set_day(Some(20_000));
        planner.capacity.set(20_000, 1, 1, 0);
        let far = zones.len();
        let carriers = zones.into_iter().map(|zone| Carrier { zones: vec![zone], ..Carrier::default() }).collect();
        prop_assert!(planner.costs.set_carriers(carriers));
        planner.set_book(book(policy.clone()));
        let at = pickup.map(|at| format!("w{at}"));
        let fields = json!({"lines": lines(&[(0, units), (1, 1)]), "pickup_at": at, "allow_partial": partial});
        let (plan, explanation) = explained(&mut planner, fields);
        let rows = explanation["warehouses"].as_array().unwrap();
        prop_assert_eq!(rows.len(), 4);
        for (number, row) in (0_u32..).zip(rows) {
            prop_assert_eq!(&row["warehouse"], &format!("w{number}"));
            let shipments = plan.iter().flat_map(|plan| &plan.shipments);
            let used: Vec<_> = shipments.filter(|shipment| shipment.warehouse == number).collect();
            prop_assert_eq!(&row["used"], &json!(!used.is_empty()));
            let full = capacity == Some(1) && number == 1;
            let elsewhere = at.as_ref().is_some_and(|at| row["warehouse"] != *at);
            prop_assert_eq!(row.get("excluded").is_some(), full || elsewhere);
            let Some(cost) = row.get("cost") else { continue };
            let part = |name: &str| cost[name].as_i64().unwrap();
            prop_assert_eq!(part("handling") + part("picking") + part("freight") + part("way"), whole(cost));
            prop_assert_eq!(part("per_shipment") + part("lines"), whole(cost));
            prop_assert!(part("freight") >= 0 && part("way") >= 0 && (far > 0 || part("freight") == 0));
            prop_assert_eq!(sum(&row["score"]), whole(&row["score"]));
            if let (Some(plan), [shipment]) = (&plan, &used[..]) && plan.shipments.len() == 1 {
                prop_assert!(row.get("short").is_none());
                prop_assert_eq!(shipment.cost, whole(cost));
                prop_assert_eq!(shipment.promised.map(date), row.get("promised_on").map(|day| day.as_str().unwrap().into()));
                prop_assert_eq!(&explanation["chosen"]["score"], &row["score"]);
            }
            if plan.is_none() || plan.as_ref().is_some_and(|plan| plan.unfilled.is_empty()) {
                let enough = stock[number as usize] >= units && stock[4 + number as usize] >= 1;
                prop_assert_eq!(row.get("short").is_none(), enough);
            }
        }
        let Some(plan) = plan else { return Ok(()) };
        let due = i64::try_from(NOW_MS / 86_400_000).unwrap() + 1;
        let chosen = &explanation["chosen"];
        prop_assert_eq!(whole(&chosen["cost"]), plan.cost());
        prop_assert_eq!(sum(&chosen["score"]), whole(&chosen["score"]));
        prop_assert_eq!(chosen["warehouses"].as_array().unwrap().len(), plan.shipments.len());
        let told = chosen["shipments"].as_array().unwrap();
        prop_assert_eq!(told.len(), plan.shipments.len());
        for (told, shipment) in told.iter().zip(&plan.shipments) {
            prop_assert_eq!(whole(&told["cost"]), shipment.cost);
            prop_assert_eq!(sum(&told["score"]), whole(&told["score"]));
            let carried = shipment.carrier.as_deref().map(|carrier| json!(carrier));
            prop_assert_eq!(told.get("carrier"), carried.as_ref());
            prop_assert_eq!(told.get("billed_g").is_some(), far > 0 && at.is_none());
            let late = shipment.promised.map(|day| json!((i64::from(day) - due).max(0)));
            prop_assert_eq!(told.get("days_late"), late.as_ref());
        }
        for part in ["handling", "picking", "freight", "way", "total"] {
            let of_each = told.iter().map(|one| one["cost"][part].as_i64().unwrap()).sum::<i64>();
            prop_assert_eq!(of_each, chosen["cost"][part].as_i64().unwrap());
        }
        let of_each = told.iter().map(|one| whole(&one["score"])).sum::<i64>();
        prop_assert_eq!(of_each + chosen["score"]["split"].as_i64().unwrap_or(0), whole(&chosen["score"]));
        prop_assert!(!plan.proven || explanation["proven"] == true);
        let scored = ["cheapest", "balanced"].contains(&policy["objective"].as_str().unwrap());
        if let (true, Some(single)) = (explanation["proven"] == true && scored, explanation.get("single")) {
            prop_assert!(whole(&chosen["score"]) <= whole(&single["score"]));
        }
        if let Some(bound) = explanation.get("bound") {
            prop_assert!(!plan.proven && bound.as_i64().unwrap() <= whole(&chosen["score"]));
        }
    }

    /// Whatever the filters are: the one that is named is why the warehouse is no candidate, and else none is.
    #[test]
    fn the_named_filter_agrees_with_who_may_serve(
        kinds in prop::collection::vec(0_usize..4, 0..2), exclude in any::<bool>(), capable in any::<bool>(),
        pinned in prop::option::of(0_usize..3), within in prop::option::of(1_u64..4), counted in prop::collection::vec(0_u64..5, 3),
    ) {
        let names = ["dc", "store", "supplier", "third_party"];
        let mut planner = planner(&[0.0, 1.0, 2.0].map(warehouse), &[&[1, 1, 1]]);
        planner.now_ms = Some(NOW_MS);
        for (number, ago) in (0_u32..).zip(counted) {
            let has: Vec<String> = if number == 1 { vec!["cold".into()] } else { Vec::new() };
            planner.policies.traits_mut().put_warehouse(number, Kind::named(names[number as usize]).unwrap(), &has);
            planner.policies.counted(number, NOW_MS - ago * 1000);
        }
        let kinds: Vec<&str> = kinds.into_iter().map(|kind| names[kind]).collect();
        planner.set_book(book(json!({
            "objective": if pinned.is_some() { "pinned" } else { "cheapest" },
            "warehouses": pinned.map(|at| vec![format!("w{at}")]).unwrap_or_default(),
            "only": {
                "kinds": kinds, "exclude": if exclude { vec!["w0"] } else { vec![] },
                "capabilities": if capable { vec!["cold"] } else { vec![] }, "counted_within_s": within,
            },
        })));
        let policies = &planner.policies;
        let policy = policies.book().policies().next().unwrap();
        let serves = policies.serves(policy, &planner.catalogue, planner.now_ms);
        for number in 0..3 {
            let may = serves.as_ref().is_none_or(|serves| serves[number as usize]);
            let filter = policies.kept_out_by(policy, &planner.catalogue, number, planner.now_ms);
            prop_assert_eq!(filter.is_none(), may);
        }
    }
}
