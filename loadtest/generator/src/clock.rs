//! Nanoseconds since the start of a run, processor time of this thread, and a timer finer than a poll's milliseconds.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
    timerfd_settime,
};

/// Nanoseconds of a second.
pub const SECOND_NS: u64 = 1_000_000_000;

/// The shortest sleep. Shorter ones would cost a processor whole; sends that fall into it go together.
const SLEEP_MIN_NS: u64 = 20_000;

/// Counts from the start of the run.
#[derive(Clone, Copy, Debug)]
pub struct Clock(pub Instant);

impl Clock {
    /// Nanoseconds since the start.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

/// Seconds as nanoseconds; nothing below zero.
#[must_use]
pub fn nanoseconds(seconds: f64) -> u64 {
    (seconds * SECOND_NS as f64) as u64
}

/// Nanoseconds as seconds.
#[must_use]
pub fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / SECOND_NS as f64
}

/// Nanoseconds of processor time that this thread has used.
#[must_use]
pub fn thread_cpu_ns() -> u64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as u64 * SECOND_NS + used.tv_nsec as u64
}

/// Wakes a poll.
pub struct Alarm {
    timer: OwnedFd,
    armed_ns: u64,
}

impl Alarm {
    /// An alarm that ends polls of this registry with an event of the token.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { timer, armed_ns: 0 })
    }

    /// Sets it to a time that is not in the past, both in nanoseconds since the start.
    pub fn set(&mut self, now_ns: u64, at_ns: u64) -> io::Result<()> {
        if self.armed_ns == at_ns && now_ns < at_ns {
            return Ok(());
        }
        self.armed_ns = at_ns;
        let sleep = at_ns.saturating_sub(now_ns).max(SLEEP_MIN_NS);
        let value = Timespec { tv_sec: (sleep / SECOND_NS) as _, tv_nsec: (sleep % SECOND_NS) as _ };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}
