//! What one order was told: sixteen bytes that every answer to it changes.

use crate::told::{self, Told};

/// It was answered with 2xx.
pub const ACKNOWLEDGED: u8 = 1;
/// It was answered with a no that is none of overload.
pub const REFUSED: u8 = 2;
/// Once at least no answer came, or one that does not say what was done.
pub const LOST: u8 = 4;
/// It was turned away: nothing was done.
pub const TURNED_AWAY: u8 = 8;
/// Two answers to it do not go together.
pub const CONTRADICTED: u8 = 16;
/// A 2xx answer is no allocation of it.
pub const UNREADABLE: u8 = 32;
/// It was refused for want of stock, and of nothing else.
pub const FOR_STOCK: u8 = 64;
/// Of what was done to it later, an answer did not come.
pub const STEP_LOST: u8 = 128;

/// What one order was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Of the shipments in its first acknowledgement.
    pub digest: u32,
    /// When what decided the entry was sent, in milliseconds since the start.
    pub sent_ms: u32,
    /// How long its answer took.
    pub took_ms: u32,
    /// The status of that answer; 0 where there was none.
    pub status: u16,
    /// See the constants.
    pub marks: u8,
    /// The furthest state that it was told to be in: a place in `told::STATES`.
    pub state: u8,
}

/// One answer, or none, and when.
#[derive(Clone, Copy)]
pub struct Heard<'a> {
    /// When it was sent, in milliseconds since the start.
    pub sent_ms: u32,
    /// When it was done with.
    pub done_ms: u32,
    /// Its status; `None` where none came.
    pub status: Option<u16>,
    /// Its body.
    pub body: &'a [u8],
    /// The order's id, where it is known.
    pub id: Option<&'a [u8]>,
}

impl Entry {
    /// Takes an answer in; the allocation, where it is the first acknowledgement.
    pub(crate) fn hear<'a>(&mut self, heard: &Heard<'a>) -> Option<Told<'a>> {
        let acknowledged = self.marks & ACKNOWLEDGED > 0;
        let Some(status) = heard.status.filter(|status| !is_lost(*status, heard.body)) else {
            self.marks |= LOST;
            if !acknowledged {
                self.decide(heard);
            }
            return None;
        };
        match status {
            200..300 => {
                let told = told::read(heard.body, heard.id);
                match &told {
                    None => self.marks |= UNREADABLE,
                    Some(told) if acknowledged => {
                        // One that could not be read has left nothing to hold others against.
                        let known = self.marks & UNREADABLE == 0;
                        self.marks |= if known && told.digest() != self.digest { CONTRADICTED } else { 0 };
                        self.state = self.state.max(told.state());
                    }
                    Some(told) => (self.digest, self.state) = (told.digest(), self.state.max(told.state())),
                }
                if !acknowledged {
                    self.marks = (self.marks | ACKNOWLEDGED) & !(REFUSED | FOR_STOCK);
                    self.decide(heard);
                    return told;
                }
                // A replay may be heard of before what it replays.
                if status == 201 {
                    self.decide(heard);
                }
            }
            // A twin that was refused before may be heard of later; one that was sent later may not.
            _ if acknowledged => {
                let later = heard.sent_ms > self.sent_ms.saturating_add(self.took_ms);
                let final_no = status != 429 && status != 503;
                self.marks |= if later && final_no { CONTRADICTED } else { 0 };
            }
            429 | 503 => {
                self.marks |= TURNED_AWAY;
                self.decide(heard);
            }
            _ => {
                let for_stock = told::is_for_stock(heard.body);
                self.marks = (self.marks | REFUSED) & !FOR_STOCK | if for_stock { FOR_STOCK } else { 0 };
                self.decide(heard);
            }
        }
        None
    }

    fn decide(&mut self, heard: &Heard<'_>) {
        self.sent_ms = heard.sent_ms;
        self.took_ms = heard.done_ms.saturating_sub(heard.sent_ms);
        self.status = heard.status.unwrap_or(0);
    }
}

/// Whether an answer leaves open what was done: an error of the service, or its store that did not answer.
pub(crate) fn is_lost(status: u16, body: &[u8]) -> bool {
    match status {
        503 => told::problem_type(body).is_none_or(|kind| kind == "store-unavailable"),
        500.. => true,
        _ => false,
    }
}
