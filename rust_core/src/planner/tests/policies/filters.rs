//! What a policy's filters, pools and limits leave of the stock, case by case.

use super::network::NOW_MS;
use super::*;
use crate::fixture::warehouse;

fn site_of(degrees: f64, stock: &[i64]) -> Site {
    let stock = stock.to_vec();
    Site { degrees, fixed: 0, unit: 0, days: None, capacity: None, store: false, stock }
}

fn two_sites() -> Network {
    Network { sites: vec![site_of(0.0, &[5, 5, 5]), site_of(1.0, &[5, 5, 5])], wanted: vec![4] }
}

#[test]
fn orders_of_a_channel_leave_what_is_kept_back_and_others_do_not() {
    let mut planner = two_sites().planner(json!({"keep_back": {"app": 2}}));
    let mut available = |channel: &str, units: i64| {
        let demand = demand(&planner, json!({"lines": lines(&[(0, units)]), "channel": channel}));
        planner.plan(&demand).map(|plan| pieces(&plan))
    };
    assert_eq!(available("app", 6), Ok(vec![(0, 0, 3), (1, 0, 3)]));
    let short = Shortage { sku: 0, requested: 7, available: 6 };
    assert_eq!(available("app", 7), Err(Refusal::KeptByPolicy(vec![short], "p".into())));
    assert_eq!(available("web", 10), Ok(vec![(0, 0, 5), (1, 0, 5)]));
}

#[test]
fn pools_are_taken_first_alone_or_never() {
    for (pools, held) in [("first", 8), ("only", 3), ("never", 5)] {
        let network = Network { sites: vec![site_of(0.0, &[5])], wanted: vec![1] };
        let mut network = network;
        network.sites[0].stock = vec![5, 0, 0];
        let mut planner = network.planner(json!({"only": {"pools": pools}}));
        assert!(planner.catalogue.put_channel(1, "app"));
        planner.view.set(crate::ids::pool_id(1, 0, 0), 3, 1);
        let mut planned = |units: i64| {
            let demand = demand(&planner, json!({"lines": lines(&[(0, units)]), "channel": "app"}));
            planner.plan(&demand)
        };
        let plan = planned(held).unwrap();
        let taken: i64 = plan.shipments[0].takes().map(|(_, units)| units).sum();
        assert_eq!(taken, held, "{pools}");
        let from_pool = plan.shipments[0].takes().any(|(cell, _)| crate::ids::channel_of(cell) == 1);
        assert_eq!(from_pool, pools != "never", "{pools}");
        let short = Shortage { sku: 0, requested: held + 1, available: held };
        let refused = match pools {
            "first" => Refusal::Short(vec![short]),
            _ => Refusal::KeptByPolicy(vec![short], "p".into()),
        };
        assert_eq!(planned(held + 1), Err(refused), "{pools}");
    }
}

#[test]
fn what_a_sku_needs_the_warehouse_has_whatever_the_policy() {
    let mut network = two_sites();
    network.sites[1].store = true;
    let mut planner = network.planner(json!({"objective": "nearest"}));
    let traits = planner.policies.traits_mut();
    traits.put_sku(0, None, &["cold".to_owned()]);
    traits.put_sku(1, None, &["hazardous".to_owned()]);
    let mut plan = |fields: Value| {
        let demand = demand(&planner, fields);
        planner.plan(&demand).map(|plan| pieces(&plan))
    };
    assert_eq!(plan(json!({"lines": lines(&[(0, 1)])})), Ok(vec![(1, 0, 1)]));
    assert_eq!(plan(json!({"lines": lines(&[(0, 1), (2, 1)])})), Ok(vec![(0, 2, 1), (1, 0, 1)]));
    let short = |sku| Err(Refusal::Short(vec![Shortage { sku, requested: 1, available: 0 }]));
    assert_eq!(plan(json!({"lines": lines(&[(1, 1)])})), short(1));
    assert_eq!(plan(json!({"lines": lines(&[(0, 1)]), "pickup_at": "w0"})), short(0));
}

#[test]
fn only_what_was_counted_of_late_serves() {
    let mut planner = two_sites().planner(json!({"only": {"counted_within_s": 60, "exclude": ["w0"]}}));
    planner.policies.counted(0, NOW_MS);
    let serves = |planner: &mut Planner, now_ms: u64| {
        planner.now_ms = Some(now_ms);
        let demand = demand(planner, json!({"lines": lines(&[(0, 1)])}));
        planner.plan(&demand).map(|plan| used(&plan))
    };
    let short = Err(Refusal::KeptByPolicy(vec![Shortage { sku: 0, requested: 1, available: 0 }], "p".into()));
    assert_eq!(serves(&mut planner, NOW_MS), short);
    planner.policies.counted(1, NOW_MS);
    assert_eq!(serves(&mut planner, NOW_MS + 60_000), Ok(vec![1]));
    assert_eq!(serves(&mut planner, NOW_MS + 60_001), short);
}

#[test]
fn what_the_customer_collects_comes_from_where_it_is_collected() {
    let mut planner = two_sites().planner(json!({"objective": "pinned", "warehouses": ["w0"]}));
    let demand = demand(&planner, json!({"lines": lines(&[(0, 1)]), "pickup_at": "w1"}));
    assert_eq!(used(&planner.plan(&demand).unwrap()), [1]);
}

#[test]
fn a_warehouse_that_comes_later_is_filtered_too() {
    let mut planner = two_sites().planner(json!({"only": {"exclude": ["w0", "w1", "w3"]}}));
    let fields = json!({"lines": lines(&[(0, 1)])});
    assert!(planner.plan(&demand(&planner, fields.clone())).is_err());
    for number in [2, 3] {
        assert!(planner.put_warehouse(number, &format!("w{number}"), warehouse(5.0)));
        planner.view.set(cell_id(0, number), 1, 1);
    }
    let demand = demand(&planner, fields);
    assert_eq!(used(&planner.plan(&demand).unwrap()), [2]);
}

#[test]
fn an_order_that_says_when_it_is_due_is_held_to_that() {
    let mut network = two_sites();
    network.sites[0].days = Some(3);
    (network.sites[1].days, network.sites[1].fixed) = (Some(1), 150);
    let mut planner = network.planner(json!({"lateness_cost_per_day": 100, "deliver_within_days": 3}));
    let mut site = |due: Value| {
        let demand = demand(&planner, json!({"lines": lines(&[(0, 1)]), "deliver_by": due}));
        used(&planner.plan(&demand).unwrap())
    };
    assert_eq!(site(Value::Null), [0]);
    // Day 20,000 was 2024-10-04.
    assert_eq!(site(json!("2024-10-06")), [0], "a day late for 100 is less than 150");
    assert_eq!(site(json!("2024-10-05")), [1], "two days are more");
}

#[test]
fn a_policy_that_is_not_there_is_pointed_at_and_the_others_are_named() {
    let planner = two_sites().planner(json!({}));
    let found = flaws(&planner, json!({"lines": lines(&[(0, 1)]), "policy": "magic"}));
    assert_eq!(found, [("/policy".to_owned(), "unknown policy \"magic\"; there are p".to_owned())]);
    let found = flaws(&planner, json!({"lines": lines(&[(0, 1)]), "deliver_by": "soon"}));
    assert_eq!(found, [("/deliver_by".to_owned(), "must be a date: 2026-11-13".to_owned())]);
}
