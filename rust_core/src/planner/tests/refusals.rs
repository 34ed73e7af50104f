//! What an order is refused for: the stock, the carriers, the policy, or too few shipments; each told truly.

use serde_json::Value;

use super::*;
use crate::batch::Outcome;
use crate::cost::Carrier;
use crate::fixture::fresh;

/// Two warehouses where the orders go, two far away; a carrier that goes nowhere near from those.
fn near_and_far(stock: &[&[i64]]) -> Planner {
    let mut planner = planner(&[0.0, 0.5, 20.0, 30.0].map(warehouse), stock);
    goes_from(&mut planner, 100_000);
    planner
}

fn goes_from(planner: &mut Planner, max_m: u32) {
    let near = Zone { name: "near".into(), max_m, ..Zone::default() };
    // The last of zones that are distances alone would take what lies beyond.
    let elsewhere = Zone { name: "elsewhere".into(), countries: vec!["NZ".into()], ..Zone::default() };
    let carrier = Carrier { name: Some("post".into()), zones: vec![near, elsewhere], ..Carrier::default() };
    assert!(planner.costs.set_carriers(vec![carrier]));
}

fn refusal(planner: &mut Planner, fields: Value) -> Refusal {
    plan(planner, fields).unwrap_err()
}

fn short(sku: u32, requested: i64, available: i64) -> Shortage {
    Shortage { sku, requested, available }
}

fn policy(planner: &mut Planner, policy: Value) {
    let mut policy = policy;
    policy["name"] = json!("p");
    let book = json!({"version": "1", "default": "p", "policies": [policy], "rules": []});
    planner.set_book(Book::decode(&rmp_serde::to_vec_named(&book).unwrap()).unwrap());
}

#[test]
fn where_no_carrier_goes_it_is_not_the_stock_that_is_lacking() {
    let mut planner = planner(&[20.0, 30.0].map(warehouse), &[&[9, 9], &[0, 0]]);
    goes_from(&mut planner, 100_000);
    let nowhere = Refusal::Undeliverable(Vec::new());
    for fields in [
        json!({"lines": lines(&[(0, 1)])}),
        json!({"lines": lines(&[(0, 99), (1, 1)])}),
        json!({"lines": lines(&[(0, 1), (1, 1)]), "allow_partial": true}),
        json!({"lines": lines(&[(1, 1)]), "allow_substitutes": true}),
        json!({"lines": lines(&[(0, 9)]), "max_shipments": 1, "warehouses": ["w1"]}),
    ] {
        assert_eq!(refusal(&mut planner, fields.clone()), nowhere, "{fields}");
    }
    assert!(nowhere.is_final());
    // What is collected is not carried; and where nobody may serve at all, no carrier is to blame.
    assert!(plan(&mut planner, json!({"lines": lines(&[(0, 1)]), "pickup_at": "w1"})).is_ok());
    for number in [0, 1] {
        assert!(planner.put_warehouse(number, "w", WarehouseTerms { enabled: false, ..warehouse(20.0) }));
    }
    assert_eq!(refusal(&mut planner, json!({"lines": lines(&[(0, 1)])})), Refusal::Short(vec![short(0, 1, 0)]));
}

#[test]
fn what_is_only_where_no_carrier_goes_from_is_named_with_what_is_deliverable() {
    let mut planner = near_and_far(&[&[2, 1, 9, 0], &[9, 9, 0, 0], &[0, 0, 0, 4]]);
    let refused = refusal(&mut planner, json!({"lines": lines(&[(0, 5), (1, 3), (2, 4)])}));
    assert_eq!(refused, Refusal::Undeliverable(vec![short(0, 5, 3), short(2, 4, 0)]));
    assert!(!refused.is_final());
    let of_part = json!({"lines": lines(&[(2, 9)]), "allow_partial": true});
    assert_eq!(refusal(&mut planner, of_part), Refusal::Undeliverable(vec![short(2, 9, 0)]));
}

/// Else somebody would send it elsewhere and hear of the stock only then.
#[test]
fn what_is_lacking_everywhere_is_told_first_and_alone() {
    let mut planner = near_and_far(&[&[2, 1, 9, 0], &[1, 0, 1, 0], &[0, 0, 0, 4]]);
    let refused = refusal(&mut planner, json!({"lines": lines(&[(0, 13), (1, 1), (2, 4)])}));
    assert_eq!(refused, Refusal::Short(vec![short(0, 13, 3)]));
}

#[test]
fn stock_that_the_policy_leaves_alone_is_told_to_be_there() {
    let mut planner = near_and_far(&[&[2, 9, 0, 0], &[0, 9, 0, 0], &[0, 0, 3, 0]]);
    policy(&mut planner, json!({"only": {"exclude": ["w1"]}}));
    let kept = |rows| Refusal::KeptByPolicy(rows, "p".into());
    let wants = |wanted: &[(u32, i64)]| json!({"lines": lines(wanted)});
    assert_eq!(refusal(&mut planner, wants(&[(0, 3), (1, 1)])), kept(vec![short(0, 3, 2), short(1, 1, 0)]));
    assert_eq!(refusal(&mut planner, wants(&[(0, 12)])), Refusal::Short(vec![short(0, 12, 2)]));
    // One kept by the policy, one where no carrier goes from: it is the carrier that nobody can do without.
    assert_eq!(refusal(&mut planner, wants(&[(1, 1), (2, 1)])), Refusal::Undeliverable(vec![short(2, 1, 0)]));
    policy(&mut planner, json!({"objective": "pinned", "warehouses": ["w0"]}));
    assert_eq!(refusal(&mut planner, wants(&[(1, 1)])), kept(vec![short(1, 1, 0)]));
    policy(&mut planner, json!({"keep_back": {"app": 2}}));
    let of_app = json!({"lines": lines(&[(1, 8)]), "channel": "app"});
    assert_eq!(refusal(&mut planner, of_app), kept(vec![short(1, 8, 7)]));
}

