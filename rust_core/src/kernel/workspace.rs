//! The order of work, and the memory that it is done in.

use super::columns::Columns;
use super::dual::Dual;
use super::few_lines::{self, FEW_LINES_MAX};
use super::greedy::{Greedy, Rule};
use super::pairs::{self, Cover};
use super::search::{Level, Search};
use super::{CELLS_MAX, COST_END, Found, LINES_MAX, Problem, UNSERVABLE, Unsolved};

/// Cells that a search may walk over, unless the caller limits its nodes: some milliseconds.
const WORK_LIMIT: u64 = 4_000_000;

/// The best set so far, in the order of the warehouses.
#[derive(Debug, Default)]
pub(super) struct Best {
    pub(super) cost: i64,
    pub(super) set: Vec<u32>,
    sorted: Vec<u32>,
}

impl Best {
    fn start(&mut self) {
        self.cost = UNSERVABLE;
        self.set.clear();
    }

    /// Takes a set that is cheaper, or as cheap and smaller, or as small and earlier. Tells whether it did.
    pub(super) fn offer(&mut self, cost: i64, set: &[u32]) -> bool {
        if cost > self.cost || cost >= UNSERVABLE {
            return false;
        }
        self.sorted.clear();
        self.sorted.extend_from_slice(set);
        self.sorted.sort_unstable();
        if (cost, self.sorted.len(), &self.sorted) >= (self.cost, self.set.len(), &self.set) {
            return false;
        }
        self.cost = cost;
        std::mem::swap(&mut self.set, &mut self.sorted);
        true
    }
}

/// Solves one problem after another in the same memory.
#[derive(Debug, Default)]
pub struct Kernel {
    warehouse: Vec<u32>,
    best: Best,
    /// What each warehouse costs by itself.
    alone: Vec<i64>,
    /// How many warehouses serve each line.
    servers: Vec<u32>,
    order: Vec<u32>,
    columns: Columns,
    dual: Dual,
    trial: Dual,
    no_cap: Vec<i64>,
    cover: Cover,
    set: Vec<u32>,
    greedy: Greedy,
    levels: Vec<Level>,
    pub nodes: u64,
    pub stage: u32,
    pub root_bound: i64,
}

impl Kernel {
    /// The warehouse of each line, as the last call that found something chose it.
    #[must_use]
    pub fn warehouse(&self) -> &[u32] {
        &self.warehouse
    }

    /// The cheapest choice. Among equals the one with fewer warehouses wins, then the one whose warehouses come first.
    /// Where `shipments_max` does not bind, there is always one.
    pub fn solve(&mut self, problem: &Problem) -> Result<Found, Unsolved> {
        let lines = checked_lines(problem)?;
        self.nodes = 0;
        self.stage = 0;
        if lines <= FEW_LINES_MAX {
            return self.solve_few(problem, lines);
        }
        let floor = self.look_at_each(problem, lines)?;
        let (alone, warehouse) = first_least(&self.alone);
        let set_max = problem.shipments_max.min(lines).min(problem.warehouses());
        self.best.start();
        self.best.offer(alone, &[warehouse]);
        if self.best.cost <= floor + two_least(problem.fixed) {
            return Ok(self.settled(problem));
        }
        if set_max == 1 {
            return if alone < UNSERVABLE { Ok(self.settled(problem)) } else { Err(Unsolved::TooFewShipments) };
        }
        self.stage = 1;
        let bound = self.solve_many(problem, set_max);
        if self.best.cost == UNSERVABLE {
            return Err(if bound < UNSERVABLE { Unsolved::NotFound } else { Unsolved::TooFewShipments });
        }
        let mut found = self.settled(problem);
        if bound < UNSERVABLE {
            found.bound = bound.min(found.cost);
            found.proven = false;
        }
        Ok(found)
    }

