//! Says which request is next, and writes it. What a request holds follows from seed, kind and number alone, so that one
//! can be sent again without being kept.

use std::collections::VecDeque;

use crate::draw::Draw;
use crate::kinds::{About, Body, Kinds};
use crate::table::Drawn;

/// Accepted ids of one kind that wait for what is to be done to them; older ones are left as they are.
const ACCEPTED_MAX: usize = 65_536;
/// Mixed into the seed, so that kinds and contents are drawn apart.
const MIX: u64 = 0x6d69_7865;

/// One request, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// When it was due: the first time, where it is sent again.
    pub intended_ns: u64,
    /// Its kind.
    pub kind: usize,
    /// The kind whose contents and id it has: its own, or that of the order that it is about.
    pub of: usize,
    /// Its number among those, or that of the first line of a bulk.
    pub number: u64,
    /// Times that it was sent before.
    pub retries: u8,
}

/// What one thread needs to write requests.
pub struct Producer<'a> {
    kinds: &'a Kinds,
    draw: Draw,
    next: Vec<u64>,
    accepted: Vec<VecDeque<u64>>,
    first: u64,
    step: u64,
    body: Vec<u8>,
    target: Vec<u8>,
    id: Vec<u8>,
    drawn: Drawn,
}

impl<'a> Producer<'a> {
    /// Of thread `thread` of `threads`: they share the numbers.
    #[must_use]
    pub fn new(kinds: &'a Kinds, thread: usize, threads: usize) -> Self {
        Self {
            kinds,
            draw: Draw::of(kinds.seed, &[MIX, thread as u64]),
            next: vec![0; kinds.len()],
            accepted: kinds.kinds.iter().map(|_| VecDeque::new()).collect(),
            first: thread as u64,
            step: threads as u64,
            body: Vec::new(),
            target: Vec::new(),
            id: Vec::new(),
            drawn: Drawn::new(),
        }
    }

    /// The next request. One about an earlier order becomes that kind of order itself, where there is none yet.
    pub fn request(&mut self, intended_ns: u64) -> Request {
        let kind = self.kinds.mix.choose(&mut self.draw);
        let request = |kind, of, number| Request { intended_ns, kind, of, number, retries: 0 };
        match self.kinds.kinds[kind].about {
            About::New => request(kind, kind, self.new_number(kind)),
            About::Replay(of) => match self.next[of] {
                0 => request(of, of, self.new_number(of)),
                sent => {
                    let place = self.draw.below(sent);
                    request(kind, of, self.number_at(of, place))
                }
            },
            About::Accepted(of) => match self.accepted[of].pop_front() {
                None => request(of, of, self.new_number(of)),
                Some(number) => request(kind, of, number),
            },
        }
    }

    fn new_number(&mut self, kind: usize) -> u64 {
        let place = self.next[kind];
        self.next[kind] += 1;
        self.number_at(kind, place)
    }

    fn number_at(&self, kind: usize, place: u64) -> u64 {
        (place * self.step + self.first) * self.kinds.kinds[kind].lines.max(1)
    }

    /// Notes that a request was accepted.
    pub fn accepted(&mut self, request: &Request) {
        let kind = &self.kinds.kinds[request.kind];
        if kind.wanted && kind.lines == 0 {
            let ids = &mut self.accepted[request.kind];
            if ids.len() == ACCEPTED_MAX {
                ids.pop_front();
            }
            ids.push_back(request.number);
        }
    }

    /// The body that was written last.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Writes a request whole, as it goes over the wire.
    pub fn write(&mut self, request: &Request, to: &mut Vec<u8>) {
        let Kinds { kinds, tables, seed, signer, .. } = self.kinds;
        let kind = &kinds[request.kind];
        // A replay is all of the kind that it replays.
        let whole = if matches!(kind.about, About::Replay(_)) { &kinds[request.of] } else { kind };
        self.body.clear();
        let mut draw = Draw::of(*seed, &[request.of as u64, request.number]);
        match &whole.body {
            Body::Empty => {}
            Body::Prepared(bodies) => {
                let body = &bodies[(request.number % bodies.len() as u64) as usize];
                self.body.extend_from_slice(body.as_bytes());
            }
            Body::Template(template) => {
                for line in 0..whole.lines.max(1) {
                    self.id.clear();
                    self.kinds.write_id(request.of, request.number + line, &mut self.id);
                    template.write(tables, &self.id, &mut draw, &mut self.drawn, &mut self.body);
                    if whole.lines > 0 {
                        self.body.push(b'\n');
                    }
                }
            }
        }
        self.id.clear();
        self.kinds.write_id(request.of, request.number, &mut self.id);
        self.target.clear();
        match whole.paths.get((request.number % whole.paths.len().max(1) as u64) as usize) {
            Some(path) => self.target.extend_from_slice(path.as_bytes()),
            None => whole.path.write(tables, &self.id, &mut draw, &mut self.drawn, &mut self.target),
        }
        to.extend_from_slice(whole.method.as_bytes());
        to.push(b' ');
        to.extend_from_slice(&self.target);
        to.extend_from_slice(&whole.head);
        if let Some(signer) = signer {
            signer.write_header(whole.method.as_bytes(), &self.target, &self.body, to);
        }
        if !matches!(whole.body, Body::Empty) || whole.method != "GET" {
            to.extend_from_slice(b"Content-Length: ");
            to.extend_from_slice(itoa::Buffer::new().format(self.body.len()).as_bytes());
            to.extend_from_slice(b"\r\n");
        }
        to.extend_from_slice(b"\r\n");
        to.extend_from_slice(&self.body);
    }
}
