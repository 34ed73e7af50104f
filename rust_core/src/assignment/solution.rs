//! What comes out: pieces of lines, in the caller's numbers and units.

use super::books::Books;
use super::clock::Ended;
use super::network::UNSERVED;
use super::problem::Problem;

/// An assignment, and what is proven about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The line of each piece, in order; a line has a piece for each warehouse that serves some of it.
    pub line: Vec<i64>,
    /// The warehouse of each piece, -1 for what is not served.
    pub warehouse: Vec<i32>,
    /// The units of each piece.
    pub quantity: Vec<i32>,
    /// What all costs.
    pub cost: i64,
    /// No assignment costs less.
    pub bound: i64,
    /// Why the search ended.
    pub ended: Ended,
    /// How often all orders were solved to raise the bound.
    pub passes: u32,
    /// How often orders were looked at anew to lower the cost.
    pub rounds: u32,
}

/// The pieces of every line: (line, warehouse, units), in order.
pub(super) fn pieces(problem: &Problem, books: &Books) -> (Vec<i64>, Vec<i32>, Vec<i32>) {
    let network = books.network;
    let mut all = Vec::with_capacity(problem.lines());
    for (line, &source) in network.source.iter().enumerate() {
        let first = all.len();
        books.parts(line, |cell, units| {
            let warehouse = if cell == UNSERVED { -1 } else { network.cell_warehouse[cell as usize] as i32 };
            all.push((source, warehouse, units as i32));
        });
        all[first..].sort_unstable();
    }
    if problem.frozen.is_some() {
        for line in 0..problem.lines() {
            if let Some(at) = problem.frozen_at(line) {
                all.push((line as u32, at as i32, problem.quantity[line]));
            }
        }
        all.sort_unstable();
    }
    (
        all.iter().map(|piece| i64::from(piece.0)).collect(),
        all.iter().map(|piece| piece.1).collect(),
        all.iter().map(|piece| piece.2).collect(),
    )
}
