//! The lower bound, and prices: stock is left to prices, so that each order is alone with them. What the orders then cost,
//! less what the stock is worth, is a bound under every assignment, whatever the prices are.
//!
//! Prices move by the share of demand that is too much or too little of a cell, damped by what they did before (heavy ball)
//! and by steps that shrink from pass to pass. A pass solves every order that wants something scarce.
//!
//! A channel's pool has a price of its own, from 0 to that of the shared cell beneath: so shared units are worth the same
//! whoever of them takes them, and the bound holds. Where both prices are the same, what the channel takes beyond its pool
//! counts as taken of the shared cell.

use std::cmp::Reverse;
use std::ops::{Add, Range};

use super::clock::{Clock, Phase};
use super::network::{Network, UNSERVED};
use super::prices::{Prices, choose_freely, worth};
use super::room::Room;
use super::team::Team;

/// Orders, and SKUs, that are one piece of work.
const ORDERS_A_PIECE: usize = 1024;
const SKUS_A_PIECE: usize = 1024;

/// Passes, of few lines and of many.
const PASSES_MAX: u32 = 300;
const PASSES_MIN: u32 = 64;

/// Lines that all passes together may look at, before they are fewer.
const LINES_LOOKED_AT: usize = 14_000_000;

/// The first step, in what a unit costs on average; and the last of so many passes, in shares of that.
const STEP_FIRST: f64 = 4.0;
const STEP_LAST: f64 = 1.0;

/// How much of its last move a price keeps.
const MOMENTUM: f64 = 0.7;

/// The share of the time limit after which there are no more passes.
const TIME_SHARE: f64 = 0.45;

/// Passes after which it is known how long they take.
const PASSES_TIMED: u32 = 3;

/// The best prices, and what each order makes of them.
#[derive(Debug)]
pub(super) struct Dual {
    pub(super) prices: Prices,
    /// In finer units.
    pub(super) bound: i128,
    /// What each order costs at the least with its prices.
    pub(super) of_order: Vec<i64>,
    /// How often all orders were solved.
    pub(super) passes: u32,
}

/// Some orders of a pass.
struct Piece<'a> {
    orders: &'a [u32],
    first_order: usize,
    first_line: usize,
    of_order: &'a mut [i64],
    choice: &'a mut [u32],
    sum: i128,
    weighted: f64,
    used: Vec<f64>,
}

/// Some SKUs, whose prices move.
struct Shelf<'a> {
    skus: Range<usize>,
    first_cell: usize,
    price: &'a mut [i64],
    motion: &'a mut [f32],
    worth: i128,
}

struct Pass<'a> {
    network: &'a Network,
    prices: Prices,
    motion: Vec<f32>,
    warehouse_motion: Vec<f64>,
    used: Vec<f64>,
    choice: Vec<u32>,
    of_order: Vec<i64>,
}

/// What a pass came to: the orders' costs, exactly where each counts once.
#[derive(Clone, Copy)]
struct Sum {
    exact: i128,
    weighted: f64,
}

impl Add for Sum {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { exact: self.exact + other.exact, weighted: self.weighted + other.weighted }
    }
}

