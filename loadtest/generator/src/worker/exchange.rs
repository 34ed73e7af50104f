//! One request on one connection: sent, answered, or lost with it.

use std::io;

use mio::{Events, Token};

use crate::book::Failure;
use crate::desk::{Bodies, Outcome};
use crate::link::{Came, State};
use crate::producer::Request;

use super::Worker;

impl Worker<'_> {
    /// Sends a request on a connection that is free; `false` where none is.
    pub(super) fn send(&mut self, request: Request, waited: bool) -> bool {
        let at = loop {
            let Some(at) = self.free.pop_front() else { return false };
            self.links[at].queued = false;
            if self.links[at].state == State::Idle {
                break at;
            }
        };
        let link = &mut self.links[at];
        link.out.clear();
        self.producer.write(&request, &mut link.out);
        let sent_ns = self.clock.now();
        self.desk.send(&request, sent_ns, waited, link.out.len());
        link.state = State::Busy { request, sent_ns };
        self.busy += 1;
        if let Err(failure) = link.begin(self.desk.keeping(&request)) {
            self.lose(at, failure);
        }
        true
    }

    /// Looks at what became of connections since.
    pub(super) fn take_events(&mut self) -> io::Result<()> {
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let Token(at) = event.token();
            if at >= self.links.len() {
                continue;
            }
            match self.links[at].state {
                State::Closed { .. } => continue,
                State::Connecting => self.connected(at),
                State::Busy { .. } if event.is_writable() && !self.links[at].is_sent() => {
                    if let Err(failure) = self.links[at].write() {
                        self.lose(at, failure);
                        continue;
                    }
                }
                _ => {}
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.read(at, event.is_read_closed() || event.is_error());
            }
        }
        self.events = events;
        Ok(())
    }

    fn read(&mut self, at: usize, may_end: bool) {
        let link = &mut self.links[at];
        match link.read(&mut self.room, &mut self.desk.book.bytes[1], may_end) {
            Came::Nothing => {}
            Came::End(failure) => self.lose(at, failure),
            Came::Answer { surplus } => {
                let now_ns = self.clock.now();
                let head = link.answer.head();
                if let State::Busy { request, sent_ns } = link.state {
                    let bodies = Bodies { request: &link.out, answer: link.answer.body() };
                    let outcome = Outcome::Answer(head);
                    self.desk.settle(&mut self.producer, request, Some(sent_ns), now_ns, outcome, bodies);
                    self.busy -= 1;
                }
                self.desk.book.surplus += u64::from(surplus);
                if head.closes || surplus || may_end || !link.is_sent() {
                    self.reconnect(at);
                } else {
                    self.serve(at);
                }
            }
        }
    }

    /// Gives a connection that has become free its next request.
    pub(super) fn serve(&mut self, at: usize) {
        self.make_free(at);
        while !self.free.is_empty()
            && let Some(request) = self.backlog.pop_front()
        {
            if !self.send(request, true) {
                self.backlog.push_front(request);
                break;
            }
        }
    }

    /// A connection broke: what was under way on it has failed.
    pub(super) fn lose(&mut self, at: usize, failure: Failure) {
        let link = &mut self.links[at];
        if let State::Busy { request, sent_ns } = link.state {
            let bodies = Bodies { request: &link.out, answer: &[] };
            let now_ns = self.clock.now();
            self.desk.settle(&mut self.producer, request, Some(sent_ns), now_ns, Outcome::Failure(failure), bodies);
            self.busy -= 1;
        }
        self.reconnect(at);
    }
}
