//! Records every request as a line of JSON, in a thread of its own. Memory is bounded: when the disk cannot follow, the
//! generator waits for it, and tells how long.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

use crate::plan::Keep;
use crate::table::escaped;

const BLOCK_BYTES: usize = 256 * 1024;
const BLOCKS_AHEAD_MAX: usize = 16;

/// One line: a request, and what became of it.
pub struct Entry<'a> {
    /// The order's id; `None` where the generator does not know it.
    pub id: Option<&'a [u8]>,
    /// The number of the request among its kind.
    pub number: u64,
    /// Its kind.
    pub kind: &'a str,
    /// When it was due, sent and done; sent is `None` where it never was. Microseconds since the start.
    pub intended_us: u64,
    /// When it was sent, the last time.
    pub sent_us: Option<u64>,
    /// When it was done with.
    pub done_us: u64,
    /// Times that it was sent before.
    pub retries: u8,
    /// The answer's status, or why there is none.
    pub outcome: Result<u16, &'static str>,
    /// The request's body, where it is recorded.
    pub request: Option<&'a [u8]>,
    /// The answer's body, where it is recorded.
    pub answer: Option<&'a [u8]>,
}

/// One thread's end of a record.
pub struct Recorder {
    block: Vec<u8>,
    to: SyncSender<Vec<u8>>,
    /// Which answers' bodies are recorded.
    pub answers: Keep,
    /// Whether bodies of requests are.
    pub requests: bool,
    /// Nanoseconds for which this thread stood still, because the writer did not follow.
    pub blocked_ns: u64,
}

impl Recorder {
    /// Notes one request.
    pub fn add(&mut self, entry: &Entry<'_>) {
        let block = &mut self.block;
        block.extend_from_slice(b"{\"id\":");
        match entry.id {
            // An id is letters, digits and '-', '_', '.': nothing to escape.
            Some(id) => {
                block.push(b'"');
                block.extend_from_slice(id);
                block.push(b'"');
            }
            None => block.extend_from_slice(b"null"),
        }
        block.extend_from_slice(b",\"kind\":\"");
        block.extend_from_slice(&escaped(entry.kind));
        block.push(b'"');
        let numbers = [
            (&b",\"number\":"[..], Some(entry.number)),
            (b",\"intended_us\":", Some(entry.intended_us)),
            (b",\"sent_us\":", entry.sent_us),
            (b",\"done_us\":", Some(entry.done_us)),
            (b",\"retries\":", Some(u64::from(entry.retries))),
            (b",\"status\":", entry.outcome.ok().map(u64::from)),
        ];
        for (name, number) in numbers {
            block.extend_from_slice(name);
            match number {
                Some(number) => block.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
                None => block.extend_from_slice(b"null"),
            }
        }
        if let Err(failure) = entry.outcome {
            block.extend_from_slice(b",\"failure\":\"");
            block.extend_from_slice(failure.as_bytes());
            block.push(b'"');
        }
        for (name, body) in [(&b",\"request\":\""[..], entry.request), (b",\"answer\":\"", entry.answer)] {
            if let Some(body) = body {
                block.extend_from_slice(name);
                block.extend_from_slice(&escaped(&String::from_utf8_lossy(body)));
                block.push(b'"');
            }
        }
        block.extend_from_slice(b"}\n");
        if block.len() >= BLOCK_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK_BYTES + 4_096));
        // Where the writer has ended, its error is told at the end.
        if let Err(TrySendError::Full(block)) = self.to.try_send(block) {
            let begun = Instant::now();
            let _ = self.to.send(block);
            self.blocked_ns += begun.elapsed().as_nanos() as u64;
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.flush();
    }
}

/// The file's end: recorders for threads, and what writes until all of them are gone.
pub struct Writer {
    file: File,
    from: Receiver<Vec<u8>>,
}

impl Writer {
    /// A new file, and one recorder a thread.
    pub fn create(path: &str, answers: Keep, requests: bool, threads: usize) -> io::Result<(Self, Vec<Recorder>)> {
        let file = File::create(path)?;
        let (to, from) = sync_channel(BLOCKS_AHEAD_MAX);
        let recorder = || Recorder { block: Vec::new(), to: to.clone(), answers, requests, blocked_ns: 0 };
        Ok((Self { file, from }, (0..threads).map(|_| recorder()).collect()))
    }

    /// Writes all that comes.
    pub fn run(mut self) -> io::Result<()> {
        for block in &self.from {
            self.file.write_all(&block)?;
        }
        self.file.flush()
    }
}
