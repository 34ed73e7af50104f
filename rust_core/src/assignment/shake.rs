//! Takes a few orders that want the same SKUs out together and places them again in other sequences: what moving one at a
//! time, and chains of single lines, do not find.

use super::books::{Books, Change, Must};
use super::clock::{Clock, Phase};
use super::dual::Dual;
use super::mixed;
use super::network::UNSERVED;
use super::prices::Prices;
use super::room::Room;
use super::team::Team;
use super::visit::{Places, choose};

/// Orders that are taken out together.
const GROUP: usize = 8;

/// Sequences in which they are placed again.
const TRIALS: u64 = 6;

/// Orders of more lines than this stay where they are.
const LINES_MAX: usize = 12;

/// How often a next order is looked for, at the most.
const PICKS_MAX: u64 = 32;

/// Groups that are looked at together before any of them changes something, and by one thread at once.
const GROUPS_A_BLOCK_MAX: usize = 1024;
const GROUPS_A_PIECE: usize = 16;

/// The memory of one thread.
#[derive(Debug, Default)]
pub(super) struct Shaken {
    /// What each cell has more than the books say.
    more: Vec<i64>,
    touched: Vec<u32>,
    group: Vec<u32>,
    change: Change,
}

struct Piece<'a> {
    orders: &'a [u32],
    found: Vec<Option<Change>>,
}

/// Shakes around each of these orders once, as long as there is time; how many were looked at.
pub(super) fn shake(
    books: &mut Books,
    dual: &Dual,
    orders: &[u32],
    salt: u64,
    team: &mut Team<Room>,
    clock: &mut Clock,
    bound: i64,
) -> bool {
    let size = (orders.len() / 32).clamp(GROUPS_A_PIECE, GROUPS_A_BLOCK_MAX);
    for block in orders.chunks(size) {
        if !clock.go_on(Phase::Improve, Some(books.told_cost()), bound) {
            return false;
        }
        books.now += 1;
        let now: &Books = books;
        let mut pieces: Vec<Piece> =
            block.chunks(GROUPS_A_PIECE).map(|orders| Piece { orders, found: Vec::new() }).collect();
        team.each(&mut pieces, |room, piece| {
            piece.found.extend(piece.orders.iter().map(|&order| regroup(now, dual, order, salt, room)));
        });
        for change in pieces.into_iter().flat_map(|piece| piece.found).flatten() {
            books.apply(&change, Must::Pay);
        }
    }
    true
}

fn regroup(books: &Books, dual: &Dual, order: u32, salt: u64, room: &mut Room) -> Option<Change> {
    let mut shaken = std::mem::take(&mut room.shaken);
    shaken.more.resize(books.cells(), 0);
    let found = shaken.regroup(books, dual, order, mixed(salt ^ (u64::from(order) << 8)), room);
    for &cell in &shaken.touched {
        shaken.more[cell as usize] = 0;
    }
    shaken.touched.clear();
    room.shaken = shaken;
    found
}

impl Shaken {
    fn regroup(&mut self, books: &Books, dual: &Dual, order: u32, salt: u64, room: &mut Room) -> Option<Change> {
        self.gather(books, order, salt);
        if self.group.len() < 2 {
            return None;
        }
        let mut before = 0;
        for &order in &self.group {
            before += books.cost_of(order as usize, &mut room.seen);
        }
        for trial in 0..TRIALS {
            let salt = mixed(salt ^ (trial << 56));
            for &cell in &self.touched {
                self.more[cell as usize] = 0;
            }
            for at in 0..self.group.len() {
                for line in books.network.lines_of(self.group[at] as usize) {
                    books.parts(line, |cell, units| self.add(books, cell, units));
                }
            }
            self.group.sort_unstable_by_key(|&order| mixed(salt ^ u64::from(order)));
            // Half of the trials keep what others would pay for in mind.
            let prices = (trial % 2 == 0).then_some(&dual.prices);
            if self.place_all(books, prices, before, room) < before {
                return Some(std::mem::take(&mut self.change));
            }
        }
        None
    }

    fn add(&mut self, books: &Books, cell: u32, units: i64) {
        if cell == UNSERVED {
            return;
        }
        let at = cell as usize;
        if let Some(base) = books.network.base_of(at) {
            self.touched.push(base as u32);
            self.more[base] += books.to_base(at, self.more[at], units);
        }
        self.touched.push(cell);
        self.more[at] += units;
    }

    /// An order, and others that want what one of them wants.
    fn gather(&mut self, books: &Books, order: u32, salt: u64) {
        let network = books.network;
        let fits = |order: u32| (1..=LINES_MAX).contains(&network.lines_of(order as usize).len());
        self.group.clear();
        if !fits(order) {
            return;
        }
        self.group.push(order);
        for pick in 0..PICKS_MAX {
            let chance = mixed(salt ^ (pick << 40));
            let from = self.group[chance as usize % self.group.len()] as usize;
            let lines = network.lines_of(from);
            let line = lines.start + (chance >> 20) as usize % lines.len();
            let sharing = network.lines_with(network.sku_of(line));
            let other = network.line_order[sharing[(chance >> 36) as usize % sharing.len()] as usize];
            if !self.group.contains(&other) && fits(other) {
                self.group.push(other);
                if self.group.len() == GROUP {
                    break;
                }
            }
        }
    }

    /// Places the group one after another; what it then costs, or no less than `before` where that is sure.
    fn place_all(&mut self, books: &Books, prices: Option<&Prices>, before: i64, room: &mut Room) -> i64 {
        let network = books.network;
        let mut total = 0;
        self.change = Change::default();
        for at in 0..self.group.len() {
            let more = &self.more;
            let free = |_: usize, cell: usize| books.free_with(cell, |cell| more[cell]);
            let (value, change) = choose(books, prices, self.group[at] as usize, room, &free, Places::Left);
            total += value;
            let whole = change.whole.iter().map(|&(line, cell)| (cell, i64::from(network.units[line as usize])));
            for (cell, units) in whole.chain(change.split.iter().flat_map(|split| split.1.iter().copied())) {
                self.add(books, cell, -units);
                if cell != UNSERVED {
                    total -= units * prices.map_or(0, |prices| prices.cell[cell as usize]);
                }
            }
            self.change.whole.extend(change.whole);
            self.change.split.extend(change.split);
            if total >= before {
                return total;
            }
        }
        total
    }
}
