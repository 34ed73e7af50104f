//! Orders of one, two and three lines: every way to part the lines among warehouses, each part at its cheapest warehouse.

use super::{Problem, UNSERVABLE};

/// Lines that this module solves, at the most.
pub(super) const FEW_LINES_MAX: usize = 3;

/// Costs that are compared side by side, as no comparison then waits for the one before.
const LANES: usize = 4;

/// The ways to part so many lines, as sets of lines by bits.
const WAYS: [&[&[u8]]; FEW_LINES_MAX + 1] = [
    &[],
    &[&[0b1]],
    &[&[0b11], &[0b01, 0b10]],
    &[&[0b111], &[0b001, 0b110], &[0b101, 0b010], &[0b011, 0b100], &[0b001, 0b010, 0b100]],
];

/// The first of the cheapest sets, filled up with [`u32::MAX`], and its cost; [`UNSERVABLE`] or more where there is none.
pub(super) fn cheapest(problem: &Problem, lines: usize) -> (i64, [u32; FEW_LINES_MAX]) {
    let mut of_part = [UNSERVABLE; 1 << FEW_LINES_MAX];
    for (part, least) in of_part.iter_mut().enumerate().take(1 << lines).skip(1) {
        *least = over(problem, part, Least);
    }
    let ways = || WAYS[lines].iter().filter(|way| way.len() <= problem.shipments_max);
    let cost_of = |way: &[u8]| way.iter().map(|&part| of_part[usize::from(part)]).sum::<i64>();
    let nothing = (UNSERVABLE, usize::MAX);
    let (cost, size) = ways().map(|way| (cost_of(way), way.len())).fold(nothing, std::cmp::min);
    // Each part has the first of its equals, so each way gives the first of its sets.
    let first_of = |way: &&[u8]| {
        let mut set = [u32::MAX; FEW_LINES_MAX];
        for (at, &part) in set.iter_mut().zip(*way) {
            *at = over(problem, usize::from(part), FirstAt(of_part[usize::from(part)]));
        }
        set.sort_unstable();
        set
    };
    let set = ways().filter(|way| way.len() == size && cost_of(way) == cost).map(first_of).min();
    (cost, set.unwrap_or([u32::MAX; FEW_LINES_MAX]))
}

/// What is asked of the sums of some rows, one number of each.
trait Ask {
    type Answer;
    fn of<const ROWS: usize>(self, rows: [&[i64]; ROWS]) -> Self::Answer;
}

/// The least sum; [`UNSERVABLE`] when none is below that.
struct Least;

/// The first place of a sum.
struct FirstAt(i64);

impl Ask for Least {
    type Answer = i64;

    fn of<const ROWS: usize>(self, rows: [&[i64]; ROWS]) -> i64 {
        let width = rows[0].len();
        let rows = rows.map(|row| &row[..width]);
        let sum = |at: usize| rows.iter().map(|row| row[at]).sum::<i64>();
        let mut lanes = [UNSERVABLE; LANES];
        let whole = width - width % LANES;
        for from in (0..whole).step_by(LANES) {
            for (lane, least) in lanes.iter_mut().enumerate() {
                *least = sum(from + lane).min(*least);
            }
        }
        (whole..width).map(sum).chain(lanes).fold(UNSERVABLE, i64::min)
    }
}

impl Ask for FirstAt {
    type Answer = u32;

    fn of<const ROWS: usize>(self, rows: [&[i64]; ROWS]) -> u32 {
        let sum = |at: usize| rows.iter().map(|row| row[at]).sum::<i64>();
        (0..rows[0].len()).position(|at| sum(at) == self.0).unwrap_or(0) as u32
    }
}

/// Asks for the fixed costs and the costs of a part of the lines.
fn over<A: Ask>(problem: &Problem, part: usize, ask: A) -> A::Answer {
    let (fixed, row) = (problem.fixed, |line| problem.row(line));
    match part {
        0b001 => ask.of([fixed, row(0)]),
        0b010 => ask.of([fixed, row(1)]),
        0b100 => ask.of([fixed, row(2)]),
        0b011 => ask.of([fixed, row(0), row(1)]),
        0b101 => ask.of([fixed, row(0), row(2)]),
        0b110 => ask.of([fixed, row(1), row(2)]),
        _ => ask.of([fixed, row(0), row(1), row(2)]),
    }
}
