//! The order of work, and the memory that it is done in.

use super::columns::Columns;
use super::few_lines::{self, FEW_LINES_MAX};
use super::greedy::{Greedy, Rule};
use super::lagrange::{Aim, Count, Lagrange};
use super::pairs::{Pairs, Used};
use super::search::{Level, Search};
use super::{CELLS_MAX, COST_END, Found, LINES_MAX, Problem, UNSERVABLE, Unsolved};

/// Cells that a search may walk over, unless the caller limits its nodes: some milliseconds.
const WORK_LIMIT: u64 = 2_000_000;

/// Steps towards the bound that may prove one warehouse, and towards the one that the search begins with.
const FIRST_STEPS_MAX: u32 = 12;
const STEPS_MAX: u32 = 40;

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
    lagrange: Lagrange,
    trial: Lagrange,
    no_cap: Vec<i64>,
    pairs: Pairs,
    set: Vec<u32>,
    greedy: Greedy,
    levels: Vec<Level>,
    nodes: u64,
    /// Cells that a search may walk over, where that is not the usual.
    work_limit: Option<u64>,
}

impl Kernel {
    /// One whose searches may walk over so many cells, unless a problem limits their nodes. A million take some two
    /// milliseconds.
    #[must_use]
    pub fn with_work_limit(cells: u64) -> Self {
        Self { work_limit: Some(cells), ..Self::default() }
    }

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
        self.start_values();
        if self.raise(Count { min: 2, max: set_max }, FIRST_STEPS_MAX) {
            return UNSERVABLE;
        }
        let used = Used { set: &[], fixed: 0, current: &self.no_cap };
        let looked = self.pairs.offer_all(&self.columns, &self.lagrange, used, 2, &mut self.best);
        if looked.at_all && set_max == 2 {
            return UNSERVABLE;
        }
        let set_min = if looked.at_all { 3 } else { 2 };
        if self.raise(Count { min: set_min, max: set_max }, STEPS_MAX) {
            return UNSERVABLE;
        }
        self.search(problem, set_min, set_max)
    }

    /// Values to begin with: the least costs, and a share of the least fixed cost.
    fn start_values(&mut self) {
        let columns = &self.columns;
        let share = 2 * least(&columns.fixed) / columns.lines as i64;
        self.lagrange.value.clear();
        self.lagrange.value.extend((0..columns.lines).map(|line| least(columns.row(line)) + share));
        self.no_cap.clear();
        self.no_cap.resize(columns.lines, UNSERVABLE);
    }

    /// Raises the bound under sets of so many, and strikes off what costs too much by it. Tells whether nothing is left.
    fn raise(&mut self, count: Count, steps_max: u32) -> bool {
        let aim = Aim { count, target: self.best.cost, steps_max };
        self.lagrange.improve(&mut self.trial, &self.columns, &self.no_cap, aim);
        let (best, bound) = (&self.best, self.lagrange.bound);
        if bound > best.cost || (bound == best.cost && best.set.len() < count.min) {
            return true;
        }
        let lagrange = &self.lagrange;
        self.set.clear();
        self.set.extend(
            (0..self.columns.width() as u32).filter(|&column| lagrange.bound_with(column as usize) <= best.cost),
        );
        self.columns.retain(&self.set);
        super::columns::retain(&mut self.lagrange.reduced, &self.set);
        self.columns.id.is_empty()
    }

    fn search(&mut self, problem: &Problem, set_min: usize, set_max: usize) -> i64 {
        let limit = problem.node_limit.unwrap_or(u64::MAX);
        let work = if problem.node_limit.is_some() { u64::MAX } else { self.work_limit.unwrap_or(WORK_LIMIT) };
        let mut search = Search {
            levels: &mut self.levels,
            set: &mut self.set,
            best: &mut self.best,
            trial: &mut self.trial,
            pairs: &mut self.pairs,
            set_min,
            set_max,
            cost_max: 2 * COST_END * problem.lines() as i64,
            first: false,
            nodes_left: limit,
            work_left: work,
            open_bound: UNSERVABLE,
            tied_at: UNSERVABLE,
            cells_kept: 0,
            done: false,
        };
        search.begin(&self.columns, &self.lagrange);
        if search.open_bound == UNSERVABLE && search.tied_at == search.best.cost && search.best.set.len() >= set_min {
            search.first = true;
            search.set_max = search.best.set.len();
            search.set_min = search.set_max;
            search.begin(&self.columns, &self.lagrange);
        }
        self.nodes = limit - search.nodes_left;
        super::count_work(work - search.work_left);
        search.open_bound
    }

    /// The choice of the best set, taken to be the cheapest.
    fn settled(&mut self, problem: &Problem) -> Found {
        self.warehouse.clear();
        self.warehouse.extend((0..problem.lines()).map(|line| {
            let row = problem.row(line);
            self.best.set.iter().copied().min_by_key(|&warehouse| row[warehouse as usize]).unwrap_or(0)
        }));
        Found { cost: self.best.cost, bound: self.best.cost, proven: true, nodes: self.nodes }
    }
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
