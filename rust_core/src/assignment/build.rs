//! A first assignment: orders one after another, each where it is cheapest by cost and price of what is left.

use super::books::{Books, Change, Must};
use super::clock::{Clock, Phase};
use super::dual::Dual;
use super::room::Room;
use super::team::Team;
use super::visit::place;

/// Orders that are looked at together; then each is placed in turn, anew if others took what it chose.
const ORDERS_A_BLOCK: usize = 1024;
const ORDERS_A_PIECE: usize = 64;

/// Some orders, and what they would choose.
struct Piece<'a> {
    orders: &'a [u32],
    found: Vec<Option<Change>>,
}

/// Places orders in this sequence. Those for which there is no time stay unserved.
pub(super) fn build(
    books: &mut Books,
    dual: &Dual,
    sequence: &[u32],
    team: &mut Team<Room>,
    own: &mut Room,
    clock: &mut Clock,
    bound: i64,
) {
    for block in sequence.chunks(ORDERS_A_BLOCK) {
        if !clock.go_on(Phase::Build, None, bound) && clock.overdue() {
            return;
        }
        let mut pieces: Vec<Piece> =
            block.chunks(ORDERS_A_PIECE).map(|orders| Piece { orders, found: Vec::new() }).collect();
        let now: &Books = books;
        team.each(&mut pieces, |room, piece| {
            piece.found.extend(piece.orders.iter().map(|&order| place(now, Some(&dual.prices), order as usize, room)));
        });
        for piece in pieces {
            for (&order, found) in piece.orders.iter().zip(piece.found) {
                let done = found.is_some_and(|change| books.apply(&change, Must::Fit).is_some());
                if !done && let Some(change) = place(books, Some(&dual.prices), order as usize, own) {
                    books.apply(&change, Must::Fit);
                }
            }
        }
    }
}
