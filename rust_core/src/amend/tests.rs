//! Rules of amending and splitting.

use serde_json::{Value, json};

use super::*;
use crate::catalogue::{SkuTerms, WarehouseTerms};
use crate::fixture::{lines, order, planner, warehouse};
use crate::ids::cell_id;
use crate::planner::{Plan, Shipment};
use crate::policy::Book;
use crate::record::unpack;

const PARENT: [u8; FINGERPRINT_BYTES] = [7; FINGERPRINT_BYTES];

/// A confirmed record around fingerprint and body.
fn stored(rest: &[u8]) -> Vec<u8> {
    let mut record = vec![0; HEAD_BYTES];
    (record[0], record[1], record[5]) = (2, 2, 1);
    record.extend_from_slice(rest);
    record
}

fn held(shipments: Vec<Shipment>, counters: &[(&str, i64)]) -> Vec<u8> {
    let plan = Plan {
        shipments,
        unfilled: vec![],
        selected: Book::default().named("cheapest").unwrap().clone(),
        proven: true,
    };
    stored(&record::pack(&PARENT, &plan, counters, "CNY", b"before", &["confirm:a=0"]))
}

fn shipment(warehouse: WarehouseId, cost: i64, lines: &[(SkuId, i64)]) -> Shipment {
    Shipment { warehouse, cost, metres: 5, lines: lines.to_vec(), ..Shipment::default() }
}

fn canonical(of: &[(SkuId, i64)], more: Value) -> Vec<u8> {
    let mut fields = json!({"lines": lines(of)});
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    order(fields)
}

fn two(stock: &[&[i64]]) -> Planner {
    let terms = WarehouseTerms { fixed_cost: 100, unit_cost: 10, ..warehouse(0.0) };
    planner(&[terms, WarehouseTerms { fixed_cost: 200, ..terms }], stock)
}

#[test]
fn what_the_order_holds_counts_as_free_for_it_and_the_view_stays_as_it_was() {
    let mut planner = two(&[&[1, 0]]);
    let record = unpack(&held(vec![shipment(0, 1, &[(0, 4)])], &[])).unwrap();
    let amended = planner.amend(&record, &canonical(&[(0, 5)], json!({}))).unwrap();
    assert_eq!(amended.cells, [(cell_id(0, 0), 1)]);
    assert_eq!(planner.view.free(0, 0), 1);
    let again = unpack(&stored(&amended.rest)).unwrap();
    assert_eq!(again.shipments, [Shipment { metres: 0, ..shipment(0, 150, &[(0, 5)]) }]);
    assert_eq!((again.fingerprint, again.transitions.as_slice()), (PARENT, &["confirm:a=0".to_owned()][..]));
    assert_eq!(again.canonical, canonical(&[(0, 5)], json!({})));
    match planner.amend(&record, &canonical(&[(0, 6)], json!({}))) {
        Err(Outcome::Short(short)) => assert_eq!((short[0].requested, short[0].available), (6, 5)),
        other => panic!("{other:?}"),
    }
    assert_eq!(planner.view.free(0, 0), 1);
}

#[test]
fn lowered_and_dropped_lines_take_nothing() {
    let mut planner = two(&[&[0, 0], &[0, 0]]);
    let record = unpack(&held(vec![shipment(0, 1, &[(0, 4), (1, 2)])], &[])).unwrap();
    let amended = planner.amend(&record, &canonical(&[(0, 1)], json!({}))).unwrap();
    assert_eq!((amended.cells.len(), amended.counters.len()), (0, 0));
}

#[test]
fn limits_are_counted_by_what_the_order_takes_now() {
    let mut planner = two(&[&[9, 0], &[9, 0]]);
    assert!(planner.catalogue.put_sku(0, "s0", SkuTerms { weight_g: 0, purchase_limit: 5, ..SkuTerms::default() }));
    let record = unpack(&held(vec![shipment(0, 1, &[(0, 2)])], &[("0:ann", 2), ("@0:9", 1), ("@1:9", 1)])).unwrap();
    let ann = json!({"customer": "ann"});
    let amended = planner.amend(&record, &canonical(&[(0, 4)], ann.clone())).unwrap();
    assert_eq!(amended.counters, [("0:ann".to_owned(), 2, 5)]);
    assert_eq!(amended.limits, [("0:ann".to_owned(), 5)]);
    let again = unpack(&stored(&amended.rest)).unwrap();
    assert_eq!(again.counters, [("0:ann".to_owned(), 4), ("@0:9".to_owned(), 1)]);
    assert!(matches!(planner.amend(&record, &canonical(&[(0, 6)], ann)), Err(Outcome::Limit(_))));
    assert!(matches!(planner.amend(&record, b"no order"), Err(Outcome::Invalid(_))));
}

