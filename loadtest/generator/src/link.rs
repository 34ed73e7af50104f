//! One connection: connects, sends one request at a time, reads its answer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::answer::{Answer, Fed, Keeping};
use crate::book::Failure;
use crate::producer::Request;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing: it is to be made, not before a time.
    Closed {
        /// Nanoseconds since the start.
        until_ns: u64,
    },
    /// It is being made.
    Connecting,
    /// It waits for a request.
    Idle,
    /// It waits for the answer.
    Busy {
        /// What it has sent.
        request: Request,
        /// When, in nanoseconds since the start.
        sent_ns: u64,
    },
}

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// Nothing that ends the answer.
    Nothing,
    /// The answer is whole.
    Answer {
        /// Whether bytes came beyond it.
        surplus: bool,
    },
    /// The connection is of no use any more.
    End(Failure),
}

/// A connection, or its place.
pub struct Link {
    stream: Option<TcpStream>,
    /// What it is doing.
    pub state: State,
    /// Whether it stands in the line of free ones.
    pub queued: bool,
    /// What is to be sent.
    pub out: Vec<u8>,
    written: usize,
    /// What is being read.
    pub answer: Answer,
}

impl Link {
    /// A place for a connection.
    #[must_use]
    pub fn new() -> Self {
        let state = State::Closed { until_ns: 0 };
        Self { stream: None, state, queued: false, out: Vec::new(), written: 0, answer: Answer::default() }
    }

    /// Begins to connect.
    pub fn connect(&mut self, address: SocketAddr, registry: &Registry, token: Token) -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        (self.stream, self.state) = (Some(stream), State::Connecting);
        Ok(())
    }

    /// Whether a connection that is being made is made by now.
    pub fn is_connected(&self) -> io::Result<bool> {
        let Some(stream) = &self.stream else { return Ok(false) };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends the connection.
    pub fn close(&mut self, until_ns: u64) {
        self.stream = None;
        self.state = State::Closed { until_ns };
    }

    /// Begins to send what stands in `out`.
    pub fn begin(&mut self, keeping: Keeping) -> Result<(), Failure> {
        self.written = 0;
        self.answer.begin(keeping);
        self.write()
    }

    /// Whether all of the request was sent.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.written == self.out.len()
    }

    /// Goes on sending, as far as the connection takes it.
    pub fn write(&mut self) -> Result<(), Failure> {
        let Some(stream) = &mut self.stream else { return Err(Failure::Closed) };
        while self.written < self.out.len() {
            match stream.write(&self.out[self.written..]) {
                Ok(bytes) => self.written += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // There may be an answer all the same: reading tells.
                Err(_) if self.written > 0 => return Ok(()),
                Err(_) => return Err(Failure::Reset),
            }
        }
        Ok(())
    }

    /// Reads what there is, up to the end of an answer; adds to the bytes read.
    pub fn read(&mut self, room: &mut [u8], bytes: &mut u64, may_end: bool) -> Came {
        let Some(stream) = &mut self.stream else { return Came::Nothing };
        loop {
            match stream.read(room) {
                Ok(0) if matches!(self.state, State::Busy { .. }) => {
                    return if self.answer.ends_with_connection() {
                        Came::Answer { surplus: false }
                    } else if self.answer.has_begun() {
                        Came::End(Failure::Truncated)
                    } else {
                        Came::End(Failure::Closed)
                    };
                }
                Ok(0) => return Came::End(Failure::Closed),
                Ok(count) => {
                    *bytes += count as u64;
                    if !matches!(self.state, State::Busy { .. }) {
                        return Came::End(Failure::Malformed);
                    }
                    match self.answer.feed(&room[..count]) {
                        Err(_) => return Came::End(Failure::Malformed),
                        Ok(Fed::Whole { surplus }) => return Came::Answer { surplus },
                        // A short read has emptied the socket, unless its end is to come.
                        Ok(Fed::More) if count < room.len() && !may_end => return Came::Nothing,
                        Ok(Fed::More) => {}
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Came::Nothing,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Came::End(Failure::Reset),
            }
        }
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::new()
    }
}