/// Raises the bound by so many passes as there is time for.
pub(super) fn raise(network: &Network, team: &mut Team<Room>, clock: &mut Clock) -> Dual {
    let mut pass = Pass {
        network,
        prices: Prices::none(network),
        motion: vec![0.0; network.stock.len()],
        warehouse_motion: vec![0.0; network.capacity.len()],
        used: vec![0.0; network.capacity.len()],
        choice: vec![UNSERVED; network.lines()],
        of_order: vec![0; network.orders()],
    };
    let all: Vec<u32> = (0..network.orders() as u32).collect();
    let mut passes = ((LINES_LOOKED_AT / network.lines().max(1)) as u32).clamp(PASSES_MIN, PASSES_MAX);
    let mut sum = pass.solve(team, &all);
    let mut best = (Prices::none(network), pass.objective(sum, 0), pass.bound(sum, 0));
    let active: Vec<u32> = all.iter().copied().filter(|&order| pass.may_change(order as usize)).collect();
    let settled = pass.settled(&active, sum);
    let step = mean_cost(network, sum);
    let mut done = 1;
    if clock.go_on(Phase::Price, None, told(network, best.2))
        && let Some(clearing) = pass.clearing()
    {
        let none = std::mem::replace(&mut pass.prices, clearing);
        let worth = worth(&pass.prices.cell, &network.stock) + worth(&pass.prices.warehouse, &network.capacity);
        sum = pass.solve(team, &active) + settled;
        done += 1;
        let objective = pass.objective(sum, worth);
        if objective > best.1 {
            best = (pass.prices.clone(), objective, pass.bound(sum, worth));
        } else {
            pass.prices = none;
            pass.solve(team, &active);
        }
    }
    while done < passes && !active.is_empty() && clock.go_on(Phase::Price, None, told(network, best.2)) {
        if done == PASSES_TIMED {
            let each = clock.elapsed().as_secs_f64() / f64::from(done);
            passes = passes.min(done + (clock.left(TIME_SHARE).as_secs_f64() / each) as u32);
        } else if clock.left(TIME_SHARE).is_zero() {
            break;
        }
        // Not the platform's power: the same steps on every machine.
        let shrink = libm::pow(STEP_LAST / f64::from(passes) / STEP_FIRST, f64::from(done - 1) / f64::from(passes));
        let worth = pass.move_prices(team, step * STEP_FIRST * shrink);
        sum = pass.solve(team, &active) + settled;
        done += 1;
        let objective = pass.objective(sum, worth);
        if objective > best.1 {
            best.0.clone_from(&pass.prices);
            (best.1, best.2) = (objective, pass.bound(sum, worth));
        }
    }
    pass.prices = best.0;
    if done > 1 {
        // What orders cost and choose at the best prices, not at the last ones.
        pass.solve(team, &active);
    }
    Dual { prices: pass.prices, bound: best.2, of_order: pass.of_order, passes: done }
}

/// The bound in the caller's units: costs are whole, so what is between is rounded up.
pub(super) fn told(network: &Network, bound: i128) -> i64 {
    let unit = 1_i128 << network.shift;
    i64::try_from((bound + network.frozen_cost + unit - 1).div_euclid(unit).max(0)).unwrap_or(i64::MAX)
}

fn mean_cost(network: &Network, sum: Sum) -> f64 {
    let units: f64 = network.demand.iter().sum();
    if units > 0.0 { (sum.weighted / units).max(1.0) } else { 1.0 }
}

