//! Where a request ends: its class, its latencies, its record, and whether it is sent again instead.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::answer::{Head, Keeping};
use crate::book::{Book, Class, Failure, LATE_NS};
use crate::bulk::lines;
use crate::clock::nanoseconds;
use crate::kinds::Kinds;
use crate::plan::{Keep, Plan, Retries};
use crate::producer::{Producer, Request};
use crate::recorder::Recorder;
use crate::timeline::Second;

mod notes;

/// Bytes that are kept of an answer; of one to a bulk.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const BULK_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Requests that wait to be sent again.
const RETRIES_MAX: usize = 100_000;

/// What came of sending a request.
#[derive(Clone, Copy)]
pub enum Outcome {
    /// An answer.
    Answer(Head),
    /// None.
    Failure(Failure),
    /// It was never sent.
    Dropped,
}

/// Bodies of a request and its answer.
#[derive(Clone, Copy, Default)]
pub struct Bodies<'a> {
    /// As it went over the wire, head and all.
    pub request: &'a [u8],
    /// What was kept of the answer's.
    pub answer: &'a [u8],
}

/// One thread's desk.
pub struct Desk<'a> {
    kinds: &'a Kinds,
    names: Vec<&'a str>,
    warmup_ns: u64,
    end_ns: u64,
    retries: Option<&'a Retries>,
    recorder: Option<Recorder>,
    /// Requests to be sent again, by when.
    pub waiting: BinaryHeap<Reverse<(u64, Request, u16)>>,
    /// What is counted.
    pub book: Book,
    /// The same, of this second.
    pub second: Second,
    id: Vec<u8>,
}

impl<'a> Desk<'a> {
    /// An empty desk.
    #[must_use]
    pub fn new(plan: &'a Plan, kinds: &'a Kinds, recorder: Option<Recorder>) -> Self {
        Self {
            kinds,
            names: plan.kinds.iter().map(|kind| kind.name.as_str()).collect(),
            warmup_ns: nanoseconds(plan.warmup_s),
            end_ns: nanoseconds(plan.seconds),
            retries: plan.retries.as_ref(),
            recorder,
            waiting: BinaryHeap::new(),
            book: Book::new(plan.kinds.len()),
            second: Second::default(),
            id: Vec::new(),
        }
    }

    /// What is to be kept of the answer to a request.
    #[must_use]
    pub fn keeping(&self, request: &Request) -> Keeping {
        if self.kinds.is_bulk(request) {
            return Keeping { ok_max: BULK_ANSWER_BYTES_MAX, refusal_max: ANSWER_BYTES_MAX };
        }
        let all = self.recorder.as_ref().is_some_and(|recorder| recorder.answers == Keep::All);
        let all = all || self.book.ledger.is_some() && self.kinds.is_orders(request);
        Keeping { ok_max: if all { ANSWER_BYTES_MAX } else { 0 }, refusal_max: ANSWER_BYTES_MAX }
    }

    /// Nanoseconds for which the record stood in the way.
    #[must_use]
    pub fn blocked_ns(&self) -> u64 {
        self.recorder.as_ref().map_or(0, |recorder| recorder.blocked_ns)
    }

    /// Notes that a request became due.
    pub fn offer(&mut self, request: &Request) {
        self.second.offered += 1;
        if request.intended_ns < self.warmup_ns {
            self.book.warmup += 1;
        } else {
            self.book.offered += 1;
            self.book.kinds[request.kind].offered += 1;
        }
    }

    /// Notes a send, and how late it is. `waited`: no connection was free before.
    pub fn send(&mut self, request: &Request, now_ns: u64, waited: bool, bytes: usize) {
        self.second.sent += 1;
        self.book.sends += 1;
        self.book.bytes[0] += bytes as u64;
        if request.intended_ns < self.warmup_ns || request.retries > 0 {
            return;
        }
        self.book.sent += 1;
        let late = now_ns.saturating_sub(request.intended_ns) > LATE_NS;
        if late && waited {
            self.book.late_connection += 1;
        } else if late {
            self.book.late_generator += 1;
        }
    }

    /// Notes how late this generator came to a request, before it is known whether a connection is free.
    pub fn came_late(&mut self, request: &Request, now_ns: u64) {
        if request.intended_ns >= self.warmup_ns {
            self.book.lateness.add(now_ns.saturating_sub(request.intended_ns));
        }
    }