    fn solve_few(&mut self, problem: &Problem, lines: usize) -> Result<Found, Unsolved> {
        let (cost, set) = few_lines::cheapest(problem, lines);
        if cost >= UNSERVABLE {
            return Err((0..lines)
                .find(|&line| least(problem.row(line)) == UNSERVABLE)
                .map_or(Unsolved::TooFewShipments, Unsolved::Unserved));
        }
        let size = set.iter().filter(|&&warehouse| warehouse != u32::MAX).count();
        self.best.cost = cost;
        self.best.set.clear();
        self.best.set.extend_from_slice(&set[..size]);
        Ok(self.settled(problem))
    }

    /// Fills `alone` and `servers`; what all lines cost at the least.
    fn look_at_each(&mut self, problem: &Problem, lines: usize) -> Result<i64, Unsolved> {
        let mut floors = 0;
        self.servers.clear();
        self.alone.clear();
        self.alone.extend_from_slice(problem.fixed);
        for line in 0..lines {
            let row = problem.row(line);
            let (mut floor, mut servers) = (UNSERVABLE, 0);
            for (&cost, alone) in row.iter().zip(&mut self.alone) {
                floor = floor.min(cost);
                servers += u32::from(cost < UNSERVABLE);
                *alone = (*alone + cost).min(UNSERVABLE);
            }
            if floor == UNSERVABLE {
                return Err(Unsolved::Unserved(line));
            }
            floors += floor;
            self.servers.push(servers);
        }
        Ok(floors)
    }

    /// Everything past one warehouse. What is left unsearched costs at least what comes back; [`UNSERVABLE`] when nothing
    /// is left.
    fn solve_many(&mut self, problem: &Problem, set_max: usize) -> i64 {
        let lines = problem.lines();
        self.order.clear();
        self.order.extend(0..lines as u32);
        self.order.sort_unstable_by_key(|&line| (self.servers[line as usize], line));
        self.columns.load(problem, &self.order);
        self.greedy.choose(&self.columns, set_max, Rule::LeastCostEach);
        self.best.offer(self.columns.cost_of(&self.greedy.set), &self.greedy.set);
        if self.best.cost == UNSERVABLE {
            self.greedy.choose(&self.columns, set_max, Rule::MostLines);
            self.best.offer(self.columns.cost_of(&self.greedy.set), &self.greedy.set);
        }
        let discount = self.raise(2, set_max);
        let bound = self.dual.sum() + refund(discount, 2, set_max);
        self.root_bound = bound;
        if bound > self.best.cost || (bound == self.best.cost && self.best.set.len() < 2) {
            return UNSERVABLE;
        }
        self.stage = 2;
        self.keep_within(self.best.cost - bound);
        let all_pairs = pairs::offer_all(&self.columns, &mut self.cover, &self.dual, bound, &mut self.best);
        if all_pairs && set_max == 2 {
            return UNSERVABLE;
        }
        self.stage = 3;
        let set_min = if all_pairs { 3 } else { 2 };
        let discount = self.raise(set_min, set_max);
        let bound = self.dual.sum() + refund(discount, set_min, set_max);
        self.root_bound = self.root_bound.max(bound);
        if bound > self.best.cost || (bound == self.best.cost && self.best.set.len() < set_min) {
            return UNSERVABLE;
        }
        self.stage = 4;
        self.keep_within(self.best.cost - bound);
        self.search(problem, set_min, set_max, discount)
    }

    fn search(&mut self, problem: &Problem, set_min: usize, set_max: usize, discount: i64) -> i64 {
        let limit = problem.node_limit.unwrap_or(u64::MAX);
        let mut search = Search {
            levels: &mut self.levels,
            set: &mut self.set,
            best: &mut self.best,
            set_min,
            set_max,
            discount,
            first: false,
            nodes_left: limit,
            work_left: if problem.node_limit.is_some() { u64::MAX } else { WORK_LIMIT },
            open_bound: UNSERVABLE,
            tied_at: UNSERVABLE,
            cells_kept: 0,
            done: false,
        };
        search.begin(&self.columns, &self.dual);
        if search.open_bound == UNSERVABLE && search.tied_at == search.best.cost && search.best.set.len() >= set_min {
            search.first = true;
            search.set_max = search.best.set.len();
            if discount >= 0 {
                search.set_min = search.set_max;
            }
            search.begin(&self.columns, &self.dual);
        }
        self.nodes = limit - search.nodes_left;
        search.open_bound
    }

