//! What planning costs: one order on networks of several sizes, the kernel alone on the same, and a batch's bytes.
//! Run with `cargo bench`; the times are of one order unless the name says batch.

#![allow(clippy::unwrap_used)] // A benchmark that cannot be set up has nothing to measure.

mod batches;
mod network;

use std::cell::RefCell;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use stockade_core::answer::Allocation;
use stockade_core::kernel::{self, Problem, UNSERVABLE};
use stockade_core::order::Order;
use stockade_core::planner::{Candidates, Demand, Planner};
use stockade_core::policy::Traits;

use network::ALL;

/// (lines, warehouses, percent of cells stocked): the sample's size first.
const SIZES: [(u32, u32, u64); 5] = [(2, 30, ALL), (2, 50, ALL), (3, 50, ALL), (8, 100, ALL), (20, 200, 4)];
/// (lines, warehouses, units a line): no single warehouse has 25.
const LARGE: [(u32, u32, i64); 6] =
    [(100, 30, 3), (100, 200, 3), (100, 500, 3), (100, 30, 25), (20, 160, 60), (60, 400, 60)];
/// Rules of a book.
const RULES: [usize; 2] = [0, 20];
/// Different orders that a benchmark of one order walks through.
const ORDERS: u64 = 64;
/// Several for each of the orders.
const SAMPLES: u32 = 640;

fn main() {
    divan::main();
}

fn demands(planner: &Planner, lines: u32) -> Vec<Demand> {
    (0..ORDERS)
        .map(|number| planner.resolve(&Order::decode(&network::order(number, lines)).unwrap()).unwrap())
        .collect()
}

/// Choosing an order's shipments, its lanes known.
#[divan::bench(args = SIZES, sample_count = SAMPLES)]
fn plan(bencher: Bencher, (lines, warehouses, percent): (u32, u32, u64)) {
    let mut planner = network::planner(warehouses, percent);
    let demands = demands(&planner, lines);
    for demand in &demands {
        assert!(planner.plan(demand).is_ok());
    }
    let mut next = demands.iter().cycle();
    bencher.bench_local(|| next.next().map(|demand| planner.plan(demand)));
}

/// The same where freight is by the weight of whole shipments and two carriers compete: lines and warehouses.
#[divan::bench(args = [(1, 30), (2, 50), (3, 50), (5, 50), (8, 100)], sample_count = SAMPLES)]
fn plan_by_weight(bencher: Bencher, (lines, warehouses): (u32, u32)) {
    let mut planner = network::by_weight(warehouses);
    let demands = demands(&planner, lines);
    for demand in &demands {
        assert!(planner.plan(demand).is_ok());
    }
    let mut next = demands.iter().cycle();
    bencher.bench_local(|| next.next().map(|demand| planner.plan(demand)));
}

/// The same under the largest tariff that the doors let in.
#[divan::bench(args = [(1, 30), (2, 30), (2, 200)], sample_count = SAMPLES)]
fn plan_by_largest_tariff(bencher: Bencher, (lines, warehouses): (u32, u32)) {
    let mut planner = network::largest_tariff(warehouses);
    let demands = demands(&planner, lines);
    for demand in &demands {
        assert!(planner.plan(demand).is_ok());
    }
    let mut next = demands.iter().cycle();
    bencher.bench_local(|| next.next().map(|demand| planner.plan(demand)));
}

/// The same by how many SKUs there are, half of the cells stocked: resolving names and choosing, as more and more of it lies
/// beyond the processor's caches.
#[divan::bench(args = [1_000, 10_000, 100_000, 1_000_000], sample_count = SAMPLES)]
fn plan_by_skus(bencher: Bencher, skus: u32) {
    const ORDERS: u64 = 10_000;
    let mut planner = network::planner_of(skus, 10, 50);
    let orders: Vec<Vec<u8>> = (0..ORDERS).map(|number| network::order_of(skus, number, 2)).collect();
    let mut next = orders.iter().cycle();
    bencher.bench_local(|| {
        let order = Order::decode(next.next()?).ok()?;
        let demand = planner.resolve(&order).ok()?;
        planner.plan(&demand).ok()
    });
}

/// By how many warehouses there are, half of the cells stocked.
#[divan::bench(args = [10, 20, 50, 100, 200, 500], sample_count = SAMPLES)]
fn plan_by_warehouses(bencher: Bencher, warehouses: u32) {
    let mut planner = network::planner(warehouses, 50);
    let demands = demands(&planner, 3);
    let mut next = demands.iter().cycle();
    bencher.bench_local(|| next.next().map(|demand| planner.plan(demand)));
}

/// The largest orders that the doors let in, on a fixed cost that splits them: what the bounds on the work leave of them.
#[divan::bench(args = LARGE, sample_count = ORDERS as u32)]
fn plan_large(bencher: Bencher, (lines, warehouses, units): (u32, u32, i64)) {
    let mut planner = network::large(warehouses);
    let demand = planner.resolve(&Order::decode(&network::large_order(lines, units, None)).unwrap()).unwrap();
    assert!(planner.plan(&demand).is_ok());
    bencher.bench_local(|| planner.plan(&demand));
}