    /// Ends a request, unless it is to be sent again.
    pub fn settle(
        &mut self,
        producer: &mut Producer<'_>,
        request: Request,
        sent_ns: Option<u64>,
        now_ns: u64,
        outcome: Outcome,
        bodies: Bodies<'_>,
    ) {
        self.record(&request, sent_ns, now_ns, outcome, bodies);
        if let (Some(ledger), Some(sent_ns)) = (&mut self.book.ledger, sent_ns) {
            let status = if let Outcome::Answer(head) = outcome { Some(head.status) } else { None };
            ledger.enter(self.kinds, &request, [sent_ns, now_ns], status, bodies.answer);
        }
        let counts = request.intended_ns >= self.warmup_ns;
        let class = match outcome {
            Outcome::Dropped => {
                self.second.dropped += 1;
                self.book.dropped += u64::from(counts);
                return;
            }
            Outcome::Failure(failure) => {
                self.book.failures[failure as usize] += u64::from(counts);
                Class::Failed
            }
            Outcome::Answer(head) => {
                let class = Class::of(head.status);
                if counts {
                    self.count_answer(head, class, bodies);
                }
                if class == Class::Ok {
                    producer.accepted(&request);
                    self.accept(&request, now_ns, counts, bodies);
                }
                if class == Class::Overloaded && self.sends_again(request, head, now_ns, counts) {
                    return;
                }
                class
            }
        };
        self.end(&request, class, sent_ns, now_ns);
    }

    /// Ends a request that waits to be sent again, as what it was answered last.
    pub fn give_up(&mut self, request: &Request, now_ns: u64) {
        self.end(request, Class::Overloaded, None, now_ns);
    }

    fn end(&mut self, request: &Request, class: Class, sent_ns: Option<u64>, now_ns: u64) {
        let wait_ns = now_ns.saturating_sub(request.intended_ns);
        self.second.done[class as usize] += 1;
        self.second.waits.add(wait_ns);
        if request.intended_ns < self.warmup_ns {
            return;
        }
        let book = &mut self.book;
        let one = &mut book.classes[class as usize];
        one.count += 1;
        one.intended.add(wait_ns);
        if let Some(sent_ns) = sent_ns {
            one.sent.add(now_ns.saturating_sub(sent_ns));
        }
        book.kinds[request.kind].done[class as usize] += 1;
        // Of a bulk that was answered with 2xx, each line has been counted for itself.
        if class != Class::Ok || !self.kinds.is_bulk(request) {
            book.orders[class as usize] += self.kinds.orders(request);
        }
        if request.retries > 0 {
            book.retried.add(wait_ns);
            book.recovered += u64::from(class == Class::Ok);
        }
    }

    /// Counts accepted orders by when that was: what a service does after the end, it did not do in the time measured.
    fn accept(&mut self, request: &Request, now_ns: u64, counts: bool, bodies: Bodies<'_>) {
        let accepted = match (self.kinds.is_bulk(request), counts) {
            (false, _) => self.kinds.orders(request),
            (true, true) => self.book.bulk(bodies.answer, self.kinds.orders(request)),
            (true, false) => lines(bodies.answer).filter(|line| line.class == Class::Ok).count() as u64,
        };
        if now_ns >= self.end_ns {
            self.book.accepted_after += accepted;
        } else if now_ns >= self.warmup_ns {
            self.book.accepted += accepted;
        }
    }

    fn count_answer(&mut self, head: Head, class: Class, bodies: Bodies<'_>) {
        *self.book.statuses.entry(head.status).or_default() += 1;
        self.book.replayed += u64::from(head.replayed);
        if class != Class::Ok {
            self.book.problem(bodies.answer);
        }
    }

    fn sends_again(&mut self, request: Request, head: Head, now_ns: u64, counts: bool) -> bool {
        let Some(retries) = self.retries.filter(|retries| request.retries < retries.times_max) else { return false };
        if self.waiting.len() >= RETRIES_MAX {
            self.book.retries_dropped += u64::from(counts);
            return false;
        }
        let wait_s = f64::from(head.retry_after_s.unwrap_or(1)).min(retries.wait_s_max);
        let again = Request { retries: request.retries + 1, ..request };
        self.waiting.push(Reverse((now_ns + nanoseconds(wait_s), again, head.status)));
        self.book.retries += u64::from(counts);
        true
    }
}
