//! Says which request is next, and writes it. What a request holds follows from seed, kind and number alone, so that one
//! can be sent again without being kept.

use std::collections::{BTreeMap, VecDeque};

use crate::draw::{Draw, Weighted};
use crate::plan::{BULK_LINES_MAX, KindPlan, LISTED_MAX, Plan, PlanError};
use crate::signing::Signer;
use crate::table::{Drawn, Table};
use crate::template::{Tables, Template};

/// Accepted ids of one kind that wait for what is to be done to them; older ones are left as they are.
const ACCEPTED_MAX: usize = 65_536;
const KINDS_MAX: usize = 64;
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

#[derive(Debug)]
enum Body {
    Empty,
    Template(Template),
    Prepared(Vec<String>),
}

/// A kind, ready.
struct Kind {
    method: String,
    path: Template,
    head: Vec<u8>,
    body: Body,
    about: About,
    lines: u64,
    /// Whether ids that were accepted are wanted later.
    wanted: bool,
}

enum About {
    New,
    Replay(usize),
    Accepted(usize),
}

/// What all threads share.
pub struct Kinds {
    kinds: Vec<Kind>,
    mix: Weighted,
    tables: Tables,
    signer: Option<Signer>,
    prefix: String,
    seed: u64,
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

impl Kinds {
    /// Makes the kinds of a plan ready; `host` is the value of the Host header.
    pub fn new(plan: &Plan, host: &str) -> Result<Self, PlanError> {
        let tables: Result<BTreeMap<String, Table>, PlanError> =
            plan.tables.iter().map(|(name, table)| Ok((name.clone(), Table::new(name, table)?))).collect();
        let tables = Tables::new(tables?, plan.lines.as_ref())?;
        if !(1..=KINDS_MAX).contains(&plan.kinds.len()) {
            return Err(PlanError::new("/kinds", "must be 1 to 64"));
        }
        let weights: Vec<f64> = plan.kinds.iter().map(|kind| kind.weight).collect();
        let mix = Weighted::new(&weights).ok_or_else(|| PlanError::new("/kinds", "need weights, one above 0"))?;
        let kinds: Result<Vec<Kind>, PlanError> =
            plan.kinds.iter().enumerate().map(|(at, kind)| ready(plan, kind, at, host, &tables)).collect();
        let signer = plan.signing_secret.as_deref().and_then(Signer::new);
        Ok(Self { kinds: kinds?, mix, tables, signer, prefix: plan.id_prefix.clone(), seed: plan.seed })
    }

    /// Kinds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there are none; there always is one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Whether a request is a body of many orders.
    #[must_use]
    pub fn is_bulk(&self, request: &Request) -> bool {
        !matches!(self.kinds[request.kind].about, About::Accepted(_)) && self.kinds[request.of].lines > 0
    }

    /// Whether requests of the kind bear the prefix and a number as their id.
    #[must_use]
    pub fn has_ids(&self, kind: usize) -> bool {
        !matches!(self.kinds[kind].body, Body::Prepared(_))
    }

    /// Writes the id of a number of a kind.
    pub fn write_id(&self, kind: usize, number: u64, to: &mut Vec<u8>) {
        to.extend_from_slice(self.prefix.as_bytes());
        to.push(b'-');
        to.extend_from_slice(itoa::Buffer::new().format(kind).as_bytes());
        to.push(b'-');
        to.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }
}

fn ready(plan: &Plan, kind: &KindPlan, at: usize, host: &str, tables: &Tables) -> Result<Kind, PlanError> {
    let pointer = |field: &str| format!("/kinds/{at}/{field}");
    let path = Template::read(&kind.path, tables, &pointer("path"))?;
    let graphic = kind.path.starts_with('/') && kind.path.bytes().all(|byte| byte.is_ascii_graphic());
    if !graphic || !path.is_plain() {
        return Err(PlanError::new(pointer("path"), "must begin with '/', be printable, and hold no more than ${id}"));
    }
    if kind.method.is_empty() || !kind.method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(PlanError::new(pointer("method"), "must be capital letters"));
    }
    let body = match (&kind.body, &kind.bodies) {
        (None, None) => Body::Empty,
        (Some(text), None) => Body::Template(Template::read(text, tables, &pointer("body"))?),
        (None, Some(bodies)) if (1..=LISTED_MAX).contains(&bodies.len()) => Body::Prepared(bodies.clone()),
        (None, Some(_)) => return Err(PlanError::new(pointer("bodies"), "must have 1 to 5,000,000 bodies")),
        (Some(_), Some(_)) => return Err(PlanError::new(pointer("bodies"), "cannot be beside body")),
    };
    let lines = kind.bulk_lines.unwrap_or(0);
    if kind.bulk_lines == Some(0) || lines > BULK_LINES_MAX || lines > 0 && !matches!(body, Body::Template(_)) {
        return Err(PlanError::new(pointer("bulk_lines"), "must be 1 to 10,000, of a template"));
    }
    let is_new = |other: &KindPlan| other.replays.is_none() && other.accepted.is_none();
    let named = |name: &str, field: &str| {
        let found = plan.kinds.iter().position(|other| other.name == name && is_new(other));
        found.ok_or_else(|| PlanError::new(pointer(field), format!("{name} is no kind of new requests")))
    };
    let about = match (&kind.replays, &kind.accepted) {
        (None, None) => About::New,
        (Some(name), None) => About::Replay(named(name, "replays")?),
        (None, Some(name)) => About::Accepted(named(name, "accepted")?),
        (Some(_), Some(_)) => return Err(PlanError::new(pointer("accepted"), "cannot be beside replays")),
    };
    let wanted = plan.kinds.iter().any(|other| other.accepted.as_ref() == Some(&kind.name));
    let mut head = format!(" HTTP/1.1\r\nHost: {host}\r\n");
    if !matches!(body, Body::Empty) {
        head.push_str(&format!("Content-Type: {}\r\n", kind.content_type));
    }
    if let Some(key) = &plan.key {
        head.push_str(&format!("Authorization: Bearer {key}\r\n"));
    }
    for (name, value) in &plan.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let (method, head, lines) = (kind.method.clone(), head.into_bytes(), lines as u64);
    if head.windows(4).any(|end| end == b"\r\n\r\n") || kind.content_type.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(PlanError::new(pointer("content_type"), "must be a line of text"));
    }
    Ok(Kind { method, path, head, body, about, lines, wanted })
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
        whole.path.write(tables, &self.id, &mut draw, &mut self.drawn, &mut self.target);
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
