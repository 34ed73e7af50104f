//! One thread of a run: one loop that sends what is due, and takes the answers that came.

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
use crate::link::{Came, Link, State};
use crate::plan::Plan;
use crate::producer::{Producer, Request};
use crate::run::Control;
use crate::schedule::Schedule;
use crate::timeline::Second;

/// How long the first connections are waited for.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// What is not urgent is looked at so often.
const TICK_NS: u64 = 50_000_000;
/// A connection that could not be made is tried again after this.
const RECONNECT_NS: u64 = 100_000_000;
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
    /// The highest share of a processor in one second.
    pub cpu_share_peak: f64,
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

    fn connect_all(&mut self) -> io::Result<()> {
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
        let (mut second, mut second_cpu_ns, mut cpu_share_peak) = (0, begun_cpu_ns, 0.0_f64);
        let mut next_tick_ns = 0;
        let drained_ns = self.end_ns + nanoseconds(self.plan.timeout_s);
        loop {
            let mut now_ns = self.clock.now();
            while now_ns >= (second + 1) * SECOND_NS {
                let cpu_ns = thread_cpu_ns();
                let share = (cpu_ns - second_cpu_ns) as f64 / SECOND_NS as f64;
                cpu_share_peak = cpu_share_peak.max(share.min(1.0));
                self.end_second(second, share);
                (second, second_cpu_ns) = (second + 1, cpu_ns);
            }
            if now_ns >= next_tick_ns {
                self.tick(now_ns)?;
                next_tick_ns = now_ns + TICK_NS;
            }
            if self.control.is_stopped() || now_ns >= drained_ns {
                break;
            }
            now_ns = self.send_due(now_ns)?;
            let due_ns = self.next_due();
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
        self.leave();
        let wall_ns = self.clock.now();
        self.end_second(second, 0.0);
        Ok(Worked { book: self.desk.book, cpu_ns: thread_cpu_ns() - begun_cpu_ns, wall_ns, cpu_share_peak })
    }

    /// When the next request becomes due, or is to be sent again.
    fn next_due(&mut self) -> Option<u64> {
        let planned = self.schedule.as_mut().and_then(|schedule| schedule.peek().copied());
        let again = self.desk.waiting.peek().map(|Reverse((at_ns, ..))| *at_ns);
        planned.into_iter().chain(again).min()
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
                // A closed loop: whoever is free sends, as long as the run goes on.
                None => (now_ns < self.end_ns && !self.free.is_empty()).then_some(now_ns),
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

    /// Sends a request on a connection that is free; `false` where none is.
    fn send(&mut self, request: Request, waited: bool) -> bool {
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

    fn take_events(&mut self) -> io::Result<()> {
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

    fn connected(&mut self, at: usize) {
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
    fn serve(&mut self, at: usize) {
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

    fn make_free(&mut self, at: usize) {
        self.links[at].state = State::Idle;
        if !self.links[at].queued {
            self.links[at].queued = true;
            self.free.push_back(at);
        }
    }

    /// A connection broke: what was under way on it has failed.
    fn lose(&mut self, at: usize, failure: Failure) {
        let link = &mut self.links[at];
        if let State::Busy { request, sent_ns } = link.state {
            let bodies = Bodies { request: &link.out, answer: &[] };
            let now_ns = self.clock.now();
            self.desk.settle(&mut self.producer, request, Some(sent_ns), now_ns, Outcome::Failure(failure), bodies);
            self.busy -= 1;
        }
        self.reconnect(at);
    }

    fn reconnect(&mut self, at: usize) {
        self.links[at].close(0);
        if self.links[at].connect(self.address, self.poll.registry(), Token(at)).is_err() {
            self.cannot_connect(at);
        }
    }

    /// What is not urgent: time-outs, connections to be made.
    fn tick(&mut self, now_ns: u64) -> io::Result<()> {
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
