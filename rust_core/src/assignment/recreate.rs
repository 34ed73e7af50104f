//! Ruin and recreate (G. Schrimpf, J. Schneider, H. Stamm-Wilbrandt, G. Dueck, J. Comput. Phys. 159, 2000), where orders are few:
//! some that want the same SKUs, or any, are taken out and placed again by prices that are a little wrong, all settle around
//! them, and what is not cheaper is undone. It leaves what no chain nor trade of single orders leaves.

use super::books::{Books, Change, Must};
use super::clock::Phase;
use super::improve::Search;
use super::mixed;
use super::network::UNSERVED;
use super::prices::Prices;
use super::trade::trade;
use super::visit::place;

/// Of more orders the chains find nearly all, and so many tries would take too long.
const ORDERS_MAX: usize = 500;

/// Tries: as many as come to so many orders, at the most.
const ORDERS_TRIED: usize = 60_000;
const TRIES_MAX: usize = 2000;

/// Nor more than copy so many cells: about a tenth of a second.
const CELLS_COPIED: usize = 50_000_000;

/// They end when such a part of them saved nothing, one after another.
const IDLE_PART: usize = 2;

/// Orders taken out beside a first one, at the most: this part of all, from the one number to the other.
const RUINED_PART: usize = 3;
const RUINED_FEW: usize = 4;
const RUINED_MAX: usize = 24;

/// Tries until the assignment costs no more than its bound, they find nothing, or time is up. Tells how many rounds it took.
pub(super) fn recreate(search: &mut Search, books: &mut Books, visited: &mut Vec<u32>) -> u32 {
    let orders = search.sequence.len();
    if !(2..=ORDERS_MAX).contains(&orders) {
        return 0;
    }
    let tries = (ORDERS_TRIED / orders).min(TRIES_MAX).min(CELLS_COPIED / books.cells().max(1));
    let (mut rounds, mut idle) = (0, 0);
    let mut group = Vec::new();
    for number in 0..tries {
        let cost = books.told_cost();
        if cost <= search.bound
            || idle > tries / IDLE_PART
            || !search.clock.go_on(Phase::Improve, Some(cost), search.bound)
        {
            break;
        }
        let salt = mixed(search.seed ^ ((number as u64) << 24));
        let (before, seen) = (books.clone(), visited.clone());
        books.now += 1;
        ruin(books, search.sequence, salt, &mut group);
        let prices = wrong(&search.dual.prices, salt);
        for &order in &group {
            if let Some(change) = place(books, Some(&prices), order as usize, search.own) {
                books.apply(&change, Must::Fit);
            }
        }
        rounds += search.settle(books, visited, number as u32);
        trade(books, search.sequence, search.own, search.clock, search.bound);
        idle = if books.cost < before.cost { 0 } else { idle + 1 };
        if books.cost > before.cost {
            (*books, *visited) = (before, seen);
        }
    }
    rounds
}

/// Leaves some orders unserved, in the sequence in which they are to come back.
fn ruin(books: &mut Books, sequence: &[u32], salt: u64, group: &mut Vec<u32>) {
    let network = books.network;
    let more = (sequence.len() / RUINED_PART).clamp(RUINED_FEW, RUINED_MAX).min(sequence.len() - 1);
    let size = 2 + salt as usize % more;
    group.clear();
    group.push(sequence[(salt >> 16) as usize % sequence.len()]);
    for pick in 0..4 * size as u64 {
        let chance = mixed(salt ^ (pick << 40));
        let from = network.lines_of(group[chance as usize % group.len()] as usize);
        // By turns of tries one that wants the same, and any.
        let other = if salt & (1 << 15) == 0 && !from.is_empty() {
            let line = from.start + (chance >> 20) as usize % from.len();
            let sharing = network.lines_with(network.sku_of(line));
            network.line_order[sharing[(chance >> 36) as usize % sharing.len()] as usize]
        } else {
            sequence[(chance >> 36) as usize % sequence.len()]
        };
        if !group.contains(&other) {
            group.push(other);
            if group.len() == size {
                break;
            }
        }
    }
    group.sort_unstable_by_key(|&order| mixed(salt ^ u64::from(order)));
    for &order in &*group {
        let whole = network.lines_of(order as usize).map(|line| (line as u32, UNSERVED)).collect();
        books.apply(&Change { whole, split: Vec::new() }, Must::Fit);
    }
}

/// Prices of none to twice as much, each by chance.
fn wrong(prices: &Prices, salt: u64) -> Prices {
    let some = |(at, &price): (usize, &i64)| {
        let share = mixed(salt ^ ((at as u64) << 12)) % 257;
        (i128::from(price) * i128::from(share) / 128) as i64
    };
    Prices {
        cell: prices.cell.iter().enumerate().map(some).collect(),
        warehouse: prices.warehouse.iter().enumerate().map(some).collect(),
    }
}
