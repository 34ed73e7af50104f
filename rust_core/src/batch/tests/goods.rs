//! Batches with bundles, substitutes and orders that wait for stock: when something else may be sent, and what is asked then.

use super::*;
use crate::goods::Substitution;
use crate::record::{Status, unpack};

/// s1 may come for s0, and s3 is made of one s0 and two s2.
fn planner_of(stock: &[&[i64]]) -> Planner {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], stock);
    planner.catalogue.assortment.put(0, vec![], vec!["s1".into()]);
    assert!(planner.catalogue.put_sku(3, "s3", SkuTerms { purchase_limit: 9, ..SkuTerms::default() }));
    planner.catalogue.assortment.put(3, vec![("s0".into(), 1), ("s2".into(), 2)], vec![]);
    planner
}

fn asks(id: &str, of: &[(u32, i64)], more: Value) -> Vec<u8> {
    let mut fields = json!({"order_id": id, "lines": lines(of)});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order(fields)
}

fn bends() -> Value {
    json!({"allow_substitutes": true})
}

fn waits() -> Value {
    json!({"allow_backorder": true})
}

fn cells(skus: &[u32]) -> Vec<CellId> {
    skus.iter().flat_map(|&sku| [cell_id(sku, 0), cell_id(sku, 1)]).collect()
}

/// The cells that a batch reads, in their order.
fn read(batch: &Batch) -> Vec<CellId> {
    let mut read = Commit::of(batch).cells;
    read.sort_unstable();
    read
}

#[test]
fn before_a_no_the_cells_of_components_and_substitutes_are_read() {
    let mut planner = planner_of(&[&[0, 0], &[0, 0], &[9, 0]]);
    let (batch, decided) = planner.plan_batch(&intakes(&[asks("a", &[(3, 1)], json!({}))]));
    assert!(decided.is_empty());
    assert_eq!(read(&batch), cells(&[0, 2]));
    let (batch, decided) = planner.plan_batch(&intakes(&[asks("a", &[(3, 1)], bends())]));
    assert!(decided.is_empty());
    assert_eq!(read(&batch), cells(&[0, 1, 2]));
    let (_, decided) = planner.plan_batch(&fresh(&[asks("a", &[(3, 1)], bends())]));
    assert!(
        matches!(&decided[..], [(0, Outcome::Refused(Refusal::Short(short)))] if short[0].sku == 0 && short[0].available == 0)
    );
}

/// A unit that another order of the batch wants may be left after all.
#[test]
fn nobody_hears_no_while_others_want_the_substitute() {
    let mut planner = planner_of(&[&[0, 0], &[1, 0], &[9, 0]]);
    let orders = [asks("a", &[(1, 1)], json!({})), asks("b", &[(0, 1)], bends())];
    let (batch, decided) = planner.plan_batch(&fresh(&orders));
    assert!(decided.is_empty());
    assert_eq!((batch.len(), batch.waiting.as_slice()), (1, &[1][..]));
}

#[test]
fn something_else_is_sent_only_once_it_is_certain_that_the_network_lacks_what_was_ordered() {
    let mut planner = planner_of(&[&[1, 0], &[9, 0], &[9, 0]]);
    let two = |id: &str| asks(id, &[(0, 2)], bends());
    let (batch, decided) = planner.plan_batch(&intakes(&[two("a")]));
    assert_eq!((decided.len(), batch.len()), (0, 0));
    assert_eq!(read(&batch), cells(&[0, 1]));
    // Fresh, but another order of the batch wants the one that there is.
    let (batch, _) = planner.plan_batch(&fresh(&[asks("a", &[(0, 1)], json!({})), two("b")]));
    assert_eq!((batch.len(), batch.waiting.as_slice()), (1, &[1][..]));
    planner.abandon(&batch);
    let (batch, _) = planner.plan_batch(&fresh(&[two("a")]));
    let record = unpack(&Commit::of(&batch).record(0)).unwrap();
    assert_eq!(record.goods.substitutions, [Substitution { sku: 0, by: 1, units: 1 }]);
    assert_eq!(record.held(), [(cell_id(0, 0), 1), (cell_id(1, 0), 1)]);
}

/// What they share is the substitute, of which there is enough.
#[test]
fn a_whole_batch_gets_substitutes_at_once() {
    let mut planner = planner_of(&[&[0, 0], &[9, 9], &[9, 0]]);
    let orders: Vec<Vec<u8>> = (0..9).map(|number| asks(&format!("o{number}"), &[(0, 2)], bends())).collect();
    let (batch, decided) = planner.plan_batch(&fresh(&orders));
    assert!(decided.is_empty());
    assert_eq!((batch.len(), planner.view.free(1, 0) + planner.view.free(1, 1)), (9, 0));
}

#[test]
fn a_warehouse_at_capacity_lacks_for_certain_only_once_its_counter_was_read() {
    let mut planner = planner_of(&[&[9, 0], &[0, 9], &[9, 0]]);
    let capped = WarehouseTerms { capacity: Some(1), ..warehouse(0.0) };
    assert!(planner.put_warehouse(0, "w0", capped));
    planner.capacity.set_day(Some(5));
    let first = asks("a", &[(0, 1)], json!({}));
    let (batch, _) = planner.plan_batch(&fresh(&[first, asks("b", &[(0, 1)], bends())]));
    assert_eq!((batch.len(), batch.waiting.as_slice()), (1, &[1][..]));
    planner.capacity.set(5, 0, 1, 0);
    let (batch, _) = planner.plan_batch(&fresh(&[asks("b", &[(0, 1)], bends())]));
    assert_eq!(unpack(&Commit::of(&batch).record(0)).unwrap().held(), [(cell_id(1, 1), 1)]);
}

