//! How far plans of many lines are above the least that they could cost, where carriers charge whole shipments by weight.
//!
//! Where the least is no plan, as two of its shipments leave one warehouse, the gap is an upper bound of the true one, and the
//! order is counted as unsure.
//!
//! Run with `cargo bench --bench freight_gap`; `-- --orders 300` for more. Beside each figure stands its target. Finding the
//! optimum of 20 lines takes seconds.

#![allow(clippy::unwrap_used)] // A benchmark that cannot be set up has nothing to measure.

mod network;
mod weight_tariffs;

use std::time::Instant;

use weight_tariffs::TARIFFS;

const ORDERS: u64 = 60;

/// Percent of the optimum: mean and worst.
const GAP_TARGETS: (f64, f64) = (0.5, 5.0);
const MICROS_TARGET: f64 = 1000.0;

struct Measured {
    gap: f64,
    micros: f64,
    proven: bool,
    sure: bool,
}

fn main() {
    let orders =
        std::env::args().skip_while(|word| word != "--orders").nth(1).map_or(ORDERS, |word| word.parse().unwrap());
    let all: Vec<Measured> = (0..orders).map(measure).collect();
    println!(
        "                 orders   gap %: mean     p99   worst   at the optimum   proven   µs: median     p99   worst"
    );
    for (kind, tariff) in TARIFFS.iter().enumerate() {
        print(&format!("{tariff:?}"), &all.iter().skip(kind).step_by(TARIFFS.len()).collect::<Vec<_>>());
    }
    print("all", &all.iter().collect::<Vec<_>>());
    print("all but unsure", &all.iter().filter(|row| row.sure).collect::<Vec<_>>());
    println!("targets{:>23.1}{:>16.1}{:>54.0}", GAP_TARGETS.0, GAP_TARGETS.1, MICROS_TARGET);
}

fn measure(seed: u64) -> Measured {
    let (mut planner, demand) = weight_tariffs::order(seed);
    let (least, sure) = weight_tariffs::least(&mut planner, &demand);
    let mut micros = f64::MAX;
    let mut plan = planner.plan(&demand).unwrap();
    for _ in 0..3 {
        let start = Instant::now();
        plan = planner.plan(&demand).unwrap();
        micros = micros.min(start.elapsed().as_secs_f64() * 1e6);
    }
    assert!(plan.cost() >= least, "order {seed} costs {}, less than {least}", plan.cost());
    assert!(!plan.proven || plan.cost() == least, "order {seed} is wrongly proven");
    Measured { gap: 100.0 * (plan.cost() - least) as f64 / least as f64, micros, proven: plan.proven, sure }
}

fn print(name: &str, rows: &[&Measured]) {
    let sorted = |of: fn(&Measured) -> f64| {
        let mut values: Vec<f64> = rows.iter().map(|row| of(row)).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (gaps, micros) = (sorted(|row| row.gap), sorted(|row| row.micros));
    let at = |values: &[f64], percent: usize| values[(values.len() - 1) * percent / 100];
    println!(
        "{name:<16} {:>6} {:>13.2} {:>7.2} {:>7.2} {:>16} {:>8} {:>12.0} {:>7.0} {:>7.0}",
        rows.len(),
        gaps.iter().sum::<f64>() / rows.len() as f64,
        at(&gaps, 99),
        at(&gaps, 100),
        gaps.iter().filter(|gap| **gap == 0.0).count(),
        rows.iter().filter(|row| row.proven).count(),
        at(&micros, 50),
        at(&micros, 99),
        at(&micros, 100),
    );
}
