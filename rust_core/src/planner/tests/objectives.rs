//! What policies want, where carriers charge by the weight of whole shipments.

use serde_json::json;

use super::super::*;
use crate::catalogue::{SkuTerms, WarehouseTerms};
use crate::cost::{Carrier, Step, Zone};
use crate::fixture::{demand, lines, order, planner, warehouse};
use crate::order::Order;
use crate::policy::Book;

fn carried(name: &str, zone: Zone) -> Carrier {
    Carrier { name: Some(name.into()), zones: vec![zone], ..Carrier::default() }
}

fn weigh(planner: &mut Planner, grams: &[i64]) {
    for (sku, &weight_g) in (0..).zip(grams) {
        let terms = SkuTerms { weight_g, ..SkuTerms::default() };
        assert!(planner.catalogue.put_sku(sku, &format!("s{sku}"), terms));
    }
}

fn one_of_each(planner: &mut Planner, policy: &str, skus: u32) -> Plan {
    let wanted: Vec<(u32, i64)> = (0..skus).map(|sku| (sku, 1)).collect();
    let demand = demand(planner, json!({"lines": lines(&wanted), "policy": policy}));
    planner.plan(&demand).unwrap()
}

/// Two parcels below the step would cost a ten-thousandth of the one above it.
#[test]
fn no_step_of_a_tariff_makes_two_shipments_out_of_one() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[5, 5], &[5, 5]]);
    weigh(&mut planner, &[600, 600]);
    let steps = vec![Step { up_to_g: 1000, amount: 10 }, Step { up_to_g: 5000, amount: 1_000_000 }];
    assert!(planner.costs.set_carriers(vec![carried("post", Zone { steps, ..Zone::default() })]));
    let plan = one_of_each(&mut planner, "fewest_shipments", 2);
    assert_eq!((plan.shipments.len(), plan.cost(), plan.proven), (1, 1_000_000, true));
    assert_eq!(one_of_each(&mut planner, "cheapest", 2).cost(), 20);
}

/// Both sites cost more than a score can be: neither is known to be the better one.
#[test]
fn what_is_beyond_the_bound_of_scores_is_not_proven() {
    let of = |fixed_cost| WarehouseTerms { fixed_cost, ..warehouse(0.0) };
    let policy = json!({"name": "p", "objective": "balanced", "weights": {"cost": 1_000_000}});
    let book = json!({"version": "1", "default": "p", "policies": [policy], "rules": []});
    let book = rmp_serde::to_vec_named(&book).unwrap();
    for (costs, stock, proven) in [
        ([900_000_000, 200_000_000], [[1, 5], [1, 5]], false),
        ([900_000_000, 20_000_000], [[1, 5], [1, 5]], true),
        // Both are needed for a line that is cut.
        ([900_000_000, 200_000_000], [[2, 5], [0, 0]], false),
    ] {
        let mut planner = planner(&costs.map(of), &[&stock[0], &stock[1]]);
        planner.set_book(Book::decode(&book).unwrap());
        let wanted: &[(u32, i64)] = if stock[1] == [0, 0] { &[(0, 6)] } else { &[(0, 1), (1, 1)] };
        let demand = demand(&planner, json!({"lines": lines(wanted)}));
        assert_eq!(planner.plan(&demand).unwrap().proven, proven, "{costs:?} {stock:?}");
    }
}

/// The far line cannot come before the third day, so the near one need not pay for the first.
#[test]
fn the_fastest_plan_pays_for_no_day_that_it_does_not_gain() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[5, 0], &[0, 5]]);
    planner.now_ms = Some(0);
    let slow = carried("eco", Zone { base: 10, transit_days: Some(3), ..Zone::default() });
    let unsaid = carried("tramp", Zone { base: 1, ..Zone::default() });
    let near = Zone { base: 500, transit_days: Some(1), max_m: 50_000, ..Zone::default() };
    let abroad = Zone { countries: vec!["XX".into()], ..Zone::default() };
    let express = Carrier { zones: vec![near, abroad], ..carried("express", Zone::default()) };
    assert!(planner.costs.set_carriers(vec![slow, express, unsaid]));
    let shipped = |planner: &mut Planner, skus| {
        let plan = one_of_each(planner, "fastest", skus);
        assert!(plan.proven);
        let carriers =
            plan.shipments.iter().map(|one| (one.carrier.clone().unwrap().to_string(), one.cost, one.promised));
        carriers.collect::<Vec<_>>()
    };
    let eco = || ("eco".to_owned(), 10, Some(3));
    assert_eq!(shipped(&mut planner, 2), [eco(), eco()]);
    assert_eq!(shipped(&mut planner, 1), [("express".to_owned(), 500, Some(1))]);
    // What is told of the plan is what is booked.
    let canonical = order(json!({"lines": lines(&[(0, 1), (1, 1)]), "policy": "fastest"}));
    let asked = Order::decode(&canonical).unwrap();
    let demand = planner.resolve(&asked).unwrap();
    let plan = planner.plan(&demand);
    let told = planner.explain(&asked, &demand, plan.as_ref());
    assert_eq!(told["chosen"]["cost"]["total"], json!(20));
}