#[test]
fn a_divided_shipment_is_priced_anew_and_a_whole_one_keeps_its_cost() {
    let mut planner = two(&[&[0, 0], &[0, 0]]);
    let record = held(vec![shipment(0, 9, &[(0, 4), (1, 2)]), shipment(1, 8, &[(0, 3)])], &[("0:ann", 7)]);
    let (stays, goes) = (canonical(&[(0, 3), (1, 2)], json!({})), canonical(&[(0, 4)], json!({"order_id": "o/2"})));
    let moved = [(cell_id(0, 0), 1), (cell_id(0, 1), 3)];
    let (parent, child) = planner.split(&record, &moved, &stays, &goes).unwrap();
    let (parent, child) = (unpack(&stored(&parent)).unwrap(), unpack(&stored(&child)).unwrap());
    assert_eq!(parent.shipments, [shipment(0, 150, &[(0, 3), (1, 2)])]);
    assert_eq!(child.shipments, [shipment(0, 110, &[(0, 1)]), shipment(1, 8, &[(0, 3)])]);
    assert_eq!((parent.fingerprint, child.fingerprint), (PARENT, fingerprint(&goes)));
    assert_eq!((parent.canonical, child.canonical), (stays, goes));
    assert_eq!((parent.transitions.len(), child.transitions.len()), (1, 0));
    assert_eq!(parent.counters, [("0:ann".to_owned(), 3)]);
    assert_eq!(child.counters, [("0:ann".to_owned(), 4)]);
}

#[test]
fn a_split_beyond_what_is_held_is_an_error() {
    let mut planner = two(&[&[0, 0]]);
    let record = held(vec![shipment(0, 9, &[(0, 4)])], &[]);
    let one = canonical(&[(0, 1)], json!({}));
    for moved in [[(cell_id(0, 0), 5)], [(cell_id(0, 1), 1)]] {
        assert!(planner.split(&record, &moved, &one, &one).unwrap_err().contains("holds less"));
    }
    for length in 0..record.len() {
        assert!(planner.split(&record[..length], &[(cell_id(0, 0), 1)], &one, &one).is_err());
    }
}

#[test]
fn pools_keep_their_cells() {
    let mut planner = two(&[&[0, 0]]);
    let pool = 5 * (1 << 36) + cell_id(0, 0);
    let body = Body(
        vec![Stored(0, 9, 5, vec![cell_id(0, 0), 2, pool, 3], "post", 20_770)],
        vec![],
        vec![("@0:9", 1)],
        "CNY",
        "cheapest",
        b"",
        vec![],
        vec![],
    );
    let one = canonical(&[(0, 1)], json!({}));
    let (parent, child) = planner.split(&stored(&pack(&PARENT, &body)), &[(pool, 1)], &one, &one).unwrap();
    let read = |rest: &[u8]| rmp_serde::from_slice::<Body>(&rest[FINGERPRINT_BYTES..]).unwrap().0[0].3.clone();
    assert_eq!((read(&parent), read(&child)), (vec![cell_id(0, 0), 2, pool, 2], vec![pool, 1]));
    // The whole of it: the order that the warehouse serves goes with it.
    let moved = [(pool, 3), (cell_id(0, 0), 2)];
    let (parent, child) = planner.split(&stored(&pack(&PARENT, &body)), &moved, &one, &one).unwrap();
    let counters = |rest: &[u8]| rmp_serde::from_slice::<Body>(&rest[FINGERPRINT_BYTES..]).unwrap().2.len();
    assert_eq!((counters(&parent), counters(&child)), (0, 1));
}
