//! Places at warehouses whose capacity is used up change hands: an order that would gain by one gets it, where another one
//! loses less by going elsewhere, or without.

use super::books::{Books, Change, Must};
use super::clock::{Clock, Phase};
use super::network::UNSERVED;
use super::room::Room;
use super::visit::{Places, choose, own_units};

/// How often all orders are looked at.
const ROUNDS_MAX: usize = 8;

/// Orders between two looks at the clock.
const ORDERS_A_BLOCK: usize = 64;

/// Rounds end when one saves less than this part of the cost.
const SAVED_MIN: i128 = 100_000;

/// Orders, by what they gain or lose.
type Ranked = Vec<(i64, u32)>;

/// Trades places until nobody gains more than another loses, or time is up.
pub(super) fn trade(books: &mut Books, sequence: &[u32], room: &mut Room, clock: &mut Clock, bound: i64) {
    for _ in 0..ROUNDS_MAX {
        if !books.places.iter().any(|&places| places <= 0) {
            return;
        }
        let before = books.cost;
        let Some(mut leaving) = leaving(books, sequence, room, clock, bound) else { return };
        let mut coming: Ranked = Vec::new();
        let least = least(&leaving);
        for block in sequence.chunks(ORDERS_A_BLOCK) {
            if !clock.go_on(Phase::Improve, Some(books.told_cost()), bound) {
                return;
            }
            for &order in block {
                let (now, _) = stands(books, order, room);
                let (cost, _) = chosen(books, order, room, Places::Paying(&least));
                if cost < now {
                    coming.push((cost - now, order));
                }
            }
        }
        coming.sort_unstable();
        for block in coming.chunks(ORDERS_A_BLOCK) {
            if !clock.go_on(Phase::Improve, Some(books.told_cost()), bound) {
                return;
            }
            for &(_, order) in block {
                if let Some(change) = exchange(books, order, &mut leaving, room) {
                    books.apply(&change, Must::Pay);
                }
            }
        }
        if (before - books.cost) * SAVED_MIN < before.max(1) {
            return;
        }
    }
}

/// Orders with a place at each warehouse that has none left, and what they lose without it: who loses least is the last.
/// `None` where time is up.
fn leaving(books: &Books, sequence: &[u32], room: &mut Room, clock: &mut Clock, bound: i64) -> Option<Vec<Ranked>> {
    let mut leaving: Vec<Ranked> = vec![Vec::new(); books.places.len()];
    for block in sequence.chunks(ORDERS_A_BLOCK) {
        if !clock.go_on(Phase::Improve, Some(books.told_cost()), bound) {
            return None;
        }
        for &order in block {
            let (now, at) = stands(books, order, room);
            for full in at {
                let (cost, _) = chosen(books, order, room, Places::Without(full));
                leaving[full as usize].push((cost - now, order));
            }
        }
    }
    leaving.iter_mut().for_each(|some| some.sort_unstable_by(|one, other| other.cmp(one)));
    Some(leaving)
}

/// What a place costs the order that loses least by giving it up.
fn least(leaving: &[Ranked]) -> Vec<i64> {
    leaving.iter().map(|some| some.last().map_or(i64::MAX, |&(loses, _)| loses.max(0))).collect()
}

/// What an order costs, and the warehouses without a place left of which it has one.
fn stands(books: &Books, order: u32, room: &mut Room) -> (i64, Vec<u32>) {
    let paid = books.network.paid_of(order as usize);
    let now = books.cost_of(order as usize, &mut room.seen);
    let full = |&at: &u32| books.places[at as usize] <= 0 && !paid.contains(&at);
    (now, room.seen.iter().copied().filter(full).collect())
}

fn chosen(books: &Books, order: u32, room: &mut Room, places: Places) -> (i64, Change) {
    let free = |line: usize, cell: usize| books.free(cell) + own_units(books, line, cell as u32);
    choose(books, None, order as usize, room, &free, places)
}

/// An order where it would be if it paid for places what others lose by giving them up, and those elsewhere.
fn exchange(books: &Books, order: u32, leaving: &mut [Ranked], room: &mut Room) -> Option<Change> {
    let (now, own) = stands(books, order, room);
    let (cost, mut change) = chosen(books, order, room, Places::Paying(&least(leaving)));
    if cost >= now {
        return None;
    }
    for full in lacking(books, order, &change, &own) {
        let moved = loop {
            let (_, other) = leaving[full as usize].pop()?;
            if other != order && stands(books, other, room).1.contains(&full) {
                break chosen(books, other, room, Places::Without(full)).1;
            }
        };
        change.whole.extend(moved.whole);
        change.split.extend(moved.split);
    }
    Some(change)
}

/// The warehouses without a place left that an order would use by a change and does not use now.
fn lacking(books: &Books, order: u32, change: &Change, own: &[u32]) -> Vec<u32> {
    let network = books.network;
    let paid = network.paid_of(order as usize);
    let parts = change.split.iter().flat_map(|(_, parts)| parts.iter().map(|&(cell, _)| cell));
    let cells = change.whole.iter().map(|&(_, cell)| cell).chain(parts);
    let mut lacking: Vec<u32> =
        cells.filter(|&cell| cell != UNSERVED).map(|cell| network.cell_warehouse[cell as usize]).collect();
    lacking.sort_unstable();
    lacking.dedup();
    lacking.retain(|at| books.places[*at as usize] <= 0 && !own.contains(at) && !paid.contains(at));
    lacking
}
