//! One order anew, over stock as it stands: what would be cheaper for it and for those that would have to make room.

use super::books::{Books, Change};
use super::network::{Network, SPLIT, UNSERVED};
use super::prices::Prices;
use super::ring::Ring;
use super::room::Room;
use crate::kernel::UNSERVABLE;

/// Orders of more lines than this make nobody move.
const RING_LINES_MAX: usize = 12;

/// More than any cost of using a warehouse: one that has no place left.
const CLOSED: i64 = 1 << 50;

/// Where an order may go by the places that warehouses have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Places<'a> {
    /// Where one is left, or where it has one.
    Left,
    /// The same, but not here.
    Without(u32),
    /// Anywhere; where none is left and it has none, for so much more.
    Paying(&'a [i64]),
}

/// Loads what it costs an order to use each warehouse. Undo with `room.open.leave`.
fn open_for(books: &Books, prices: &[i64], order: usize, room: &mut Room, allowed: Places) {
    let network = books.network;
    room.open.load(network, prices);
    if let Places::Without(at) = allowed {
        room.open.cost[at as usize] = CLOSED;
    }
    if !books.places.is_empty() {
        books.cost_of(order, &mut room.seen);
        for (at, &places) in books.places.iter().enumerate() {
            if places <= 0 && !room.seen.contains(&(at as u32)) {
                match allowed {
                    Places::Paying(more) => {
                        room.open.cost[at] = room.open.cost[at].saturating_add(more[at]).min(CLOSED)
                    }
                    Places::Left | Places::Without(_) => room.open.cost[at] = CLOSED,
                }
            }
        }
    }
    room.open.enter(network, order);
}

/// How many warehouses the menu may use; `None` where it must use none but those that frozen lines have opened. The menu
/// counts these, too: what it chooses is within the limit, though it might have been one more.
fn limit(network: &Network, order: usize) -> Option<usize> {
    let most = network.shipments_max(order);
    let paid = network.paid_of(order).len();
    if most == usize::MAX { Some(most) } else { most.checked_sub(paid).filter(|&more| more > 0) }
}

/// A change by which an order, and those that make room for it, cost less. It may turn out not to fit.
pub(super) fn propose(books: &Books, order: usize, salt: usize, room: &mut Room) -> Option<Change> {
    let network = books.network;
    let lines = network.lines_of(order);
    if lines.len() > RING_LINES_MAX || lines.clone().any(|line| books.choice[line] == SPLIT) {
        return place(books, None, order, room);
    }
    let Some(limit) = limit(network, order) else { return place(books, None, order, room) };
    while room.rings.len() < lines.len() {
        room.rings.push(Ring::default());
    }
    open_for(books, &[], order, room, Places::Left);
    let row = network.unit_row(order);
    let mut baseline = books.cost_of(order, &mut room.seen);
    room.menu.begin(network.unserved_fixed(order), limit);
    for (ring, line) in room.rings.iter_mut().zip(lines.clone()) {
        ring.load(books, line, salt.wrapping_add(line.wrapping_mul(0x9E37_79B9)), &mut room.stamps);
        let units = i64::from(network.units[line]);
        baseline += ring.keep();
        room.menu.line(units * network.unserved_unit(order, line));
        for (node, &cell) in ring.cells.iter().enumerate() {
            let charge = ring.charge(node);
            if charge < UNSERVABLE / 2 {
                let warehouse = network.cell_warehouse[cell as usize];
                let cost = units * network.unit_cost(line, row, warehouse as usize);
                room.menu.option(warehouse, cost + charge, cell);
            }
        }
    }
    let solved = room.menu.solve(&room.open.cost);
    room.open.leave(network, order);
    if solved.value >= baseline {
        return None;
    }
    let mut change = Change::default();
    for ((ring, line), &cell) in room.rings.iter().zip(lines).zip(&room.menu.chosen) {
        let node = ring.node_of(cell);
        if node != ring.own {
            change.whole.push((line as u32, cell));
            ring.add_chains(node, &mut change.whole);
        }
    }
    (!change.whole.is_empty()).then_some(change)
}

/// An order where stock is left for it, what it has now included, at the least cost and price. With prices any choice is a
/// change; without, only another one than it has.
pub(super) fn place(books: &Books, prices: Option<&Prices>, order: usize, room: &mut Room) -> Option<Change> {
    let free = |line: usize, cell: usize| books.free(cell) + own_units(books, line, cell as u32);
    let (_, change) = choose(books, prices, order, room, &free, Places::Left);
    let other = |&(line, cell): &(u32, u32)| books.choice[line as usize] != cell;
    (prices.is_some() || !change.split.is_empty() || change.whole.iter().any(other)).then_some(change)
}

/// The least cost and price of an order, and how; `free` tells the units that a line may have of a cell.
pub(super) fn choose(
    books: &Books,
    prices: Option<&Prices>,
    order: usize,
    room: &mut Room,
    free: &dyn Fn(usize, usize) -> i64,
    places: Places,
) -> (i64, Change) {
    let network = books.network;
    let lines = network.lines_of(order);
    open_for(books, prices.map_or(&[], |prices| &prices.warehouse), order, room, places);
    let limit = limit(network, order);
    room.menu.begin(network.unserved_fixed(order), limit.unwrap_or(usize::MAX));
    let row = network.unit_row(order);
    let mut partial = false;
    for line in lines.clone() {
        let units = i64::from(network.units[line]);
        room.menu.line(units * network.unserved_unit(order, line));
        for cell in network.cells_for(line) {
            let warehouse = network.cell_warehouse[cell];
            if limit.is_none() && !network.paid_of(order).contains(&warehouse) {
                continue;
            }
            let free = free(line, cell);
            if free >= units {
                let price = prices.map_or(0, |prices| prices.cell[cell]);
                let cost = network.unit_cost(line, row, warehouse as usize) + price;
                room.menu.option(warehouse, units * cost, cell as u32);
            }
            partial |= free > 0 && free < units;
        }
    }
    let mut value = room.menu.solve(&room.open.cost).value;
    let mut change = Change::default();
    change.whole.extend(lines.map(|line| line as u32).zip(room.menu.chosen.iter().copied()));
    // The menu counts the warehouses of frozen lines twice where it chooses them: what it leaves out for that is found here.
    let bounded = limit != Some(usize::MAX) && !network.paid_of(order).is_empty();
    if partial || bounded {
        let served = change.whole.iter().filter(|place| place.1 != UNSERVED);
        let mut used: Vec<u32> = served.map(|place| network.cell_warehouse[place.1 as usize]).collect();
        used.sort_unstable();
        used.dedup();
        let cells = prices.map(|prices| &prices.cell[..]);
        let Room { spread, open, .. } = room;
        let shared = spread.improve(books, cells, order, &open.cost, &used, free);
        if shared < value {
            (value, change) = (shared, spread.change(books, order));
        }
    }
    room.open.leave(network, order);
    (value, change)
}

/// Units of a cell that a line has itself.
pub(super) fn own_units(books: &Books, line: usize, cell: u32) -> i64 {
    let mut own = 0;
    if books.choice[line] == cell || books.choice[line] == SPLIT {
        books.parts(line, |at, units| {
            if at == cell {
                own += units
            }
        });
    }
    own
}
