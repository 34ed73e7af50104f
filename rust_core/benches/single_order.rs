//! What choosing the warehouses of one order costs: the kernel alone, on random orders of several sizes and shares of stock.
//!
//! Run with `cargo bench --bench single_order`; times are of one order. `cargo bench --bench single_order -- --spread` prints
//! the whole spread instead: median, p90 and p99 of many orders, each at the best of three runs, how many are proven, the
//! widest gap, and the nodes searched, which no other work on the machine changes.

mod random_order;

use std::hint::black_box;
use std::time::Instant;

use divan::Bencher;
use random_order::{Kind, RandomOrder};
use stockade_core::kernel::cut::{CutProblem, solve_cut};
use stockade_core::kernel::{Kernel, Problem, UNSERVABLE};

/// Different orders that a benchmark walks through.
const ORDERS: u64 = 64;
const SPREAD_ORDERS: u64 = 300;
/// A mile is cheap or dear to go.
const PER_MILE: [f64; 2] = [0.000_541, 0.005];
/// (lines, warehouses).
const SIZES: [(usize, usize); 6] = [(1, 50), (2, 50), (3, 50), (8, 100), (12, 100), (20, 200)];
/// Percent of cells in stock away from the centres.
const STOCKED: [u32; 5] = [100, 60, 30, 8, 4];

fn main() {
    if std::env::args().any(|argument| argument == "--spread") {
        print_spread();
    } else {
        divan::main();
    }
}

fn kind(lines: usize, warehouses: usize, percent: u32, per_mile: f64, centres: bool) -> Kind {
    Kind { lines, warehouses, stocked: f64::from(percent) / 100.0, per_mile, centres }
}

fn problem(order: &RandomOrder) -> Problem<'_> {
    Problem { fixed: &order.fixed, cost: &order.cost, shipments_max: usize::MAX, node_limit: None }
}

fn solve_each(bencher: Bencher, kind: Kind) {
    let orders: Vec<RandomOrder> = (0..ORDERS).map(|seed| kind.order(seed, UNSERVABLE)).collect();
    let mut kernel = Kernel::default();
    let mut next = orders.iter().cycle();
    bencher.bench_local(|| next.next().map(|order| kernel.solve(black_box(&problem(order)))));
}

/// By lines and warehouses, 60 % of cells in stock.
#[divan::bench(args = SIZES)]
fn by_size(bencher: Bencher, (lines, warehouses): (usize, usize)) {
    solve_each(bencher, kind(lines, warehouses, 60, PER_MILE[1], false));
}

/// Every cell in stock.
#[divan::bench(args = SIZES)]
fn well_stocked(bencher: Bencher, (lines, warehouses): (usize, usize)) {
    solve_each(bencher, kind(lines, warehouses, 100, PER_MILE[0], false));
}

/// 20 lines, 200 warehouses, one in 25 a well-stocked centre; by the percentage that the others stock.
#[divan::bench(args = STOCKED)]
fn by_share_of_stock(bencher: Bencher, percent: u32) {
    solve_each(bencher, kind(20, 200, percent, PER_MILE[1], true));
}

/// 8 lines, 30 % of cells in stock.
#[divan::bench(args = [10, 20, 50, 100, 200, 500])]
fn by_warehouses(bencher: Bencher, warehouses: usize) {
    solve_each(bencher, kind(8, warehouses, 30, PER_MILE[1], true));
}

/// 5 lines of 40 units, of which each warehouse has up to 25.
#[divan::bench(args = [10, 30, 100, 300])]
fn cut_lines(bencher: Bencher, warehouses: usize) {
    const LINES: usize = 5;
    let orders: Vec<(RandomOrder, Vec<i64>)> = (0..ORDERS)
        .map(|seed| {
            let order = kind(LINES, warehouses, 100, PER_MILE[1], false).order(seed, UNSERVABLE);
            let mut draw = random_order::Draw::new(seed);
            let free = order.cost.iter().map(|_| (draw.unit() * 26.0) as i64).collect();
            (order, free)
        })
        .collect();
    let mut next = orders.iter().cycle();
    bencher.bench_local(|| {
        next.next().map(|(order, free)| {
            solve_cut(black_box(&CutProblem {
                fixed: &order.fixed,
                wanted: &[40; LINES],
                free,
                unit_cost: &order.cost,
                shipments_max: usize::MAX,
                node_limit: None,
            }))
        })
    });
}

fn print_spread() {
    println!(
        "                                          µs: median     p90     p99   unproven  widest gap  nodes: median  p99"
    );
    for (lines, warehouses) in SIZES {
        for centres in [false, true] {
            for percent in STOCKED {
                for per_mile in PER_MILE {
                    print_spread_of(kind(lines, warehouses, percent, per_mile, centres));
                }
            }
        }
    }
}

fn print_spread_of(kind: Kind) {
    let mut kernel = Kernel::default();
    let (mut micros, mut nodes) = (Vec::new(), Vec::new());
    let (mut unproven, mut widest) = (0, 0.0_f64);
    for seed in 0..SPREAD_ORDERS {
        let order = kind.order(seed, UNSERVABLE);
        let mut best = f64::MAX;
        for _ in 0..3 {
            let start = Instant::now();
            let found = kernel.solve(black_box(&problem(&order)));
            best = best.min(start.elapsed().as_secs_f64() * 1e6);
            if let Ok(found) = found {
                nodes.push(found.nodes);
                unproven += u32::from(!found.proven);
                widest = widest.max((found.cost - found.bound) as f64 / found.bound as f64);
            }
        }
        micros.push(best);
    }
    micros.sort_by(f64::total_cmp);
    nodes.sort_unstable();
    let at = |count: usize, percent: usize| (count - 1) * percent / 100;
    println!(
        "{:>3} x {:<4} {:>3.0} % stocked {:>8} a mile {:<8} {:>8.2} {:>7.1} {:>7.1} {:>10} {:>10.2}% {:>14} {:>4}",
        kind.lines,
        kind.warehouses,
        kind.stocked * 100.0,
        kind.per_mile,
        if kind.centres { "centres" } else { "" },
        micros[at(micros.len(), 50)],
        micros[at(micros.len(), 90)],
        micros[at(micros.len(), 99)],
        unproven / 3,
        widest * 100.0,
        nodes[at(nodes.len(), 50)],
        nodes[at(nodes.len(), 99)],
    );
}
