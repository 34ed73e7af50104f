//! Orders of one, two and three lines: every way to part the lines among warehouses, each part at its cheapest warehouse.

use super::{Problem, UNSERVABLE};

/// Lines that this module solves, at the most.
pub(super) const FEW_LINES_MAX: usize = 3;

/// The ways to part so many lines, as sets of lines by bits.
const WAYS: [&[&[u8]]; FEW_LINES_MAX + 1] = [
    &[],
    &[&[0b1]],
    &[&[0b11], &[0b01, 0b10]],
    &[&[0b111], &[0b001, 0b110], &[0b101, 0b010], &[0b011, 0b100], &[0b001, 0b010, 0b100]],
];

/// The first of the cheapest sets, filled up with [`u32::MAX`], and its cost; [`UNSERVABLE`] or more where there is none.
pub(super) fn cheapest(problem: &Problem, lines: usize) -> (i64, [u32; FEW_LINES_MAX]) {
    let row = |line| problem.row(line);
    let mut of_part = [(UNSERVABLE, 0); 1 << FEW_LINES_MAX];
    match lines {
        1 => of_part[..2].copy_from_slice(&least_of_parts::<1, 2>(problem.fixed, [row(0)])),
        2 => of_part[..4].copy_from_slice(&least_of_parts::<2, 4>(problem.fixed, [row(0), row(1)])),
        _ => of_part = least_of_parts(problem.fixed, [row(0), row(1), row(2)]),
    }
    let ways = || WAYS[lines].iter().filter(|way| way.len() <= problem.shipments_max);
    let cost_of = |way: &[u8]| way.iter().map(|&part| of_part[usize::from(part)].0).sum::<i64>();
    let nothing = (UNSERVABLE, usize::MAX);
    let (cost, size) = ways().map(|way| (cost_of(way), way.len())).fold(nothing, std::cmp::min);
    // Each part has the first of its equals, so each way gives the first of its sets.
    let first_of = |way: &&[u8]| {
        let mut set = [u32::MAX; FEW_LINES_MAX];
        for (at, &part) in set.iter_mut().zip(*way) {
            *at = of_part[usize::from(part)].1;
        }
        set.sort_unstable();
        set
    };
    let set = ways().filter(|way| way.len() == size && cost_of(way) == cost).map(first_of).min();
    (cost, set.unwrap_or([u32::MAX; FEW_LINES_MAX]))
}

/// What each part of the lines costs at its cheapest warehouse, and the first that is so cheap; in one pass.
fn least_of_parts<const LINES: usize, const PARTS: usize>(fixed: &[i64], rows: [&[i64]; LINES]) -> [(i64, u32); PARTS] {
    let rows = rows.map(|row| &row[..fixed.len()]);
    let mut least = [(UNSERVABLE, 0); PARTS];
    for (at, &fixed) in fixed.iter().enumerate() {
        let mut sums = [fixed; PARTS];
        for part in 1..PARTS {
            // The part without its first line, and that line.
            sums[part] = sums[part & (part - 1)] + rows[part.trailing_zeros() as usize][at];
            if sums[part] < least[part].0 {
                least[part] = (sums[part], at as u32);
            }
        }
    }
    least
}
