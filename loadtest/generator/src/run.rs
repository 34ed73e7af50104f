//! A run: its threads, what may stop it, and what it reports.

use std::any::Any;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::desk::Desk;
use crate::kinds::Kinds;
use crate::ledger::Ledger;
use crate::plan::{Arrivals, LedgerPlan, Plan, PlanError};
use crate::producer::{Producer, Request};
use crate::recorder::{Recorder, Writer};
use crate::report::Report;
use crate::timeline::{Row, Second, Timeline};
use crate::worker::Worker;

/// As `nice` counts: the least is -20.
const PRIORITY: i32 = -10;

/// Stops a run, and watches it.
pub struct Control {
    stopped: AtomicBool,
    timeline: Mutex<Timeline>,
}

impl Control {
    /// For a run of so many threads.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self { stopped: AtomicBool::new(false), timeline: Mutex::new(Timeline::new(threads)) }
    }

    /// Ends the run soon: what is under way is given up.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether it was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Seconds that are over, from one on.
    #[must_use]
    pub fn rows(&self, from: usize) -> Vec<Row> {
        self.timeline().rows(from).to_vec()
    }

    pub(crate) fn end_second(&self, number: u64, second: &Second) {
        self.timeline().end(number, second);
    }

    fn timeline(&self) -> MutexGuard<'_, Timeline> {
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there was no run.
#[derive(Debug)]
pub enum RunError {
    /// The plan cannot be done.
    Plan(PlanError),
    /// The service cannot be reached, or the record not be written.
    Io(&'static str, io::Error),
    /// A thread of the generator died of a flaw of its own.
    Died(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(error) => error.fmt(to),
            Self::Io(what, error) => write!(to, "{what}: {error}"),
            Self::Died(cause) => write!(to, "a thread died: {cause}"),
        }
    }
}

/// Has this thread run before others that share its processor, where the system allows that: when it is late at a rate of
/// its own, what is measured is it. (Who waits for answers is never late, and would only keep the service.) Linux takes a thread for the process here, and the priority ends with the thread.
fn first_in_line() {
    let _ = rustix::process::setpriority_process(None, PRIORITY);
}

/// Does what the plan says; returns when all is answered, given up, or stopped.
pub fn run(plan: &Plan, control: &Control) -> Result<Report, RunError> {
    let host = host(&plan.url).map_err(RunError::Plan)?;
    let kinds = Kinds::new(plan, host).map_err(RunError::Plan)?;
    let address = address(host)?;
    let (writer, recorders) = recorders(plan)?;
    let (ready, readied) = channel::<()>();
    thread::scope(|scope| {
        let writing = writer.map(|writer| scope.spawn(move || writer.run()));
        let (mut working, mut starts) = (Vec::new(), Vec::new());
        for (thread, recorder) in recorders.into_iter().enumerate() {
            let (start, started) = channel::<Instant>();
            starts.push(start);
            let (ready, kinds) = (ready.clone(), &kinds);
            working.push(scope.spawn(move || {
                if !matches!(plan.arrivals, Arrivals::Closed) {
                    first_in_line();
                }
                let _stops = StopsAtPanic(control);
                let producer = Producer::new(kinds, thread, plan.threads);
                let mut desk = Desk::new(plan, kinds, recorder);
                desk.book.ledger = ledger(plan, thread);
                let worker = Worker::connect(plan, control, address, producer, desk, thread)?;
                let _ = ready.send(());
                drop(ready);
                // Where another thread is not ready, nobody starts.
                started.recv().map_or(Ok(None), |start| worker.work(start).map(Some))
            }));
        }
        drop(ready);
        // Ends when each has told that it is ready, or has ended: one that cannot connect or dies keeps nobody waiting.
        if readied.iter().count() == plan.threads {
            let now = Instant::now();
            starts.iter().for_each(|start| _ = start.send(now));
        }
        drop(starts);
        let ended: Vec<_> = working.into_iter().map(thread::ScopedJoinHandle::join).collect();
        let mut worked = Vec::new();
        for one in ended {
            let one = one.map_err(|panic| RunError::Died(words(panic)))?;
            worked.extend(one.map_err(|error| RunError::Io("cannot reach the service", error))?);
        }
        if let Some(writing) = writing {
            let written = writing.join().unwrap_or_else(|_| Err(io::Error::other("its thread died")));
            written.map_err(|error| RunError::Io("cannot write the record", error))?;
        }
        let timeline = std::mem::replace(&mut *control.timeline(), Timeline::new(plan.threads));
        Ok(Report::new(plan, worked, timeline.finish(), control.is_stopped()))
    })
}

/// Stops a run of which a thread dies: the others would go on for nothing.
struct StopsAtPanic<'a>(&'a Control);

impl Drop for StopsAtPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

fn words(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast::<String>().map(|text| *text);
    let text = text.or_else(|panic| panic.downcast::<&str>().map(|text| text.to_string()));
    text.unwrap_or_else(|_| "it did not tell why".into())
}

/// The bodies of requests of a kind, by their numbers, as a run of this plan sends them.
pub fn bodies(plan: &Plan, kind: usize, numbers: &[u64]) -> Result<Vec<Vec<u8>>, PlanError> {
    let kinds = Kinds::new(plan, host(&plan.url)?)?;
    if kind >= kinds.len() {
        return Err(PlanError::new("/kinds", "has no such kind"));
    }
    let lines = kinds.lines_of(kind);
    let mut producer = Producer::new(&kinds, 0, 1);
    let mut sent = Vec::new();
    Ok(numbers
        .iter()
        .map(|&number| {
            // The lines of a body are drawn one after the other: any of them needs those before it.
            let first = number - number.checked_rem(lines).unwrap_or(0);
            sent.clear();
            producer.write(&Request { intended_ns: 0, kind, of: kind, number: first, retries: 0 }, &mut sent);
            match lines {
                0 => producer.body().to_vec(),
                _ => producer
                    .body()
                    .split(|byte| *byte == b'\n')
                    .nth((number - first) as usize)
                    .map(Vec::from)
                    .unwrap_or_default(),
            }
        })
        .collect())
}

/// `host:port` of a URL.
fn host(url: &str) -> Result<&str, PlanError> {
    let wrong = || PlanError::new("/url", "must be http://host:port; TLS is left to a proxy");
    let host = url.strip_prefix("http://").ok_or_else(wrong)?;
    let host = host.strip_suffix('/').unwrap_or(host);
    let plain = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#@".contains(&byte));
    if plain { Ok(host) } else { Err(wrong()) }
}

fn address(host: &str) -> Result<SocketAddr, RunError> {
    let found = match host.to_socket_addrs() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => format!("{host}:80").to_socket_addrs(),
        found => found,
    };
    let unknown = |error| RunError::Io("cannot find the service", error);
    found.map_err(unknown)?.next().ok_or_else(|| unknown(io::ErrorKind::NotFound.into()))
}

fn ledger(plan: &Plan, thread: usize) -> Option<Ledger> {
    let kept = plan.ledger?;
    Some(Ledger::new(plan.kinds.len(), thread, plan.threads, kept == LedgerPlan::Held))
}

fn recorders(plan: &Plan) -> Result<(Option<Writer>, Vec<Option<Recorder>>), RunError> {
    let Some(record) = &plan.record else { return Ok((None, (0..plan.threads).map(|_| None).collect())) };
    let (writer, recorders) = Writer::create(&record.path, record.answers, record.requests, plan.threads)
        .map_err(|error| RunError::Io("cannot write the record", error))?;
    Ok((Some(writer), recorders.into_iter().map(Some).collect()))
}