impl Pass<'_> {
    fn bound(&self, sum: Sum, worth: i128) -> i128 {
        sum.exact - worth
    }

    /// What is to be raised.
    fn objective(&self, sum: Sum, worth: i128) -> f64 {
        if self.network.weight.is_empty() { (sum.exact - worth) as f64 } else { sum.weighted - worth as f64 }
    }

    /// Whether prices may ever change what an order chooses.
    fn may_change(&self, order: usize) -> bool {
        let network = self.network;
        !network.capacity.is_empty()
            || network.lines_of(order).any(|line| network.cells_for(line).any(|cell| network.scarce[cell]))
    }

    /// Prices to begin with where there is too little, by what orders would pay rather than go without: the step by step
    /// way up there is long. `None` where nothing is short. After a pass without prices.
    fn clearing(&self) -> Option<Prices> {
        let network = self.network;
        let mut prices = Prices::none(network);
        let mut is_short = false;
        let units =
            |order: usize| network.lines_of(order).map(|line| i64::from(network.units[line])).sum::<i64>().max(1);
        let mut wanted: Vec<(i64, f64)> = Vec::new();
        for sku in 0..network.skus() {
            let cells = network.cells_with(sku);
            if !network.scarce[cells.clone()].contains(&true) {
                continue;
            }
            let pays = |line: usize| {
                let order = network.line_order[line] as usize;
                let served = (self.of_order[order] - network.unserved_fixed(order)) / units(order);
                let weight = network.weight_of(order) * f64::from(network.units[line]);
                (network.unserved_unit(order, line) - served, weight)
            };
            wanted.clear();
            wanted.extend(network.lines_with(sku).iter().map(|&line| pays(line as usize)));
            let stock = network.stock[cells.clone()].iter().map(|&units| units as f64).sum();
            if let Some(price) = clears(&mut wanted, stock) {
                is_short = true;
                for cell in cells.filter(|&cell| network.scarce[cell]) {
                    prices.cell[cell] = price.clamp(0, network.price_max);
                }
            }
        }
        if !network.capacity.is_empty() {
            let pays = |order: usize| {
                let lines = network.lines_of(order);
                let without = lines.map(|line| i64::from(network.units[line]) * network.unserved_unit(order, line));
                let without = without.sum::<i64>() + network.unserved_fixed(order);
                (without - self.of_order[order], network.weight_of(order))
            };
            wanted.clear();
            wanted.extend((0..network.orders()).map(pays));
            let places = network.capacity.iter().map(|&places| places as f64).sum();
            if let Some(price) = clears(&mut wanted, places) {
                is_short = true;
                prices.warehouse.fill(price.clamp(0, network.price_max));
            }
        }
        is_short.then_some(prices)
    }

    /// The part of a first sum that stays as it is.
    fn settled(&self, active: &[u32], sum: Sum) -> Sum {
        active.iter().fold(sum, |left, &order| {
            let cost = self.of_order[order as usize];
            Sum {
                exact: left.exact - i128::from(cost),
                weighted: left.weighted - cost as f64 * self.network.weight_of(order as usize),
            }
        })
    }

    /// Has each of these orders, which are in order, choose by the prices.
    fn solve(&mut self, team: &mut Team<Room>, orders: &[u32]) -> Sum {
        let (network, prices) = (self.network, &self.prices);
        let bounded = network.capacity.len();
        let mut pieces = Vec::new();
        let (mut of_order, mut choice) = (&mut self.of_order[..], &mut self.choice[..]);
        let (mut first_order, mut first_line) = (0, 0);
        for chunk in orders.chunks(ORDERS_A_PIECE) {
            let end = chunk.last().map_or(0, |&last| last as usize + 1);
            let end_line = network.order_start[end] as usize;
            let (mine, rest) = of_order.split_at_mut(end - first_order);
            let (my_choice, rest_choice) = choice.split_at_mut(end_line - first_line);
            pieces.push(Piece {
                orders: chunk,
                first_order,
                first_line,
                of_order: mine,
                choice: my_choice,
                sum: 0,
                weighted: 0.0,
                used: vec![0.0; bounded],
            });
            (of_order, choice, first_order, first_line) = (rest, rest_choice, end, end_line);
        }
        team.each(&mut pieces, |room, piece| {
            room.open.load(network, &prices.warehouse);
            for &order in piece.orders {
                piece.solve(network, prices, order as usize, room);
            }
        });
        self.used.fill(0.0);
        let mut sum = Sum { exact: 0, weighted: 0.0 };
        for piece in &pieces {
            sum.exact += piece.sum;
            sum.weighted += piece.weighted;
            self.used.iter_mut().zip(&piece.used).for_each(|(used, more)| *used += more);
        }
        sum
    }

    /// Moves prices by what the last pass chose; what all is worth at the new ones.
    fn move_prices(&mut self, team: &mut Team<Room>, step: f64) -> i128 {
        let (network, chosen) = (self.network, &self.choice);
        let mut shelves = Vec::new();
        let (mut price, mut motion) = (&mut self.prices.cell[..], &mut self.motion[..]);
        let mut first_cell = 0;
        for first in (0..network.skus()).step_by(SKUS_A_PIECE) {
            let skus = first..(first + SKUS_A_PIECE).min(network.skus());
            let end = network.cells_with(skus.end - 1).end;
            let (mine, rest) = price.split_at_mut(end - first_cell);
            let (my_motion, rest_motion) = motion.split_at_mut(end - first_cell);
            shelves.push(Shelf { skus, first_cell, price: mine, motion: my_motion, worth: 0 });
            (price, motion, first_cell) = (rest, rest_motion, end);
        }
        team.each(&mut shelves, |room, shelf| shelf.reprice(network, chosen, step, &mut room.usage));
        let cells: i128 = shelves.iter().map(|shelf| shelf.worth).sum();
        let orders: f64 = (0..network.orders()).map(|order| network.weight_of(order)).sum();
        for (at, price) in self.prices.warehouse.iter_mut().enumerate() {
            let capacity = network.capacity[at] as f64;
            let excess = (self.used[at] - capacity) / self.used[at].max(capacity).min(orders).max(1.0);
            *price = moved(*price, &mut self.warehouse_motion[at], excess, step, network.price_max);
        }
        cells + worth(&self.prices.warehouse, &network.capacity)
    }
}

/// The price at which those who would pay more want no more than there is, of what each would pay and wants; `None` where
/// there is enough for all.
fn clears(wanted: &mut [(i64, f64)], there: f64) -> Option<i64> {
    wanted.sort_unstable_by_key(|one| Reverse(one.0));
    let mut left = there;
    wanted
        .iter()
        .find(|&&(_, units)| {
            left -= units;
            left < 0.0
        })
        .map(|&(pays, _)| pays)
}

