//! Rules of looking anew: what is chosen, what pays, and in which sequence moves are done.

use serde_json::json;

use super::*;
use crate::catalogue::WarehouseTerms;
use crate::fixture::{lines, order, planner, warehouse};
use crate::goods::Goods;
use crate::planner::{Plan, Planner};
use crate::policy::Book;
use crate::record::{Status, head, pack};

/// Warehouses at 0, 10 and 20 degrees east, whose way costs.
fn three(stock: &[&[i64]]) -> Planner {
    let at = |east| WarehouseTerms { fixed_cost: 100, unit_cost: 10, cost_per_km: 1.0, ..warehouse(east) };
    planner(&[at(0.0), at(10.0), at(20.0)], stock)
}

/// A confirmed order to some degrees east that a warehouse serves.
fn stored(east: f64, wanted: &[(SkuId, i64)], at: WarehouseId) -> Vec<u8> {
    let plan = Plan {
        shipments: vec![Shipment { warehouse: at, cost: 1, lines: wanted.to_vec(), ..Shipment::default() }],
        unfilled: vec![],
        goods: Goods::default(),
        selected: Book::default().named("cheapest").unwrap().clone(),
        proven: true,
    };
    let canonical = order(json!({"ship_to": {"lat": 0.0, "lon": east}, "lines": lines(wanted)}));
    let mut record = head(Status::Confirmed, 3, 5, 0).to_vec();
    record.extend(pack(&[7; 16], &plan, &[], "CNY", &canonical, &[]));
    record
}

/// Looks at orders, and has each go where it costs least, as an assignment without a care for stock would.
fn planned(planner: &mut Planner, terms: Terms, orders: &[(&str, Vec<u8>, WarehouseId)]) -> Reallocation {
    let mut run = Reallocation::new(Terms { moves_max: 100, orders_max: 100, all_open: true, ..terms });
    orders.iter().for_each(|(id, record, _)| run.look(planner, id, record));
    run.freeze(planner);
    let columns = run.columns();
    let line: Vec<i64> = (0..columns.sku.len() as i64).collect();
    let wanted: Vec<i32> = orders.iter().map(|&(_, _, at)| at as i32).collect();
    run.begin(&line, &wanted, &columns.quantity);
    while run.place(planner) {}
    run.settle();
    run
}

fn moved(run: &Reallocation) -> Vec<&str> {
    run.moved().collect()
}

#[test]
fn orders_that_hold_each_others_stock_swap_in_one_chunk_however_small_it_is_to_be() {
    let mut planner = three(&[&[0, 0, 0]]);
    let orders = [("a", stored(0.0, &[(0, 1)], 1), 0), ("b", stored(10.0, &[(0, 1)], 0), 1)];
    let mut run = planned(&mut planner, Terms::default(), &orders);
    assert_eq!(moved(&run), ["a", "b"]);
    let (chunks, spanning) = run.sequence(&[0, 0], 1, 1);
    assert_eq!((chunks.len(), chunks[0].orders, spanning.len()), (1, 2, 0));
    assert_eq!(planner.view.free(0, 0), 0, "the planner's own view stays as it was");
}

#[test]
fn a_chain_begins_where_stock_is_free() {
    let mut planner = three(&[&[0, 0, 1]]);
    // "a" takes what "b" gives, which takes what is free.
    let orders = [("a", stored(10.0, &[(0, 1)], 0), 1), ("b", stored(20.0, &[(0, 1)], 1), 2)];
    let mut run = planned(&mut planner, Terms::default(), &orders);
    let (chunks, _) = run.sequence(&[0, 0], 1, 1);
    let of = |id: &str| {
        chunks
            .iter()
            .position(|chunk| chunk.rows.windows(id.len() + 1).any(|at| at == [&[0xa1], id.as_bytes()].concat()))
    };
    assert_eq!((chunks.len(), of("b"), of("a")), (2, Some(0), Some(1)));
}

#[test]
fn who_leans_on_stock_that_stays_where_it_is_stays_too() {
    let mut planner = three(&[&[0, 0, 0]]);
    // "b" would cost more elsewhere, so "a" finds nothing.
    let orders = [("a", stored(0.0, &[(0, 1)], 1), 0), ("b", stored(0.0, &[(0, 1)], 0), 1)];
    let run = planned(&mut planner, Terms::default(), &orders);
    assert!(moved(&run).is_empty());
    let told = run.told(&planner);
    assert_eq!((&told["cost_before"], &told["orders_moved"]), (&told["cost_after"], &json!(0)));
}

#[test]
fn nothing_moves_for_less_than_its_penalty_but_from_a_warehouse_that_is_down() {
    let orders = [("a", stored(0.0, &[(0, 2)], 1), 0)];
    let saved = {
        let mut planner = three(&[&[9, 0, 0]]);
        let told = planned(&mut planner, Terms::default(), &orders).told(&planner);
        told["cost_before"].as_i64().unwrap() - told["cost_after"].as_i64().unwrap()
    };
    assert!(saved > 1000);
    for (penalty, moves) in [(saved / 2, 1), (saved / 2 + 1, 0)] {
        let terms = Terms { move_penalty: penalty, ..Terms::default() };
        assert_eq!(moved(&planned(&mut three(&[&[9, 0, 0]]), terms, &orders)).len(), moves);
    }
    let terms = Terms { move_penalty: saved, down: Some(1), ..Terms::default() };
    assert_eq!(moved(&planned(&mut three(&[&[0, 0, 9]]), terms, &orders)).len(), 1);
}

#[test]
fn torn_and_strange_records_are_counted_and_break_nothing() {
    let mut planner = three(&[&[9, 0, 0]]);
    let whole = stored(0.0, &[(0, 2)], 1);
    let mut run = Reallocation::new(Terms { moves_max: 9, orders_max: 1, all_open: true, ..Terms::default() });
    for length in 0..whole.len() {
        run.look(&mut planner, "torn", &whole[..length]);
    }
    run.look(&mut planner, "unknown", &stored(0.0, &[(5, 1)], 1));
    run.look(&mut planner, "whole", &whole);
    run.look(&mut planner, "more", &whole);
    assert_eq!(run.len(), 1);
    assert_eq!(run.left_out["unreadable"], whole.len() as u64);
    assert_eq!((run.left_out["not_plannable"], run.left_out["too_many"]), (1, 1));
}
