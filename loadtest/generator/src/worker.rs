//! One thread of a run: one loop that sends what is due, and takes the answers that came.
//!
//! What becomes of one request is in `exchange`, what becomes of connections in `connections`.

mod connections;
mod exchange;

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::io;
use std::iter::Peekable;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::book::{Book, Failure};
use crate::clock::{Alarm, Clock, SECOND_NS, nanoseconds, thread_cpu_ns};
use crate::desk::{Bodies, Desk, Outcome};
use crate::link::{Link, State};
use crate::meter::{End, Meter};
use crate::plan::Plan;
use crate::producer::{Producer, Request};
use crate::run::Control;
use crate::schedule::Schedule;
use crate::timeline::Second;

/// What is not urgent is looked at so often.
const TICK_NS: u64 = 50_000_000;
/// Requests that are sent before answers are looked at.
const BURST_MAX: usize = 64;
const EVENTS_MAX: usize = 1_024;
const READ_BYTES: usize = 64 * 1024;

/// One thread.
pub struct Worker<'a> {
    plan: &'a Plan,
    control: &'a Control,
    address: SocketAddr,
    producer: Producer<'a>,
    desk: Desk<'a>,
    schedule: Option<Peekable<Schedule>>,
    poll: Poll,
    events: Events,
    alarm: Alarm,
    links: Vec<Link>,
    free: VecDeque<usize>,
    backlog: VecDeque<Request>,
    backlog_max: usize,
    busy: usize,
    clock: Clock,
    end_ns: u64,
    room: Vec<u8>,
}

/// What one thread leaves behind.
pub struct Worked {
    /// What it counted.
    pub book: Book,
    /// Nanoseconds of processor time.
    pub cpu_ns: u64,
    /// Nanoseconds that it took.
    pub wall_ns: u64,
    /// How things stood when the last request became due.
    pub at_end: End,
}

