//! Orders to where no carrier goes, or only from where the stock is not.

use super::*;
use crate::cost::{Carrier, Zone};

/// One warehouse that a carrier goes there from, and one far away.
fn near_and_far(stock: &[i64]) -> Planner {
    let mut planner = planner(&[warehouse(0.0), warehouse(20.0)], &[stock]);
    let near = Zone { name: "near".into(), max_m: 100_000, ..Zone::default() };
    let elsewhere = Zone { name: "elsewhere".into(), countries: vec!["NZ".into()], ..Zone::default() };
    assert!(planner.costs.set_carriers(vec![Carrier { zones: vec![near, elsewhere], ..Carrier::default() }]));
    planner
}

fn wants_units(units: i64, waits: bool, from: Value) -> Vec<u8> {
    order(json!({"lines": lines(&[(0, units)]), "allow_backorder": waits, "warehouses": from}))
}

/// No level changes it: it is told without a look at the store, and no order waits for it.
#[test]
fn where_no_carrier_goes_is_told_at_once_and_nothing_waits_for_it() {
    for waits in [false, true] {
        let mut planner = near_and_far(&[9, 9]);
        let only_far = wants_units(1, waits, json!(["w1"]));
        let (batch, decided) = planner.plan_batch(&intakes(std::slice::from_ref(&only_far)));
        assert!(batch.is_empty());
        let [(0, Outcome::Refused(refusal))] = &decided[..] else { panic!("{decided:?}") };
        assert!(refusal.is_final());
    }
}

#[test]
fn that_the_stock_is_only_where_no_carrier_goes_from_is_told_once_it_is_certain() {
    let mut planner = near_and_far(&[1, 9]);
    let both = wants_units(3, false, Value::Null);
    let (batch, decided) = planner.plan_batch(&intakes(std::slice::from_ref(&both)));
    assert!(decided.is_empty() && batch.waiting == [0] && batch.cells.len() == 2);
    planner.abandon(&batch);
    let (_, decided) = planner.plan_batch(&fresh(std::slice::from_ref(&both)));
    let [(0, Outcome::Refused(Refusal::Undeliverable(rows)))] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(*rows, [Shortage { sku: 0, requested: 3, available: 1 }]);
}

/// More may come to where a carrier does; what comes elsewhere helps nobody.
#[test]
fn who_waits_for_stock_waits_for_it_where_a_carrier_goes_from() {
    let mut planner = near_and_far(&[1, 9]);
    let waits = wants_units(3, true, Value::Null);
    let (_, decided) = planner.plan_batch(&fresh(std::slice::from_ref(&waits)));
    let [(0, Outcome::Backorder(missing, Some(cells)))] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!((&missing[..], &cells[..]), (&[(0, 2)][..], &[cell_id(0, 0)][..]));
}
