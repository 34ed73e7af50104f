//! Rules of looking anew: what is chosen, what pays, and in which sequence moves are done.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::assignment::{Effort, Problem, assign};
use crate::catalogue::{SkuTerms, WarehouseTerms};
use crate::fixture::{lines, order, planner, warehouse};
use crate::goods::Goods;
use crate::ids::{cell_id, pool_id};
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
    stored_with(json!({"ship_to": {"lat": 0.0, "lon": east}}), wanted, at, vec![])
}

/// One with these fields that holds these cells, or those that all share.
fn stored_with(
    mut fields: serde_json::Value,
    wanted: &[(SkuId, i64)],
    at: WarehouseId,
    cells: Vec<(CellId, i64)>,
) -> Vec<u8> {
    let plan = Plan {
        shipments: vec![Shipment { warehouse: at, cost: 1, lines: wanted.to_vec(), cells, ..Shipment::default() }],
        unfilled: vec![],
        goods: Goods::default(),
        selected: Book::default().named("cheapest").unwrap().clone(),
        proven: true,
    };
    fields["lines"] = lines(wanted);
    let canonical = order(fields);
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

/// Solves the columns of a run that was frozen, and has the planner place what that says.
fn assigned(run: &mut Reallocation, planner: &mut Planner) {
    let columns = run.columns();
    let problem = Problem {
        line_start: &columns.line_start,
        sku: &columns.sku,
        quantity: &columns.quantity,
        region: &columns.region,
        fixed: &columns.fixed,
        unit_cost: &columns.unit_cost,
        stock: &columns.stock,
        unserved_fixed: columns.unserved_fixed,
        unserved_unit: &columns.unserved_unit,
        shipments_max: Some(&columns.shipments_max),
        placed: Some(&columns.placed),
        move_penalty: columns.move_penalty,
        priority: Some(&columns.priority),
        channel: (!columns.pool.is_empty()).then_some(&columns.channel),
        pool: (!columns.pool.is_empty()).then_some(&columns.pool),
        ..Problem::default()
    };
    let effort = Effort { time_limit: Duration::from_secs(60), threads: 1, seed: 0 };
    let found = assign(&problem, effort, &mut ()).unwrap();
    run.begin(&found.line, &found.warehouse, &found.quantity);
    while run.place(planner) {}
    run.settle();
}

#[test]
fn a_pool_serves_its_channel_alone() {
    let mut planner = three(&[&[0, 0, 0]]);
    assert!(planner.catalogue.put_channel(1, "app") && planner.catalogue.put_channel(2, "shop"));
    planner.view.set(pool_id(1, 0, 1), 2, 1);
    let of = |channel: &str| {
        let fields = json!({"ship_to": {"lat": 0.0, "lon": 0.0}, "channel": channel});
        stored_with(fields, &[(0, 1)], 0, vec![])
    };
    let terms = Terms { moves_max: 9, orders_max: 9, down: Some(0), ..Terms::default() };
    let mut run = Reallocation::new(terms.clone());
    for (id, record) in [("a", stored(0.0, &[(0, 1)], 0)), ("b", of("shop")), ("c", of("app")), ("d", of("app"))] {
        run.look(&mut planner, id, &record);
    }
    run.freeze(&planner);
    assigned(&mut run, &mut planner);
    assert_eq!(moved(&run), ["c", "d"]);
    assert_eq!(run.unserved(), ["a", "b"].map(|id| (id.to_owned(), "no_stock".to_owned())));
}

#[test]
fn pools_are_columns_with_what_orders_hold_of_them() {
    let mut planner = three(&[&[0, 3, 0]]);
    assert!(planner.catalogue.put_channel(1, "app") && planner.catalogue.put_channel(2, "shop"));
    assert!(planner.catalogue.put_channel(3, "fair"));
    // Nobody here is of the fair.
    for (channel, units) in [(1, 5), (2, 0), (3, 9)] {
        planner.view.set(pool_id(channel, 0, 1), units, 1);
    }
    let mut run = Reallocation::new(Terms { moves_max: 9, orders_max: 9, all_open: true, ..Terms::default() });
    let held = vec![(pool_id(2, 0, 2), 1), (cell_id(0, 2), 3)];
    run.look(&mut planner, "a", &stored(0.0, &[(0, 1)], 0));
    run.look(&mut planner, "b", &stored_with(json!({"channel": "shop"}), &[(0, 4)], 2, held));
    run.look(&mut planner, "c", &stored_with(json!({"channel": "app"}), &[(0, 1)], 0, vec![]));
    run.freeze(&planner);
    let columns = run.columns();
    assert_eq!((columns.stock, columns.channel), (vec![2, 3, 3], vec![-1, 1, 0]));
    assert_eq!(columns.pool, [0, 5, 0, 0, 0, 1]);
}

#[test]
fn orders_whose_policy_leaves_pools_alone_have_none() {
    for (pools, channel, pool) in [("first", vec![0], vec![0, 5, 0]), ("never", vec![], vec![])] {
        let mut planner = three(&[&[0, 3, 0]]);
        assert!(planner.catalogue.put_channel(1, "app"));
        planner.view.set(pool_id(1, 0, 1), 5, 1);
        let policies = [json!({"name": "p", "only": {"pools": pools}})];
        let book = json!({"version": "1", "default": "p", "policies": policies, "rules": []});
        planner.set_book(Book::decode(&rmp_serde::to_vec_named(&book).unwrap()).unwrap());
        let mut run = Reallocation::new(Terms { moves_max: 9, orders_max: 9, all_open: true, ..Terms::default() });
        run.look(&mut planner, "a", &stored_with(json!({"channel": "app"}), &[(0, 1)], 0, vec![]));
        run.freeze(&planner);
        let columns = run.columns();
        assert_eq!((columns.channel, columns.pool), (channel, pool), "{pools}");
    }
}

#[test]
fn orders_of_a_pool_leave_to_others_what_is_shared() {
    // Shared is one unit at the second warehouse, and one far away; the app has one at the second.
    let mut planner = three(&[&[0, 1, 1]]);
    assert!(planner.catalogue.put_channel(1, "app"));
    planner.view.set(pool_id(1, 0, 1), 1, 1);
    let mut run = Reallocation::new(Terms { moves_max: 9, orders_max: 9, down: Some(0), ..Terms::default() });
    run.look(&mut planner, "a", &stored(0.0, &[(0, 1)], 0));
    run.look(&mut planner, "b", &stored_with(json!({"channel": "app"}), &[(0, 1)], 0, vec![]));
    run.freeze(&planner);
    assigned(&mut run, &mut planner);
    let at: Vec<WarehouseId> = run.moves().map(|(_, _, made)| made.shipments[0].warehouse).collect();
    assert_eq!(at, [1, 1]);
}

#[test]
fn a_customer_who_has_as_many_as_may_be_had_is_left_out() {
    let mut planner = three(&[&[9, 0, 0]]);
    assert!(planner.catalogue.put_sku(0, "s0", SkuTerms { purchase_limit: 3, ..SkuTerms::default() }));
    let waiting = |customer: Option<&str>| {
        let mut record = stored_with(json!({"customer": customer}), &[(0, 2)], 0, vec![]);
        record[1] = Status::Backordered as u8;
        record
    };
    let mut run = Reallocation::new(Terms { moves_max: 9, orders_max: 9, backordered: true, ..Terms::default() });
    for (id, customer) in [("a", Some("has one")), ("b", Some("has two")), ("c", None), ("d", Some("has two"))] {
        run.look(&mut planner, id, &waiting(customer));
    }
    assert_eq!(run.purchases(), ["0:has one", "0:has two"]);
    run.leave_out_limited(&[("0:has one".to_owned(), 1), ("0:has two".to_owned(), 2)].into_iter().collect());
    assert_eq!(run.orders.iter().map(|open| &*open.id).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!((run.left_out["purchase_limit"], run.regions[0].orders), (2, 2));
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
