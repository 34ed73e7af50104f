//! Rules of amending and splitting.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::catalogue::{SkuTerms, WarehouseTerms};
use crate::cost::{By, Carrier, Matrix, Of, Zone};
use crate::fixture::{lines, order, planner, warehouse};
use crate::ids::cell_id;
use crate::planner::{Plan, Refusal, Shipment};
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
        goods: Goods::default(),
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
    let amended = planner.amend(&record, &canonical(&[(0, 5)], json!({})), None).unwrap();
    assert_eq!(amended.cells, [(cell_id(0, 0), 1)]);
    assert_eq!(planner.view.free(0, 0), 1);
    let again = unpack(&stored(&amended.rest)).unwrap();
    assert_eq!(again.shipments, [Shipment { metres: 0, ..shipment(0, 150, &[(0, 5)]) }]);
    assert_eq!((again.fingerprint, again.transitions.as_slice()), (PARENT, &["confirm:a=0".to_owned()][..]));
    assert_eq!(again.canonical, canonical(&[(0, 5)], json!({})));
    match planner.amend(&record, &canonical(&[(0, 6)], json!({})), None) {
        Err(Outcome::Refused(Refusal::Short(short))) => assert_eq!((short[0].requested, short[0].available), (6, 5)),
        other => panic!("{other:?}"),
    }
    assert_eq!(planner.view.free(0, 0), 1);
}

/// A book with a trial that nobody new is put in, of orders of the channel `app`.
fn on_trial(version: &str, trial: &str) -> Book {
    let trial = json!({"name": trial, "use": "tried", "share": 0});
    let book = json!({
        "version": version, "default": "usual",
        "policies": [{"name": "usual"}, {"name": "tried", "objective": "nearest"}],
        "rules": [{"name": "r", "use": "usual", "trial": trial, "when": {"channels": ["app"]}}],
    });
    Book::decode(&rmp_serde::to_vec_named(&book).unwrap()).unwrap()
}

#[test]
fn an_order_stays_in_its_arm_as_long_as_the_trial_goes_on() {
    let mut planner = two(&[&[9, 0]]);
    let planned_by = |planner: &mut Planner, label: &str| {
        let mut record = unpack(&held(vec![shipment(0, 1, &[(0, 4)])], &[])).unwrap();
        record.policy = label.to_owned();
        let amended = planner.amend(&record, &canonical(&[(0, 5)], json!({})), None).unwrap();
        unpack(&stored(&amended.rest)).unwrap().policy
    };
    planner.set_book(on_trial("2", "t"));
    assert_eq!(planned_by(&mut planner, "tried@1 trial:t"), "tried@2 trial:t", "by today's book, but in its arm");
    assert_eq!(planned_by(&mut planner, "usual@1 control:t"), "usual@2 control:t", "whether or not it fits the rule");
    assert_eq!(planned_by(&mut planner, "tried@1"), "usual@2", "who was in none is chosen for anew");
    planner.set_book(on_trial("3", "another"));
    assert_eq!(planned_by(&mut planner, "tried@1 trial:t"), "usual@3", "it is over");
}

#[test]
fn lowered_and_dropped_lines_take_nothing() {
    let mut planner = two(&[&[0, 0], &[0, 0]]);
    let record = unpack(&held(vec![shipment(0, 1, &[(0, 4), (1, 2)])], &[])).unwrap();
    let amended = planner.amend(&record, &canonical(&[(0, 1)], json!({})), None).unwrap();
    assert_eq!((amended.cells.len(), amended.counters.len()), (0, 0));
}

