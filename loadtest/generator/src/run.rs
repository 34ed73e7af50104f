//! A run: its threads, what may stop it, and what it reports.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

use crate::desk::Desk;
use crate::kinds::Kinds;
use crate::plan::{Plan, PlanError};
use crate::producer::Producer;
use crate::recorder::{Recorder, Writer};
use crate::report::Report;
use crate::timeline::{Row, Second, Timeline};
use crate::worker::{Worked, Worker};

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
}

impl fmt::Display for RunError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(error) => error.fmt(to),
            Self::Io(what, error) => write!(to, "{what}: {error}"),
        }
    }
}

/// Does what the plan says; returns when all is answered, given up, or stopped.
pub fn run(plan: &Plan, control: &Control) -> Result<Report, RunError> {
    let host = host(&plan.url).map_err(RunError::Plan)?;
    let kinds = Kinds::new(plan, host).map_err(RunError::Plan)?;
    let address = address(host)?;
    let (writer, recorders) = recorders(plan)?;
    let barrier = Barrier::new(plan.threads);
    let start = OnceLock::new();
    thread::scope(|scope| {
        let writing = writer.map(|writer| scope.spawn(move || writer.run()));
        let (kinds, barrier, start) = (&kinds, &barrier, &start);
        let working: Vec<_> = recorders
            .into_iter()
            .enumerate()
            .map(|(thread, recorder)| {
                scope.spawn(move || {
                    let producer = Producer::new(kinds, thread, plan.threads);
                    let desk = Desk::new(plan, kinds, recorder);
                    let worker = Worker::connect(plan, control, address, producer, desk, thread);
                    if worker.is_err() {
                        control.stop();
                    }
                    barrier.wait();
                    worker?.work(*start.get_or_init(Instant::now))
                })
            })
            .collect();
        let worked: Result<Vec<Worked>, io::Error> = working
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| Err(io::Error::other("a thread died"))))
            .collect();
        let worked = worked.map_err(|error| RunError::Io("cannot reach the service", error))?;
        if let Some(writing) = writing {
            let written = writing.join().unwrap_or_else(|_| Err(io::Error::other("its thread died")));
            written.map_err(|error| RunError::Io("cannot write the record", error))?;
        }
        let timeline = std::mem::replace(&mut *control.timeline(), Timeline::new(plan.threads));
        Ok(Report::new(plan, worked, timeline.finish(), control.is_stopped()))
    })
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

fn recorders(plan: &Plan) -> Result<(Option<Writer>, Vec<Option<Recorder>>), RunError> {
    let Some(record) = &plan.record else { return Ok((None, (0..plan.threads).map(|_| None).collect())) };
    let (writer, recorders) = Writer::create(&record.path, record.answers, record.requests, plan.threads)
        .map_err(|error| RunError::Io("cannot write the record", error))?;
    Ok((Some(writer), recorders.into_iter().map(Some).collect()))
}
