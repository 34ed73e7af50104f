//! Many orders over shared stock: near the least cost, with a proven bound. Numbers in, numbers out.
//!
//! Stock (and the capacity of warehouses, where it is bounded) is relaxed: it is left to prices, under which every order is
//! solved alone, exactly. What orders then pay, less what the stock is worth, is a bound under every assignment; [`dual`]
//! raises it by moving the prices. Guided by the best ones [`build`] places the orders one after another, and
//! [`improve`] looks at each of them again, moving others along chains that make room ([`ring`]); where there are few,
//! [`recreate`] takes some out and places them anew, time and again.
//!
//! Units in the pool of a channel are cells of their own, over the shared cell of the same SKU and warehouse ([`network`]).
//!
//! Whatever runs on several threads only reads, and what it found is done in a fixed order. So the same input and seed give
//! the same answer on any number of threads, unless the time limit ends the search.

mod books;
mod build;
mod check;
mod clock;
mod dual;
mod improve;
mod menu;
mod network;
mod prices;
mod problem;
mod recreate;
mod ring;
mod room;
mod shake;
mod solution;
mod spread;
mod team;
mod trade;
mod visit;

use std::time::Duration;

pub use clock::{Ended, Phase, Progress, Watch};
pub use problem::{COST_MAX, Flaw, NOWHERE, ORDER_LINES_MAX, Problem, TOTAL_MAX};
pub use solution::Solution;
pub use team::THREADS_MAX;

use books::Books;
use clock::Clock;
use dual::told;
use network::Network;
use room::Room;
use team::Team;

/// How to go about it.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// The search ends then; what is under way takes some milliseconds more.
    pub time_limit: Duration,
    /// Threads, the caller's included.
    pub threads: usize,
    /// Of the sequence in which orders are placed.
    pub seed: u64,
}

/// Assigns a warehouse to every unit, or none. `Err` names the rules that the problem breaks.
pub fn assign(problem: &Problem, effort: Effort, watch: &mut dyn Watch) -> Result<Solution, Vec<Flaw>> {
    let flaws = problem.flaws();
    if !flaws.is_empty() {
        return Err(flaws);
    }
    let mut clock = Clock::new(effort.time_limit, watch);
    let network = Network::new(&Problem { weight: None, ..*problem });
    let mut team = Team::new(effort.threads, || Room::new(&network));
    let mut own = Room::new(&network);
    let dual = dual::raise(&network, &mut team, &mut clock);
    let bound = told(&network, dual.bound);
    let sequence = sequence(&network, effort.seed);
    let mut books = Books::new(&network);
    build::build(&mut books, &dual, &sequence, &mut team, &mut own, &mut clock, bound);
    let mut search = improve::Search {
        dual: &dual,
        sequence: &sequence,
        seed: effort.seed,
        team: &mut team,
        own: &mut own,
        clock: &mut clock,
        bound,
    };
    let rounds = search.improve(&mut books);
    let (line, warehouse, quantity) = solution::pieces(problem, &books);
    let cost = books.told_cost();
    Ok(Solution {
        line,
        warehouse,
        quantity,
        cost,
        bound: bound.min(cost),
        ended: clock.ended,
        passes: dual.passes,
        rounds,
    })
}

/// What a unit of each cell is worth to orders that come as often as their weights say: a row a SKU, a column a warehouse. Units
/// of pools are worth as much at the most.
pub fn price(problem: &Problem, effort: Effort, watch: &mut dyn Watch) -> Result<Vec<i64>, Vec<Flaw>> {
    let flaws = problem.flaws();
    if !flaws.is_empty() {
        return Err(flaws);
    }
    let mut clock = Clock::new(effort.time_limit, watch);
    let network = Network::new(problem);
    let mut team = Team::new(effort.threads, || Room::new(&network));
    let dual = dual::raise(&network, &mut team, &mut clock);
    let mut prices = vec![0; problem.stock.len()];
    let half = (1_i64 << network.shift) / 2;
    for sku in 0..network.skus() {
        for cell in network.cells_of(network.rows_of(sku).start) {
            let at = sku * network.warehouses + network.cell_warehouse[cell] as usize;
            prices[at] = (dual.prices.cell[cell] + half) >> network.shift;
        }
    }
    Ok(prices)
}

/// All orders, those of many lines first as they have least choice, else as the seed has it.
fn sequence(network: &Network, seed: u64) -> Vec<u32> {
    let mut sequence: Vec<u32> = (0..network.orders() as u32).collect();
    let key = |&order: &u32| {
        let lines = network.lines_of(order as usize).len();
        (std::cmp::Reverse(lines), mixed(seed ^ (u64::from(order) << 20)), order)
    };
    sequence.sort_by_cached_key(key);
    sequence
}

/// Splitmix64: a number that looks like chance.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests;