#[test]
fn an_order_that_is_to_wait_is_asked_about_first_and_then_kept_without_stock() {
    let mut planner = planner_of(&[&[1, 0], &[0, 0], &[0, 0]]);
    let unpaid = json!({"allow_backorder": true, "payment": "pending", "customer": "ann"});
    let one = asks("a", &[(3, 2), (1, 1)], unpaid);
    let (batch, decided) = planner.plan_batch(&intakes(std::slice::from_ref(&one)));
    assert_eq!((decided.len(), batch.len(), batch.is_empty()), (0, 0, false));
    let (batch, decided) = planner.plan_batch(&fresh(std::slice::from_ref(&one)));
    assert!(batch.is_empty());
    let [(0, Outcome::Backorder(missing, Some(where_to)))] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(missing, &[(0, 1), (2, 4), (1, 1)]);
    assert_eq!(where_to, &cells(&[0, 2, 1]));
    let told = Intake { expected_day: Some(20_770), ..fresh(std::slice::from_ref(&one))[0] };
    let (mut batch, decided) = planner.plan_batch(&[told]);
    assert!(decided.is_empty() && batch.prepares().is_empty());
    let commit = Commit::of(&batch);
    assert_eq!((commit.cells.len(), commit.counters.is_none(), commit.holds.len()), (0, true, 0));
    let record = unpack(&commit.record(0)).unwrap();
    assert_eq!((record.status, record.held().len(), record.counters.len()), (Status::Backordered, 0, 0));
    assert_eq!((record.unfilled.as_slice(), record.goods.expected_day), (&[(3, 2), (1, 1)][..], 20_770));
    let settled = settle(&mut planner, &mut batch, &reply(b"", b"", &[])).unwrap();
    let [(0, Outcome::Reserved(json))] = &settled[..] else { panic!("{settled:?}") };
    let answer: Value = serde_json::from_slice(json).unwrap();
    assert_eq!((&answer["status"], &answer["expected_on"]), (&json!("backordered"), &json!("2026-11-13")));
    assert_eq!((answer.get("expires_at"), &answer["cost"]), (None, &json!(0)));
    assert_eq!(planner.view.free(0, 0), 1);
}

#[test]
fn what_orders_wait_for_is_named_once_and_no_more_than_can_be_looked_at() {
    let mut planner = planner_of(&[&[0, 0], &[0, 0], &[0, 0]]);
    let named = |planner: &mut Planner, orders: &[Vec<u8>]| -> Vec<(usize, Option<usize>)> {
        let (_, decided) = planner.plan_batch(&fresh(orders));
        let waits = |(_, outcome)| match outcome {
            Outcome::Backorder(missing, cells) => (missing.len(), cells.map(|cells: Vec<CellId>| cells.len())),
            other => panic!("{other:?}"),
        };
        decided.into_iter().map(waits).collect()
    };
    let orders = [(1, 9), (1, 9), (2, 9)].map(|line| asks("a", &[line], waits()));
    assert_eq!(named(&mut planner, &orders), [(1, Some(2)), (1, Some(0)), (1, Some(2))]);
    // Beyond the bound an order is left to another batch, unless its cells are named already; and what is beyond it alone
    // is never looked at.
    for number in 2..4000 {
        assert!(planner.put_warehouse(number, &format!("w{number}"), warehouse(1.0)));
    }
    for sku in 4..8 {
        assert!(planner.catalogue.put_sku(sku, &format!("s{sku}"), SkuTerms::default()));
    }
    let orders = [&[1, 2][..], &[4, 5, 6, 7], &[4], &[4, 1], &[1, 2, 4, 5, 6, 7]].map(|skus: &[u32]| {
        let of: Vec<_> = skus.iter().map(|&sku| (sku, 9)).collect();
        asks("a", &of, waits())
    });
    let found = [(2, Some(8000)), (4, None), (1, Some(4000)), (2, Some(0)), (0, Some(0))];
    assert_eq!(named(&mut planner, &orders), found);
}

#[test]
fn an_order_that_could_wait_takes_what_there_is() {
    let mut planner = planner_of(&[&[1, 0], &[0, 0], &[9, 0]]);
    let told = [asks("a", &[(3, 1)], waits())];
    let (batch, _) = planner.plan_batch(&[Intake { expected_day: Some(1), ..fresh(&told)[0] }]);
    let record = unpack(&Commit::of(&batch).record(0)).unwrap();
    assert_eq!((record.status, record.goods.expected_day, record.goods.bundles[0].units), (Status::Confirmed, 0, 1));
}

/// Components, counter and order are at home in different partitions: an attempt holds all of it.
#[test]
fn a_bundle_reaches_into_the_partitions_of_its_components_and_of_its_limit() {
    let mut planner = planner_of(&[&[9, 0], &[9, 0], &[9, 0]]);
    planner.partitions = 4;
    let one = asks("a", &[(3, 1)], json!({"customer": "ann"}));
    let (batch, _) =
        planner.plan_batch(&[Intake { canonical: &one, home: 1, attempts: 0, fresh: false, expected_day: None }]);
    assert_eq!((batch.prepares(), batch.commits()), (vec![0, 2, 3], vec![1]));
}
