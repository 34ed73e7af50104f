//! Makes an assignment cheaper: round after round, every order around which something changed is looked at anew, with the
//! chains of others that would make room for it or take what it leaves; places of warehouses change hands ([`trade`]). When that saves next to nothing, orders that pay
//! more than their bound are shaken with some of their neighbours, and so on by turns. Where there are few orders some are
//! taken out and placed anew after that ([`recreate`](super::recreate)). Before and after all, orders that go without something
//! get of what is left whatever pays, parts of lines, too: prices may have been too high for them.

use super::books::{Books, Change, Must};
use super::clock::{Clock, Phase};
use super::dual::Dual;
use super::mixed;
use super::recreate::recreate;
use super::room::Room;
use super::shake::shake;
use super::team::Team;
use super::trade::trade;
use super::visit::{place, propose};

/// Orders that are looked at together before any of them changes something, and by one thread at once.
const ORDERS_A_BLOCK_MAX: usize = 2048;
const ORDERS_A_BLOCK_MIN: usize = 32;
const ORDERS_A_PIECE: usize = 32;

/// Rounds of one turn, at the most.
const ROUNDS_MAX: u32 = 40;

/// Turns: as many as come to so many orders, within these bounds.
const SHAKES: usize = 100_000;
const TURNS_MIN: u32 = 2;
const TURNS_MAX: u32 = 300;

/// Orders that are shaken in all turns together, at the most: so many, or this part of all; more where there are few.
const SHAKEN_MAX: usize = 2000;
const SHAKEN_OF_FEW: usize = 10_000;
const SHAKEN_PART: usize = 20;

/// Turns end when such a part of them saved nothing, one after another.
const IDLE_PART: u32 = 4;

/// So many orders are all looked at; of more only those that pay more than their bound.
const ALL_MAX: usize = 2000;

/// Rounds end when one saves less than this part of the cost.
const SAVED_MIN: i128 = 100_000;

/// Some orders, and what would be cheaper.
struct Piece<'a> {
    orders: &'a [u32],
    found: Vec<Option<Change>>,
}

/// What the search goes by, and who does it.
pub(super) struct Search<'a, 'b> {
    pub(super) dual: &'a Dual,
    pub(super) sequence: &'a [u32],
    pub(super) seed: u64,
    pub(super) team: &'a mut Team<Room>,
    pub(super) own: &'a mut Room,
    pub(super) clock: &'a mut Clock<'b>,
    pub(super) bound: i64,
}

impl Search<'_, '_> {
    /// Looks at orders by turns, until that saves next to nothing, or time is up. Tells how many rounds it took.
    pub(super) fn improve(&mut self, books: &mut Books) -> u32 {
        let mut visited = vec![0_u32; books.network.orders()];
        let (mut rounds, mut idle) = (0, 0);
        self.fill(books);
        let turns = ((SHAKES / self.sequence.len().max(1)) as u32).clamp(TURNS_MIN, TURNS_MAX);
        let few = self.sequence.len() <= ALL_MAX;
        let mut left = if few { SHAKEN_OF_FEW } else { SHAKEN_MAX.max(self.sequence.len() / SHAKEN_PART) };
        for turn in 0..turns {
            let before = books.cost;
            rounds += self.settle(books, &mut visited, turn);
            trade(books, self.sequence, self.own, self.clock, self.bound);
            let mut dear = paying_more(books, self.dual, self.sequence);
            dear.truncate(left);
            left -= dear.len();
            let salt = mixed(self.seed ^ u64::from(turn));
            if !shake(books, self.dual, &dear, salt, self.team, self.clock, self.bound) {
                return rounds;
            }
            idle = if before == books.cost { idle + 1 } else { 0 };
            if idle > turns / IDLE_PART || left == 0 {
                break;
            }
        }
        rounds += self.settle(books, &mut visited, turns);
        rounds += recreate(self, books, &mut visited);
        self.fill(books);
        rounds
    }

    /// Gives orders that go without something what is left, where that pays.
    fn fill(&mut self, books: &mut Books) {
        for block in self.sequence.chunks(ORDERS_A_BLOCK_MAX) {
            if !self.clock.go_on(Phase::Improve, Some(books.told_cost()), self.bound) {
                return;
            }
            for &order in block {
                if books.lacks(order as usize)
                    && let Some(change) = place(books, None, order as usize, self.own)
                {
                    books.apply(&change, Must::Pay);
                }
            }
        }
    }

    /// Improves one order at a time until a round saves next to nothing.
    pub(super) fn settle(&mut self, books: &mut Books, visited: &mut [u32], turn: u32) -> u32 {
        for round in 0..ROUNDS_MAX {
            let before = books.cost;
            let due = self.due(books, visited);
            let size = (due.len() / 64).clamp(ORDERS_A_BLOCK_MIN, ORDERS_A_BLOCK_MAX);
            for block in due.chunks(size) {
                if !self.clock.go_on(Phase::Improve, Some(books.told_cost()), self.bound) {
                    return round;
                }
                books.now += 1;
                self.visit(books, block, (turn * ROUNDS_MAX + round) as usize * 0x5851_F42D);
                block.iter().for_each(|&order| visited[order as usize] = books.now);
            }
            if (before - books.cost) * SAVED_MIN < before.max(1) {
                return round + 1;
            }
        }
        ROUNDS_MAX
    }

    /// The orders around which something changed since they were looked at.
    fn due(&self, books: &Books, visited: &[u32]) -> Vec<u32> {
        let network = books.network;
        let changed = |order: &u32| {
            let seen = visited[*order as usize];
            network.lines_of(*order as usize).any(|line| books.changed[network.sku_of(line)] >= seen)
        };
        if self.sequence.len() > ALL_MAX {
            paying_more(books, self.dual, self.sequence).into_iter().filter(changed).collect()
        } else {
            self.sequence.iter().copied().filter(changed).collect()
        }
    }

    fn visit(&mut self, books: &mut Books, orders: &[u32], salt: usize) {
        let mut pieces: Vec<Piece> =
            orders.chunks(ORDERS_A_PIECE).map(|orders| Piece { orders, found: Vec::new() }).collect();
        let now: &Books = books;
        self.team.each(&mut pieces, |room, piece| {
            piece.found.extend(piece.orders.iter().map(|&order| propose(now, order as usize, salt, room)));
        });
        for change in pieces.into_iter().flat_map(|piece| piece.found).flatten() {
            books.apply(&change, Must::Pay);
        }
    }
}

/// The orders that pay more than they would if all stock were theirs at its price, or leave stock that has one.
fn paying_more(books: &Books, dual: &Dual, sequence: &[u32]) -> Vec<u32> {
    let mut used = Vec::new();
    let mut dear: Vec<(i64, u32)> = sequence
        .iter()
        .map(|&order| {
            let paid = books.cost_of(order as usize, &mut used) + books.value_of(order as usize, &dual.prices.cell);
            (dual.of_order[order as usize] - paid, order)
        })
        .filter(|dear| dear.0 < 0)
        .collect();
    dear.sort_unstable();
    dear.into_iter().map(|dear| dear.1).collect()
}