/// What a limit leaves of the stock is told beside the stock.
#[test]
fn the_limit_on_shipments_that_refuses_is_named_and_the_stock_told_as_it_is() {
    let mut planner = near_and_far(&[&[5, 4, 9, 9], &[1, 0, 0, 0]]);
    let refused = |planner: &mut Planner, fields: Value| match refusal(planner, fields) {
        Refusal::TooSpread(spread) => (spread.by, spread.shipments_max, spread.rows),
        other => panic!("{other:?}"),
    };
    let row = |within| SpreadRow { sku: 0, requested: 8, available: 9, within };
    let wanted = lines(&[(0, 8)]);
    let split = json!({"lines": wanted, "allow_split": false});
    assert_eq!(refused(&mut planner, split.clone()), (LimitedBy::AllowSplit, 1, vec![row(5)]));
    let most = json!({"lines": wanted, "max_shipments": 1});
    assert_eq!(refused(&mut planner, most.clone()), (LimitedBy::MaxShipments, 1, vec![row(5)]));
    policy(&mut planner, json!({"max_shipments": 1}));
    assert_eq!(refused(&mut planner, json!({"lines": wanted})), (LimitedBy::Policy, 1, vec![row(5)]));
    assert_eq!(refused(&mut planner, split).0, LimitedBy::AllowSplit);
    assert_eq!(refused(&mut planner, most).0, LimitedBy::MaxShipments);
}

/// Of what comes in place of something else, no more is claimed than can be had.
#[test]
fn a_limit_on_shipments_counts_what_may_come_instead() {
    let mut planner = near_and_far(&[&[1, 0, 0, 0], &[0, 9, 0, 0]]);
    planner.catalogue.assortment.put(0, Vec::new(), vec!["s1".into()]);
    let fields = json!({"lines": lines(&[(0, 3)]), "allow_substitutes": true, "allow_split": false});
    let Refusal::TooSpread(spread) = refusal(&mut planner, fields) else { panic!() };
    assert_eq!(spread.rows.len(), 1);
    let row = &spread.rows[0];
    assert_eq!((row.sku, row.requested, row.available), (0, 3, 3));
    assert!(row.within < row.requested);
}

/// A carrier goes there from where the policy lets nobody serve: that is the policy's doing.
#[test]
fn what_the_policy_leaves_where_a_carrier_goes_from_is_not_undeliverable() {
    let mut planner = near_and_far(&[&[9, 0, 0, 0], &[9, 0, 9, 0], &[0, 0, 9, 0], &[0, 0, 0, 0]]);
    policy(&mut planner, json!({"only": {"exclude": ["w0", "w1"]}}));
    let of = |sku: u32| json!({"lines": lines(&[(sku, 5)])});
    let of_part = |sku: u32| json!({"lines": lines(&[(sku, 5)]), "allow_partial": true});
    for sku in [0, 1] {
        for fields in [of(sku), of_part(sku)] {
            let refused = refusal(&mut planner, fields);
            assert_eq!(refused, Refusal::KeptByPolicy(vec![short(sku, 5, 0)], "p".into()));
            assert!(!refused.is_final());
        }
    }
    for fields in [of(2), of_part(2)] {
        let refused = refusal(&mut planner, fields);
        assert_eq!(refused, Refusal::Undeliverable(vec![short(2, 5, 0)]));
        assert!(!refused.is_final());
    }
    assert_eq!(refusal(&mut planner, of(3)), Refusal::Short(vec![short(3, 5, 0)]));
}

#[test]
fn where_no_carrier_goes_without_the_policy_either_is_final_whatever_the_policy_filters() {
    let mut planner = planner(&[20.0, 30.0].map(warehouse), &[&[9, 9]]);
    goes_from(&mut planner, 100_000);
    for only in [json!({"exclude": ["w0"]}), json!({"exclude": ["w0", "w1"]})] {
        policy(&mut planner, json!({"only": only}));
        let refused = refusal(&mut planner, json!({"lines": lines(&[(0, 1)])}));
        assert_eq!(refused, Refusal::Undeliverable(Vec::new()));
        assert!(refused.is_final());
    }
}

/// A count of the warehouse that a carrier goes from would serve it.
#[test]
fn who_accepts_to_wait_waits_for_a_count_where_a_carrier_goes_from() {
    let mut planner = near_and_far(&[&[9, 0, 9, 0]]);
    policy(&mut planner, json!({"only": {"counted_within_s": 60}}));
    let now_ms = 1_700_000_000_000;
    planner.now_ms = Some(now_ms);
    planner.policies.counted(2, now_ms);
    let waits = order(json!({"lines": lines(&[(0, 5)]), "allow_backorder": true}));
    let (_, decided) = planner.plan_batch(&fresh(std::slice::from_ref(&waits)));
    let [(0, Outcome::Backorder(missing, Some(cells)))] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!((&missing[..], &cells[..]), (&[(0, 5)][..], &[][..]));
    planner.policies.counted(0, now_ms);
    assert_eq!(pieces(&plan(&mut planner, json!({"lines": lines(&[(0, 5)])})).unwrap()), [(0, 0, 5)]);
}
