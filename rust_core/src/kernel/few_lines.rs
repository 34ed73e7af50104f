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
    let fixed = problem.fixed;
    let mut of_part = [(UNSERVABLE, 0); 1 << FEW_LINES_MAX];
    match lines {
        1 => of_part[0b1] = least([fixed, problem.row(0)]),
        2 => {
            let (a, b) = (problem.row(0), problem.row(1));
            of_part[0b11] = least([fixed, a, b]);
            of_part[0b01] = least([fixed, a]);
            of_part[0b10] = least([fixed, b]);
        }
        _ => {
            let (a, b, c) = (problem.row(0), problem.row(1), problem.row(2));
            of_part[0b111] = least([fixed, a, b, c]);
            of_part[0b001] = least([fixed, a]);
            of_part[0b010] = least([fixed, b]);
            of_part[0b100] = least([fixed, c]);
            of_part[0b011] = least([fixed, a, b]);
            of_part[0b101] = least([fixed, a, c]);
            of_part[0b110] = least([fixed, b, c]);
        }
    }
    // Each part has the first of its equals, so each way gives the first of its sets.
    let mut best = (UNSERVABLE, 0, [u32::MAX; FEW_LINES_MAX]);
    for way in WAYS[lines].iter().filter(|way| way.len() <= problem.shipments_max) {
        let cost = way.iter().map(|&part| of_part[usize::from(part)].0).sum();
        if cost <= best.0 {
            let mut set = [u32::MAX; FEW_LINES_MAX];
            for (at, &part) in set.iter_mut().zip(*way) {
                *at = of_part[usize::from(part)].1;
            }
            set.sort_unstable();
            best = best.min((cost, way.len(), set));
        }
    }
    (best.0, best.2)
}

/// The least sum of one number of each row, and the first place that has it; [`UNSERVABLE`] when none is below that.
fn least<const ROWS: usize>(rows: [&[i64]; ROWS]) -> (i64, u32) {
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
    let least = (whole..width).map(sum).chain(lanes).fold(UNSERVABLE, i64::min);
    (least, (0..width).position(|at| sum(at) == least).unwrap_or(0) as u32)
}
