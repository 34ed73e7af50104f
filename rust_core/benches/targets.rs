//! The planner's promises of speed inside Rust, each beside what this machine measures: `cargo bench --bench targets`.
//!
//! Every order counts with the best of its runs, as the machine's other work only ever adds; of several kinds of orders the
//! worst is shown.

#![allow(clippy::unwrap_used)] // A benchmark that cannot be set up has nothing to measure.

mod network;
mod random_order;

use std::hint::black_box;
use std::time::Instant;

use random_order::Kind;
use stockade_core::kernel::{Kernel, Problem, UNSERVABLE};
use stockade_core::order::Order;
use stockade_core::planner::Demand;

const ORDERS: u64 = 300;
const RUNS: usize = 5;
/// A mile is cheap or dear to go.
const PER_MILE: [f64; 2] = [0.000_541, 0.005];
/// Share of cells in stock away from the centres.
const STOCKED: [f64; 4] = [0.6, 0.3, 0.08, 0.04];
/// Plans between two looks at the clock, where one is too short for it.
const AT_ONCE: u32 = 100;

/// Medians and p99 in microseconds, and the widest gap in percent.
#[derive(Default)]
struct Worst {
    median: f64,
    p99: f64,
    gap: f64,
}

fn main() {
    println!("{:<52} {:>10} {:>10}", "", "measured", "target");
    let few = worst(3, 50, false);
    row("3 lines x 50 warehouses, median µs", few.median, 2.0);
    row("8 x 100, median µs", worst(8, 100, false).median, 60.0);
    let many = worst(20, 200, true);
    row("20 x 200, a centre per 25 sites, median µs", many.median, 500.0);
    row("20 x 200, a centre per 25 sites, p99 µs", many.p99, 4000.0);
    row("20 x 200, a centre per 25 sites, widest gap %", many.gap, 4.0);
    row("2 x 50, all well stocked, planned, median ns", hot_path_ns(), 300.0);
}

fn row(what: &str, measured: f64, target: f64) {
    println!("{what:<52} {measured:>10.2} {target:>10}{}", if measured <= target { "" } else { "  MISSED" });
}

fn worst(lines: usize, warehouses: usize, centres: bool) -> Worst {
    let mut worst = Worst::default();
    for stocked in STOCKED {
        for per_mile in PER_MILE {
            let one = measure(Kind { lines, warehouses, stocked, per_mile, centres });
            worst = Worst {
                median: worst.median.max(one.median),
                p99: worst.p99.max(one.p99),
                gap: worst.gap.max(one.gap),
            };
        }
    }
    worst
}

fn measure(kind: Kind) -> Worst {
    let (mut kernel, mut micros, mut gap) = (Kernel::default(), Vec::new(), 0.0_f64);
    for seed in 0..ORDERS {
        let order = kind.order(seed, UNSERVABLE);
        let problem = Problem { fixed: &order.fixed, cost: &order.cost, shipments_max: usize::MAX, node_limit: None };
        let mut best = f64::MAX;
        for _ in 0..RUNS {
            let start = Instant::now();
            let found = kernel.solve(black_box(&problem)).unwrap();
            best = best.min(start.elapsed().as_secs_f64() * 1e6);
            gap = gap.max(100.0 * (found.cost - found.bound) as f64 / found.bound as f64);
        }
        micros.push(best);
    }
    micros.sort_by(f64::total_cmp);
    Worst { median: micros[micros.len() / 2], p99: micros[micros.len() * 99 / 100], gap }
}

/// The whole plan of an order: stock, lanes and costs looked up, warehouse chosen, shipments made.
fn hot_path_ns() -> f64 {
    let mut planner = network::planner(50, network::ALL);
    let demands: Vec<Demand> =
        (0..64).map(|number| planner.resolve(&Order::decode(&network::order(number, 2)).unwrap()).unwrap()).collect();
    let mut nanos: Vec<f64> = demands
        .iter()
        .map(|demand| {
            let timed = (0..20 * RUNS).map(|_| {
                let start = Instant::now();
                for _ in 0..AT_ONCE {
                    assert!(black_box(planner.plan(black_box(demand))).is_ok());
                }
                start.elapsed().as_secs_f64() * 1e9 / f64::from(AT_ONCE)
            });
            timed.fold(f64::MAX, f64::min)
        })
        .collect();
    nanos.sort_by(f64::total_cmp);
    nanos[nanos.len() / 2]
}