/// The same orders where too few shipments are allowed, so that every attempt is made.
#[divan::bench(args = LARGE, sample_count = ORDERS as u32)]
fn refuse_large(bencher: Bencher, (lines, warehouses, units): (u32, u32, i64)) {
    let mut planner = network::large(warehouses);
    let demand = planner.resolve(&Order::decode(&network::large_order(lines, units, Some(3))).unwrap()).unwrap();
    bencher.bench_local(|| planner.plan(&demand));
}

/// The kernel's part of `plan`.
#[divan::bench(args = SIZES, sample_count = SAMPLES)]
fn solve(bencher: Bencher, (lines, warehouses, percent): (u32, u32, u64)) {
    let mut planner = network::planner(warehouses, percent);
    let problems: Vec<(Vec<i64>, Vec<i64>)> = demands(&planner, lines)
        .iter()
        .map(|demand| {
            let candidates = planner.candidates(demand);
            costs(&planner, demand, &candidates)
        })
        .collect();
    let mut next = problems.iter().cycle();
    bencher.bench_local(|| {
        next.next()
            .map(|(fixed, cost)| kernel::solve(&Problem { fixed, cost, shipments_max: usize::MAX, node_limit: None }))
    });
}

fn costs(planner: &Planner, demand: &Demand, candidates: &Candidates) -> (Vec<i64>, Vec<i64>) {
    let supply = candidates.supply();
    let mut cost = Vec::new();
    for (line, &(sku, quantity)) in demand.lines.iter().enumerate() {
        let terms = planner.catalogue.sku_terms(sku);
        cost.extend(candidates.lanes.iter().enumerate().map(|(column, lane)| {
            if supply.at(line, column) < quantity { UNSERVABLE } else { lane.line_cost(&terms, quantity) }
        }));
    }
    (candidates.lanes.iter().map(|lane| lane.fixed).collect(), cost)
}

/// Reading an order's canonical bytes.
#[divan::bench(sample_count = SAMPLES)]
fn decode(bencher: Bencher) {
    let bytes = network::order(1, 2);
    bencher.bench(|| Order::decode(black_box(&bytes)).map(|order| order.lines.len()));
}

/// Finding an order's policy, the book having so many rules that do not fit it.
#[divan::bench(args = RULES, sample_count = SAMPLES)]
fn select(bencher: Bencher, rules: usize) {
    let (bytes, traits) = (network::order(1, 2), Traits::default());
    let (book, order) = (network::book(rules), Order::decode(&bytes).unwrap());
    bencher.bench(|| book.select(black_box(&order), &[(1, 1), (2, 1)], &traits, None));
}

/// Writing an order's Allocation.
#[divan::bench(sample_count = SAMPLES)]
fn allocation_json(bencher: Bencher) {
    let mut planner = network::planner(batches::WAREHOUSES, ALL);
    let plan = planner.plan(&demands(&planner, 2)[0]).unwrap();
    bencher.bench_local(|| {
        Allocation {
            order_id: "D20261111-000001",
            status: "confirmed",
            version: 1,
            shipments: black_box(&plan.shipments),
            unfilled: &plan.unfilled,
            goods: &plan.goods,
            shipped: &[],
            currency: &planner.currency,
            expires_ms: 0,
            policy: &plan.selected.label,
        }
        .to_json(&planner.catalogue)
    });
}

/// From canonical bytes to a planned batch.
#[divan::bench(sample_count = SAMPLES)]
fn batch_plan(bencher: Bencher) {
    let (planner, orders) = (RefCell::new(network::planner(batches::WAREHOUSES, ALL)), batches::bytes(0));
    bencher.counter(ItemsCount::new(batches::ORDERS)).bench_local(|| batches::plan_all(&planner, &orders));
}

/// A planned batch's commit arguments.
#[divan::bench(sample_count = SAMPLES)]
fn batch_pack(bencher: Bencher) {
    let (planner, orders) = (RefCell::new(network::planner(batches::WAREHOUSES, ALL)), batches::bytes(0));
    let batch = batches::plan_all(&planner, &orders);
    bencher.counter(ItemsCount::new(batches::ORDERS)).bench_local(|| batch.commit_args(0, 1_700_000_000_000));
}

/// From the reply that everything was taken to the callers' answers.
#[divan::bench(sample_count = SAMPLES)]
fn batch_settle(bencher: Bencher) {
    let (planner, orders) = (RefCell::new(network::planner(batches::WAREHOUSES, ALL)), batches::bytes(0));
    let reply = batches::all_taken();
    bencher
        .counter(ItemsCount::new(batches::ORDERS))
        .with_inputs(|| batches::plan_all(&planner, &orders))
        .bench_local_refs(|batch| planner.borrow_mut().settle(batch, std::slice::from_ref(&reply)));
}
