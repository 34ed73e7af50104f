//! The connections of a thread: made, made again, and free for the next request.

use std::io;
use std::time::{Duration, Instant};

use mio::Token;

use crate::book::Failure;
use crate::clock::nanoseconds;
use crate::link::State;

use super::Worker;

/// How long the first connections are waited for.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// A connection that could not be made is tried again after this.
const RECONNECT_NS: u64 = 100_000_000;

impl Worker<'_> {
    /// Makes them, and waits for the first ones.
    pub(super) fn connect_all(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        let mut last = None;
        for at in 0..self.links.len() {
            if let Err(error) = self.links[at].connect(self.address, self.poll.registry(), Token(at)) {
                last = Some(error);
            }
        }
        while self.links.iter().any(|link| link.state == State::Connecting) && begun.elapsed() < CONNECT_WAIT {
            self.wait(Some(Duration::from_millis(50)))?;
            for at in 0..self.links.len() {
                if self.links[at].state != State::Connecting {
                    continue;
                }
                match self.links[at].is_connected() {
                    Ok(false) => {}
                    Ok(true) => self.make_free(at),
                    Err(error) => {
                        last = Some(error);
                        self.links[at].close(0);
                    }
                }
            }
        }
        match last {
            Some(error) if self.free.is_empty() => Err(error),
            _ if self.free.is_empty() => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }

    /// A connection that is being made can be used, or cannot be had.
    pub(super) fn connected(&mut self, at: usize) {
        match self.links[at].is_connected() {
            Ok(false) => {}
            Ok(true) => {
                self.desk.book.reconnects += 1;
                self.serve(at);
            }
            Err(_) => self.cannot_connect(at),
        }
    }

    fn cannot_connect(&mut self, at: usize) {
        self.desk.book.connect_failures += 1;
        let until_ns = self.clock.now() + RECONNECT_NS;
        self.links[at].close(until_ns);
    }

    /// It can take a request.
    pub(super) fn make_free(&mut self, at: usize) {
        self.links[at].state = State::Idle;
        if !self.links[at].queued {
            self.links[at].queued = true;
            self.free.push_back(at);
        }
    }

    /// Makes it anew.
    pub(super) fn reconnect(&mut self, at: usize) {
        self.links[at].close(0);
        if self.links[at].connect(self.address, self.poll.registry(), Token(at)).is_err() {
            self.cannot_connect(at);
        }
    }

    /// What is not urgent: time-outs, connections to be made.
    pub(super) fn tick(&mut self, now_ns: u64) -> io::Result<()> {
        let timeout_ns = nanoseconds(self.plan.timeout_s);
        for at in 0..self.links.len() {
            match self.links[at].state {
                State::Busy { sent_ns, .. } if sent_ns + timeout_ns <= now_ns => self.lose(at, Failure::Timeout),
                State::Closed { until_ns } if until_ns <= now_ns => self.reconnect(at),
                _ => {}
            }
        }
        Ok(())
    }
}