    /// The best bound under sets of at least `set_min` that a few discounts give, in `dual`; the discount.
    fn raise(&mut self, set_min: usize, set_max: usize) -> i64 {
        let least_fixed = least(&self.columns.fixed);
        self.no_cap.clear();
        self.no_cap.resize(self.columns.lines, UNSERVABLE);
        let mut best = i64::MIN;
        let mut chosen = 0;
        for eighth in [0, 2, 4, 6, 8] {
            let discount = least_fixed * eighth / 8;
            self.trial.start(&self.columns, discount);
            for shift in [1, 0] {
                self.trial.ascend(&self.columns, &self.no_cap, shift);
            }
            let bound = self.trial.sum() + refund(discount, set_min, set_max);
            if bound > best {
                (best, chosen) = (bound, discount);
                std::mem::swap(&mut self.dual, &mut self.trial);
            }
        }
        chosen
    }

    fn keep_within(&mut self, room: i64) {
        self.set.clear();
        self.set.extend((0..).zip(&self.dual.slack).filter(|&(_, &slack)| slack <= room).map(|(column, _)| column));
        self.columns.retain(&self.set);
        super::columns::retain(&mut self.dual.slack, &self.set);
    }

    /// The choice of the best set, taken to be the cheapest.
    fn settled(&mut self, problem: &Problem) -> Found {
        self.warehouse.clear();
        self.warehouse.extend((0..problem.lines()).map(|line| {
            let row = problem.row(line);
            self.best.set.iter().copied().min_by_key(|&warehouse| row[warehouse as usize]).unwrap_or(0)
        }));
        Found { cost: self.best.cost, bound: self.best.cost, proven: true }
    }
}

/// What a set pays back of a discount on every fixed cost.
fn refund(discount: i64, set_min: usize, set_max: usize) -> i64 {
    discount * if discount >= 0 { set_min } else { set_max } as i64
}

fn checked_lines(problem: &Problem) -> Result<usize, Unsolved> {
    let (warehouses, lines) = (problem.warehouses(), problem.lines());
    if warehouses == 0 || lines == 0 {
        return Err(Unsolved::Empty);
    }
    let fits = lines * warehouses == problem.cost.len() && problem.cost.len() <= CELLS_MAX && lines <= LINES_MAX;
    let fixed = problem.fixed.iter().fold(0, |bits, &fixed| bits | fixed);
    let cost = problem.cost.iter().fold(0, |bits, &cost| bits | cost);
    let in_range = (fixed | (cost & !UNSERVABLE)) & !(COST_END - 1) == 0;
    if !fits || !in_range {
        return Err(Unsolved::OutOfRange);
    }
    if problem.shipments_max == 0 { Err(Unsolved::TooFewShipments) } else { Ok(lines) }
}

fn least(costs: &[i64]) -> i64 {
    costs.iter().fold(UNSERVABLE, |least, &cost| least.min(cost))
}

/// The least, and where it is first.
fn first_least(costs: &[i64]) -> (i64, u32) {
    let least = least(costs);
    (least, costs.iter().position(|&cost| cost == least).unwrap_or(0) as u32)
}

fn two_least(costs: &[i64]) -> i64 {
    let (mut first, mut second) = (UNSERVABLE, UNSERVABLE);
    for &cost in costs {
        second = second.min(cost.max(first));
        first = first.min(cost);
    }
    first + second
}