/// The next price, between 0 and the most.
fn moved(price: i64, motion: &mut f64, excess: f64, step: f64, price_max: i64) -> i64 {
    *motion = MOMENTUM * *motion + (1.0 - MOMENTUM) * excess;
    let next = price + (step * *motion).round() as i64;
    if next <= 0 {
        *motion = motion.max(0.0);
    }
    next.clamp(0, price_max)
}

impl Piece<'_> {
    fn solve(&mut self, network: &Network, prices: &Prices, order: usize, room: &mut Room) {
        let solved = choose_freely(network, prices, order, &mut room.menu, &mut room.open);
        let lines = network.lines_of(order);
        let chosen = &mut self.choice[lines.start - self.first_line..lines.end - self.first_line];
        chosen.copy_from_slice(&room.menu.chosen);
        self.of_order[order - self.first_order] = solved.bound;
        self.sum += i128::from(solved.bound);
        let weight = network.weight_of(order);
        self.weighted += weight * solved.bound as f64;
        if !self.used.is_empty() {
            let paid = network.paid_of(order);
            room.seen.clear();
            room.seen.extend(
                chosen.iter().filter(|&&cell| cell != UNSERVED).map(|&cell| network.cell_warehouse[cell as usize]),
            );
            room.seen.sort_unstable();
            room.seen.dedup();
            for at in room.seen.iter().filter(|at| !paid.contains(at)) {
                self.used[*at as usize] += weight;
            }
        }
    }
}

impl Shelf<'_> {
    fn reprice(&mut self, network: &Network, chosen: &[u32], step: f64, usage: &mut Vec<f64>) {
        for sku in self.skus.clone() {
            let cells = network.cells_with(sku);
            if !network.scarce[cells.clone()].contains(&true) {
                continue;
            }
            usage.clear();
            usage.resize(cells.len(), 0.0);
            for &line in network.lines_with(sku) {
                let cell = chosen[line as usize];
                if cell != UNSERVED {
                    let weight = network.weight_of(network.line_order[line as usize] as usize);
                    usage[cell as usize - cells.start] += weight * f64::from(network.units[line as usize]);
                }
            }
            let rows = network.rows_of(sku);
            if rows.len() > 1 {
                self.add_beyond(network, cells.clone(), usage);
                for row in rows {
                    self.reprice_row(network, row, step, &usage[network.cells_of(row).start - cells.start..], true);
                }
            } else {
                self.reprice_row(network, rows.start, step, usage, false);
            }
        }
    }

    /// Moves the prices of a row by the use of its cells; of a shared one first, as those of channels lean on it.
    fn reprice_row(&mut self, network: &Network, row: usize, step: f64, usage: &[f64], pooled: bool) {
        for (cell, &used) in network.cells_of(row).zip(usage).filter(|&(cell, _)| network.scarce[cell]) {
            let at = cell - self.first_cell;
            let stock = network.stock[cell];
            let (mut wanted, mut price_max) = (network.demand[row], network.price_max);
            if pooled {
                wanted = network.wanted[cell];
                // What is the channel's alone is worth no more than what others might have, too.
                price_max = network.base_of(cell).map_or(price_max, |base| self.price[base - self.first_cell]);
                if stock == 0 {
                    self.price[at] = price_max;
                    continue;
                }
            }
            let mut motion = f64::from(self.motion[at]);
            // Where rows stand for many orders, a cell of few units is small beside all demand of its SKU: by that measure
            // a price that is too high would hardly fall.
            let of = if network.weight.is_empty() { wanted } else { used.max(stock as f64).max(f64::MIN_POSITIVE) };
            let price = moved(self.price[at], &mut motion, (used - stock as f64) / of, step, price_max);
            (self.price[at], self.motion[at]) = (price, motion as f32);
            self.worth += i128::from(price) * i128::from(stock);
        }
    }

    /// Adds to the use of shared cells what channels take of them: beyond their pools, where these cost as much.
    fn add_beyond(&self, network: &Network, cells: Range<usize>, usage: &mut [f64]) {
        let price = |cell: usize| self.price[cell - self.first_cell];
        let first = cells.start;
        for cell in cells {
            if let Some(base) = network.base_of(cell).filter(|&base| price(cell) == price(base)) {
                usage[base - first] += (usage[cell - first] - network.stock[cell] as f64).max(0.0);
            }
        }
    }
}
