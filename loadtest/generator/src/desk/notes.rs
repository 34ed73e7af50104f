//! What is written down of each request, for whoever reads the record.

use super::{Bodies, Desk, Outcome};
use crate::book::{Class, FAILURES};
use crate::plan::Keep;
use crate::producer::Request;
use crate::recorder::Entry;

impl Desk<'_> {
    /// Adds it to the record.
    pub(super) fn record(
        &mut self,
        request: &Request,
        sent_ns: Option<u64>,
        now_ns: u64,
        outcome: Outcome,
        bodies: Bodies<'_>,
    ) {
        let Some(recorder) = &mut self.recorder else { return };
        self.id.clear();
        self.kinds.write_id(request.of, request.number, &mut self.id);
        let ok = matches!(outcome, Outcome::Answer(head) if Class::of(head.status) == Class::Ok);
        let answered = matches!(outcome, Outcome::Answer(_));
        let wanted = match recorder.answers {
            Keep::None => false,
            Keep::Refusals => answered && (!ok || self.kinds.is_bulk(request)),
            Keep::All => answered,
        };
        let body = memchr::memmem::find(bodies.request, b"\r\n\r\n").map(|end| &bodies.request[end + 4..]);
        let requests = recorder.requests;
        recorder.add(&Entry {
            id: self.kinds.has_ids(request.of).then_some(&*self.id),
            number: request.number,
            kind: self.names[request.kind],
            intended_us: request.intended_ns / 1_000,
            sent_us: sent_ns.map(|sent| sent / 1_000),
            done_us: now_ns / 1_000,
            retries: request.retries,
            outcome: match outcome {
                Outcome::Answer(head) => Ok(head.status),
                Outcome::Failure(failure) => Err(FAILURES[failure as usize]),
                Outcome::Dropped => Err("dropped"),
            },
            request: body.filter(|_| requests),
            answer: wanted.then_some(bodies.answer),
        });
    }
}
