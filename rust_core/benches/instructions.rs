//! How many instructions the hot paths of kernel and planner take: the same at any load, so that a change can be judged where
//! clocks are too noisy. Needs valgrind, under which each case runs in a process of its own.
//!
//! Run with `cargo bench --bench instructions`; `-- --case NAME` does the work of one case and counts nothing. Beside each
//! median stands its limit; exits with 1 where one is exceeded. Memory is warm: each case has done its orders once before
//! they are counted. Figures are those of one compiler and one processor family, whose `memcpy` the C library chooses.

#![allow(clippy::unwrap_used)] // A benchmark that cannot be set up has nothing to measure.

mod batches;
mod network;
mod random_order;
mod weight_tariffs;

use std::cell::RefCell;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};

use random_order::{Kind, RandomOrder};
use stockade_core::kernel::{Kernel, Problem, UNSERVABLE};
use stockade_core::order::Order;
use stockade_core::planner::{Demand, Planner};

const ORDERS: u64 = 64;
const BATCHES: u64 = 5;
/// Orders of many lines under tariffs by weight.
const MANY_LINES: u64 = 48;
/// Share of cells in stock away from the centres, and what a mile costs a line: the kernel's orders have all of these by turns.
const STOCKED: [f64; 4] = [0.6, 0.3, 0.08, 0.04];
const PER_MILE: [f64; 2] = [0.000_541, 0.005];

/// What valgrind counts between entry and return, and then writes down; of two equal patterns it would heed one alone.
const COUNTED: &str = "*the_counted_part*";
const WRITTEN: &str = "instructions::the_counted*";
const NO_VALGRIND: &str = "valgrind counts the instructions and cannot be started; install it (apt-get install valgrind, dnf install valgrind)";

struct Case {
    name: &'static str,
    what: &'static str,
    /// Orders that are counted at once, of which the mean is shown.
    at_once: u64,
    /// Instructions an order, of the median: a seventh more than were counted when it was set.
    limit: u64,
    run: fn(),
}

const CASES: [Case; 13] = [
    one("solve-1x50", "kernel, 1 line x 50 warehouses (argmin)", 1_150, || solve(1, 50, false)),
    one("solve-2x50", "kernel, 2 x 50", 2_150, || solve(2, 50, false)),
    one("solve-3x50", "kernel, 3 x 50", 5_400, || solve(3, 50, false)),
    one("solve-8x100", "kernel, 8 x 100", 300_000, || solve(8, 100, false)),
    one("solve-20x200", "kernel, 20 x 200, a centre per 25 sites", 960_000, || solve(20, 200, true)),
    one("plan-2x50", "plan, 2 x 50, all well stocked (the hot path)", 1_260, || {
        plan(network::planner(50, network::ALL), 2);
    }),
    one("plan-weight-2x50", "plan by weight steps and two carriers, 2 x 50", 220_000, || {
        plan(network::by_weight(50), 2);
    }),
    one("plan-weight-8x100", "the same, 8 x 100", 7_300_000, || plan(network::by_weight(100), 8)),
    one("plan-weight-many", "tariffs by weight, 9 to 20 lines x 10 to 30", 6_700_000, plan_many_lines),
    one("decode", "decode an order of two lines", 2_500, decode),
    batch("batch-plan", "a batch of 200 two-line orders: decode, resolve, plan", 9_200, batch_plan),
    batch("batch-pack", "the same: pack the commit", 1_720, batch_pack),
    batch("batch-settle", "the same: settle, and write the answers", 3_600, batch_settle),
];

const fn one(name: &'static str, what: &'static str, limit: u64, run: fn()) -> Case {
    Case { name, what, at_once: 1, limit, run }
}

const fn batch(name: &'static str, what: &'static str, limit: u64, run: fn()) -> Case {
    Case { name, what, at_once: batches::ORDERS, limit, run }
}