impl<'a> Worker<'a> {
    /// A thread with its share of connections, which it makes.
    pub fn connect(
        plan: &'a Plan,
        control: &'a Control,
        address: SocketAddr,
        producer: Producer<'a>,
        desk: Desk<'a>,
        thread: usize,
    ) -> io::Result<Self> {
        let share = |whole: usize| (whole + plan.threads - 1 - thread) / plan.threads;
        let poll = Poll::new()?;
        let links = share(plan.connections);
        let mut worker = Self {
            plan,
            control,
            address,
            producer,
            desk,
            schedule: Schedule::new(&plan.arrivals, plan.seconds, plan.seed, thread, plan.threads)
                .map(Iterator::peekable),
            alarm: Alarm::new(poll.registry(), Token(links))?,
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            links: (0..links).map(|_| Link::new()).collect(),
            free: VecDeque::with_capacity(links),
            backlog: VecDeque::new(),
            backlog_max: share(plan.backlog_max),
            busy: 0,
            clock: Clock(Instant::now()),
            end_ns: nanoseconds(plan.seconds),
            room: vec![0; READ_BYTES],
        };
        worker.connect_all()?;
        Ok(worker)
    }

    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            other => other,
        }
    }

    /// Does its share of the run, from the start that all threads share.
    pub fn work(mut self, start: Instant) -> io::Result<Worked> {
        self.clock = Clock(start);
        let begun_cpu_ns = thread_cpu_ns();
        let mut meter = Meter::new(nanoseconds(self.plan.warmup_s), begun_cpu_ns);
        let mut second = 0;
        let mut next_tick_ns = 0;
        let drained_ns = self.end_ns + nanoseconds(self.plan.timeout_s);
        loop {
            let mut now_ns = self.clock.now();
            if now_ns >= (second + 1) * SECOND_NS {
                let share = meter.second(now_ns, thread_cpu_ns());
                while now_ns >= (second + 1) * SECOND_NS {
                    self.end_second(second, share);
                    second += 1;
                }
            }
            if now_ns >= self.end_ns && !meter.is_ended() {
                meter.end(now_ns, thread_cpu_ns(), self.desk.blocked_ns(), self.backlog.len() as u64);
            }
            if now_ns >= next_tick_ns {
                self.tick(now_ns)?;
                next_tick_ns = now_ns + TICK_NS;
            }
            if self.control.is_stopped() || now_ns >= drained_ns {
                break;
            }
            now_ns = self.send_due(now_ns)?;
            let due_ns = self.next_due(now_ns);
            if due_ns.is_none() && self.backlog.is_empty() && self.busy == 0 && now_ns >= self.end_ns {
                break;
            }
            let wake_ns = due_ns.unwrap_or(u64::MAX).min(next_tick_ns);
            if wake_ns <= now_ns {
                self.wait(Some(Duration::ZERO))?;
            } else {
                self.alarm.set(now_ns, wake_ns)?;
                self.wait(None)?;
            }
            self.take_events()?;
        }
        if !meter.is_ended() {
            meter.end(self.clock.now(), thread_cpu_ns(), self.desk.blocked_ns(), 0);
        }
        self.leave();
        let wall_ns = self.clock.now();
        self.end_second(second, 0.0);
        let cpu_ns = thread_cpu_ns() - begun_cpu_ns;
        Ok(Worked { book: self.desk.book, cpu_ns, wall_ns, at_end: meter.at_end() })
    }

    /// When the next request becomes due, or is to be sent again.
    fn next_due(&mut self, now_ns: u64) -> Option<u64> {
        let planned = match &mut self.schedule {
            Some(schedule) => schedule.peek().copied(),
            None => self.is_next_of_closed(now_ns).then_some(now_ns),
        };
        let again = self.desk.waiting.peek().map(|Reverse((at_ns, ..))| *at_ns);
        planned.into_iter().chain(again).min()
    }

    /// A closed loop: whoever is free sends, as long as the run goes on.
    fn is_next_of_closed(&self, now_ns: u64) -> bool {
        now_ns < self.end_ns && !self.free.is_empty()
    }

    fn send_due(&mut self, mut now_ns: u64) -> io::Result<u64> {
        for _ in 0..BURST_MAX {
            if let Some(Reverse((at_ns, request, _))) = self.desk.waiting.peek()
                && *at_ns <= now_ns
            {
                let request = *request;
                self.desk.waiting.pop();
                if !self.send(request, false) {
                    self.backlog.push_back(request);
                }
            }
            let due_ns = match &mut self.schedule {
                Some(schedule) => schedule.next_if(|due_ns| *due_ns <= now_ns),
                None => self.is_next_of_closed(now_ns).then_some(now_ns),
            };
            let Some(due_ns) = due_ns else { break };
            let request = self.producer.request(due_ns);
            self.desk.offer(&request);
            self.desk.came_late(&request, now_ns);
            if !self.send(request, false) {
                if self.backlog.len() < self.backlog_max {
                    self.backlog.push_back(request);
                } else {
                    self.settle_unsent(request, now_ns);
                }
            }
            now_ns = self.clock.now();
        }
        Ok(now_ns)
    }

    fn settle_unsent(&mut self, request: Request, now_ns: u64) {
        if request.retries > 0 {
            self.desk.give_up(&request, now_ns);
        } else {
            self.desk.settle(&mut self.producer, request, None, now_ns, Outcome::Dropped, Bodies::default());
        }
    }

    fn end_second(&mut self, number: u64, cpu_share: f64) {
        let mut second = std::mem::take(&mut self.desk.second);
        second.cpu_share = cpu_share;
        second.backlog = self.backlog.len() as u64;
        self.control.end_second(number, &second);
        second.waits.clear();
        self.desk.second = Second { waits: second.waits, ..Second::default() };
    }

    /// Ends what is still under way.
    fn leave(&mut self) {
        let now_ns = self.clock.now();
        for at in 0..self.links.len() {
            let link = &mut self.links[at];
            if let State::Busy { request, sent_ns } = link.state {
                let bodies = Bodies { request: &link.out, answer: &[] };
                let outcome = Outcome::Failure(Failure::Unfinished);
                self.desk.settle(&mut self.producer, request, Some(sent_ns), now_ns, outcome, bodies);
                link.close(u64::MAX);
            }
        }
        let waiting = std::mem::take(&mut self.desk.waiting);
        for request in std::mem::take(&mut self.backlog) {
            self.settle_unsent(request, now_ns);
        }
        for Reverse((_, request, _)) in waiting {
            self.settle_unsent(request, now_ns);
        }
    }
}