#[test]
fn limits_are_counted_by_what_the_order_takes_now() {
    let mut planner = two(&[&[9, 0], &[9, 0]]);
    assert!(planner.catalogue.put_sku(0, "s0", SkuTerms { weight_g: 0, purchase_limit: 5, ..SkuTerms::default() }));
    let record = unpack(&held(vec![shipment(0, 1, &[(0, 2)])], &[("0:ann", 2), ("@0:9", 1), ("@1:9", 1)])).unwrap();
    let ann = json!({"customer": "ann"});
    let amended = planner.amend(&record, &canonical(&[(0, 4)], ann.clone()), None).unwrap();
    assert_eq!(amended.counters, [("0:ann".to_owned(), 2, 5)]);
    assert_eq!(amended.limits, [("0:ann".to_owned(), 5)]);
    let again = unpack(&stored(&amended.rest)).unwrap();
    assert_eq!(again.counters, [("0:ann".to_owned(), 4), ("@0:9".to_owned(), 1)]);
    assert!(matches!(planner.amend(&record, &canonical(&[(0, 6)], ann), None), Err(Outcome::Limit(_))));
    assert!(matches!(planner.amend(&record, b"no order", None), Err(Outcome::Invalid(_))));
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

fn by_carriers(names: &[(&str, i64, u8)]) -> Planner {
    let mut planner = two(&[&[0, 0]]);
    let carrier = |&(name, base, days): &(&str, i64, u8)| Carrier {
        name: Some(name.into()),
        zones: vec![Zone { base, minimum: base + 1, transit_days: Some(days), ..Zone::default() }],
        ..Carrier::default()
    };
    assert!(planner.costs.set_carriers(names.iter().map(carrier).collect()));
    planner.now_ms = Some(20_000 * 86_400_000);
    planner
}

/// Cost, carrier and promised day of both parts of a shipment that express was to bring by day 20,001.
fn parts_of_express(planner: &mut Planner) -> [(i64, Option<Arc<str>>, Option<LocalDay>); 2] {
    let express = Shipment { carrier: Some("express".into()), promised: Some(20_001), ..shipment(0, 9, &[(0, 4)]) };
    let one = canonical(&[(0, 1)], json!({"ship_to": {"lat": 0.0, "lon": 0.0, "country": "FR"}}));
    let (stays, goes) = planner.split(&held(vec![express], &[]), &[(cell_id(0, 0), 1)], &one, &one).unwrap();
    [stays, goes].map(|rest| {
        let part = unpack(&stored(&rest)).unwrap().shipments.remove(0);
        (part.cost, part.carrier, part.promised)
    })
}

#[test]
fn parts_go_by_the_carrier_of_the_whole_at_its_price() {
    let whole = |cost| (cost, Some("express".into()), Some(20_001));
    let mut planner = by_carriers(&[("eco", 10, 5), ("express", 500, 1)]);
    assert_eq!(parts_of_express(&mut planner), [whole(100 + 30 + 501), whole(100 + 10 + 501)]);
    planner.costs.set_matrix(Of::Cost, Matrix::new(By::Country, &["FR"], &[0], vec![7]));
    assert_eq!(parts_of_express(&mut planner), [whole(100 + 30 + 7), whole(100 + 10 + 7)]);
}

#[test]
fn parts_whose_carrier_serves_no_more_go_by_the_cheapest_and_say_so() {
    let mut planner = by_carriers(&[("eco", 10, 5), ("air", 500, 1)]);
    let part = |cost, carrier: &str, day| (cost, Some(carrier.into()), Some(day));
    assert_eq!(parts_of_express(&mut planner), [part(141, "eco", 20_005), part(121, "eco", 20_005)]);
    let mut planner = by_carriers(&[("air", 500, 2)]);
    assert_eq!(parts_of_express(&mut planner), [part(631, "air", 20_002), part(611, "air", 20_002)]);
    assert!(planner.costs.set_carriers(vec![]));
    assert_eq!(parts_of_express(&mut planner), [(130, None, None), (110, None, None)]);
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
        vec![Stored(0, 9, 5, vec![cell_id(0, 0), 2, pool, 3], "post".into(), 20_770)],
        vec![],
        vec![("@0:9", 1)],
        "CNY",
        "cheapest",
        b"",
        vec![],
        vec![],
        StoredGoods::default(),
    );
    let whole = stored(&pack(&PARENT, &body, &Goods::default()));
    let one = canonical(&[(0, 1)], json!({}));
    let (parent, child) = planner.split(&whole, &[(pool, 1)], &one, &one).unwrap();
    let read = |rest: &[u8]| rmp_serde::from_slice::<Body>(&rest[FINGERPRINT_BYTES..]).unwrap().0[0].3.clone();
    assert_eq!((read(&parent), read(&child)), (vec![cell_id(0, 0), 2, pool, 2], vec![pool, 1]));
    // The whole of it: the order that the warehouse serves goes with it.
    let moved = [(pool, 3), (cell_id(0, 0), 2)];
    let (parent, child) = planner.split(&whole, &moved, &one, &one).unwrap();
    let counters = |rest: &[u8]| rmp_serde::from_slice::<Body>(&rest[FINGERPRINT_BYTES..]).unwrap().2.len();
    assert_eq!((counters(&parent), counters(&child)), (0, 1));
}

/// An order of two kits, each of s0 and two of s1, that holds them at warehouse 0; s2 may come for s0.
fn with_kits(stock: &[&[i64]]) -> Planner {
    let mut planner = two(stock);
    let kit = stock.len() as SkuId;
    assert!(planner.catalogue.put_sku(kit, "kit", SkuTerms::default()));
    planner.catalogue.assortment.put(kit, vec![("s0".into(), 1), ("s1".into(), 2)], vec![]);
    planner.catalogue.assortment.put(0, vec![], vec!["s2".into()]);
    planner
}