fn main() -> ExitCode {
    if let Some(name) = std::env::args().skip_while(|word| word != "--case").nth(1) {
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        (case.run)();
        return ExitCode::SUCCESS;
    }
    let folder = std::env::temp_dir().join(format!("stockade-instructions-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let done = count_all(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all limits are kept.
fn count_all(folder: &Path) -> Result<bool, String> {
    let mut kept = true;
    println!("{:<58} {:>10} {:>10} {:>10} {:>10}", "instructions an order", "median", "mean", "max", "limit");
    for case in &CASES {
        let mut counts: Vec<u64> = count(case, folder)?.iter().map(|count| count / case.at_once).collect();
        counts.sort_unstable();
        let (median, most) = (counts[counts.len() / 2], counts[counts.len() - 1]);
        let mean = counts.iter().sum::<u64>() / counts.len() as u64;
        let exceeded = median > case.limit;
        let mark = if exceeded { "  EXCEEDED" } else { "" };
        println!("{:<58} {median:>10} {mean:>10} {most:>10} {:>10}{mark}", case.what, case.limit);
        kept &= !exceeded;
    }
    Ok(kept)
}

/// Runs a case under valgrind, which writes a file each time that the counted part returns: its instructions.
fn count(case: &Case, folder: &Path) -> Result<Vec<u64>, String> {
    let output = folder.join(case.name);
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=yes", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--dump-after={WRITTEN}"))
        .arg(format!("--callgrind-out-file={}", output.display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--case", case.name])
        .output()
        .map_err(|error| format!("{NO_VALGRIND}: {error}"))?;
    if !run.status.success() {
        return Err(format!("{}: {}", case.name, String::from_utf8_lossy(&run.stderr)));
    }
    let mut counts = Vec::new();
    for part in 1_u32.. {
        let Ok(text) = std::fs::read_to_string(output.with_extension(part.to_string())) else { break };
        let totals = text.lines().find_map(|line| line.strip_prefix("totals: ")).and_then(|total| total.parse().ok());
        // The part that valgrind writes at the end holds nothing.
        counts.extend(totals.filter(|&total: &u64| total > 0));
    }
    if counts.is_empty() { Err(format!("{}: valgrind counted nothing", case.name)) } else { Ok(counts) }
}

/// What is counted, by this name.
#[inline(never)]
fn the_counted_part<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

/// Does some work for each, then once more, counted.
fn count_each<I, T>(inputs: &[I], mut work: impl FnMut(&I) -> T) {
    for input in inputs {
        black_box(work(black_box(input)));
    }
    for input in inputs {
        drop(the_counted_part(|| work(black_box(input))));
    }
}

fn solve(lines: usize, warehouses: usize, centres: bool) {
    let kinds = STOCKED.into_iter().flat_map(|stocked| PER_MILE.map(|per_mile| (stocked, per_mile)));
    let kinds = kinds.map(|(stocked, per_mile)| Kind { lines, warehouses, stocked, per_mile, centres });
    let per_kind = ORDERS / (STOCKED.len() * PER_MILE.len()) as u64;
    let orders: Vec<RandomOrder> =
        kinds.flat_map(|kind| (0..per_kind).map(move |seed| kind.order(seed, UNSERVABLE))).collect();
    let mut kernel = Kernel::default();
    count_each(&orders, |order| {
        kernel.solve(&Problem { fixed: &order.fixed, cost: &order.cost, shipments_max: usize::MAX, node_limit: None })
    });
}

fn plan(mut planner: Planner, lines: u32) {
    let demands: Vec<Demand> = (0..ORDERS)
        .map(|number| planner.resolve(&Order::decode(&network::order(number, lines)).unwrap()).unwrap())
        .collect();
    count_each(&demands, |demand| planner.plan(demand));
}

fn plan_many_lines() {
    for seed in 0..MANY_LINES {
        let (mut planner, demand) = weight_tariffs::order(seed);
        count_each(&[demand], |demand| planner.plan(demand));
    }
}

fn decode() {
    let orders: Vec<Vec<u8>> = (0..ORDERS).map(|number| network::order(number, 2)).collect();
    count_each(&orders, |bytes| Order::decode(bytes).map(|order| order.lines.len()));
}

fn batch_plan() {
    let planner = RefCell::new(network::planner(batches::WAREHOUSES, network::ALL));
    let orders: Vec<Vec<Vec<u8>>> = (0..BATCHES).map(batches::bytes).collect();
    count_each(&orders, |orders| batches::plan_all(&planner, orders));
}

fn batch_pack() {
    let planner = RefCell::new(network::planner(batches::WAREHOUSES, network::ALL));
    let planned: Vec<_> = (0..BATCHES).map(|number| batches::plan_all(&planner, &batches::bytes(number))).collect();
    count_each(&planned, |batch| batch.commit_args(0, batches::all_taken().now_ms));
}

fn batch_settle() {
    let planner = RefCell::new(network::planner(batches::WAREHOUSES, network::ALL));
    let planned = || (0..BATCHES).map(|number| RefCell::new(batches::plan_all(&planner, &batches::bytes(number))));
    let settle =
        |batch: &RefCell<_>| planner.borrow_mut().settle(&mut batch.borrow_mut(), &[batches::all_taken()]).unwrap();
    for batch in planned() {
        black_box(settle(&batch));
    }
    for batch in planned() {
        the_counted_part(|| settle(&batch));
    }
}