fn kits(units: i64, more: Value) -> Vec<u8> {
    let mut fields = json!({"lines": [{"sku": "kit", "quantity": units}]});
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    order(fields)
}

#[test]
fn a_split_divides_bundles_and_their_substitutes() {
    let mut planner = with_kits(&[&[1, 0], &[4, 0], &[1, 0]]);
    let whole = kits(2, json!({"allow_substitutes": true}));
    let demand = planner.resolve(&Order::decode(&whole).unwrap()).unwrap();
    let plan = planner.plan(&demand).unwrap();
    let record = stored(&record::pack(&PARENT, &plan, &[("3:ann", 2)], "CNY", &whole, &[]));
    let moved = [(cell_id(2, 0), 1), (cell_id(1, 0), 2)];
    let named = planner.divided_lines(&unpack(&record).unwrap(), &moved).unwrap();
    assert_eq!(named, Some((vec![("kit", 1)], vec![("kit", 1)])));
    let (stays, goes) = planner.split(&record, &moved, &kits(1, json!({})), &kits(1, json!({}))).unwrap();
    let (stays, goes) = (unpack(&stored(&stays)).unwrap(), unpack(&stored(&goes)).unwrap());
    assert_eq!((stays.shipments[0].lines.as_slice(), goes.shipments[0].lines.len()), (&[(0, 1), (1, 2)][..], 2));
    assert_eq!((stays.goods.bundles[0].units, goes.goods.bundles[0].units), (1, 1));
    assert_eq!((stays.goods.substitutions.len(), goes.goods.substitutions[0].units), (0, 1));
    assert_eq!((stays.counters, goes.counters), (vec![("3:ann".into(), 1)], vec![("3:ann".into(), 1)]));
    // Half of a kit: the other half becomes what it is made of.
    let moved = [(cell_id(0, 0), 1)];
    let named = planner.divided_lines(&unpack(&record).unwrap(), &moved).unwrap();
    assert_eq!(named, Some((vec![("kit", 1), ("s1", 2)], vec![("s0", 1)])));
}

#[test]
fn an_order_that_waits_becomes_what_its_payment_says_or_waits_on() {
    let mut planner = two(&[&[3, 0]]);
    let waits = Plan { unfilled: vec![(0, 9)], ..empty_plan() };
    let mut record = unpack(&stored(&record::pack(&PARENT, &waits, &[], "CNY", b"before", &[]))).unwrap();
    record.status = Status::Backordered;
    for (more, becomes) in [
        (json!({}), -1),
        (json!({"payment": "cod"}), -1),
        (json!({"payment": "pending", "hold_seconds": 60}), 60_000),
        (json!({"payment": "pending"}), 900_000),
    ] {
        let mut fields = json!({"allow_backorder": true});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let amended = planner.amend(&record, &canonical(&[(0, 3)], fields.clone()), None).unwrap();
        assert_eq!((amended.becomes, amended.cells), (Some(becomes), vec![(cell_id(0, 0), 3)]));
        match planner.amend(&record, &canonical(&[(0, 4)], fields.clone()), None) {
            Err(Outcome::Backorder(missing, cells)) => {
                assert_eq!((missing, cells), (vec![(0, 1)], Some(vec![cell_id(0, 0), cell_id(0, 1)])));
            }
            other => panic!("{other:?}"),
        }
        let on = planner.amend(&record, &canonical(&[(0, 4)], fields), Some(20_700)).unwrap();
        let again = unpack(&stored(&on.rest)).unwrap();
        assert_eq!((on.becomes, again.unfilled, again.goods.expected_day), (Some(0), vec![(0, 4)], 20_700));
    }
    // One that holds stock never gives it up to wait.
    record.status = Status::Confirmed;
    let more = json!({"allow_backorder": true});
    assert!(matches!(
        planner.amend(&record, &canonical(&[(0, 4)], more.clone()), Some(1)),
        Err(Outcome::Refused(Refusal::Short(_)))
    ));
    assert_eq!(planner.amend(&record, &canonical(&[(0, 3)], more), None).unwrap().becomes, None);
}

fn empty_plan() -> Plan {
    let (shipments, unfilled) = (vec![], vec![]);
    let selected = Book::default().named("cheapest").unwrap().clone();
    Plan { shipments, unfilled, goods: Goods::default(), selected, proven: false }
}
