//! Kinds of requests, made ready from a plan: checked, heads written, templates read.

use std::collections::BTreeMap;

use crate::draw::Weighted;
use crate::plan::{BULK_LINES_MAX, KindPlan, LISTED_MAX, Plan, PlanError};
use crate::producer::Request;
use crate::signing::Signer;
use crate::table::Table;
use crate::template::{Tables, Template};

const KINDS_MAX: usize = 64;

#[derive(Debug)]
pub(crate) enum Body {
    Empty,
    Template(Template),
    Prepared(Vec<String>),
}

/// A kind, ready.
pub(crate) struct Kind {
    pub(crate) method: String,
    pub(crate) path: Template,
    pub(crate) paths: Vec<String>,
    pub(crate) head: Vec<u8>,
    pub(crate) body: Body,
    pub(crate) about: About,
    pub(crate) lines: u64,
    /// Whether ids that were accepted are wanted later.
    pub(crate) wanted: bool,
    /// Whether its requests are orders, or ask for them: the answer is an Allocation.
    pub(crate) is_orders: bool,
}

pub(crate) enum About {
    New,
    Replay(usize),
    Accepted(usize),
}

/// What all threads share.
pub struct Kinds {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) mix: Weighted,
    pub(crate) tables: Tables,
    pub(crate) signer: Option<Signer>,
    prefix: String,
    pub(crate) seed: u64,
}

impl Kinds {
    /// Makes the kinds of a plan ready; `host` is the value of the Host header.
    pub fn new(plan: &Plan, host: &str) -> Result<Self, PlanError> {
        let tables: Result<BTreeMap<String, Table>, PlanError> =
            plan.tables.iter().map(|(name, table)| Ok((name.clone(), Table::new(name, table)?))).collect();
        let tables = Tables::new(tables?, plan.lines.as_ref(), &plan.baskets)?;
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

    /// How many orders a request is of; one that does something to an order that is there is none.
    #[must_use]
    pub fn orders(&self, request: &Request) -> u64 {
        match (self.is_step(request), self.is_bulk(request)) {
            (true, _) => 0,
            (false, true) => self.kinds[request.of].lines,
            (false, false) => 1,
        }
    }

    /// Whether requests of the kind bear the prefix and a number as their id.
    #[must_use]
    pub fn has_ids(&self, kind: usize) -> bool {
        !matches!(self.kinds[kind].body, Body::Prepared(_)) && self.kinds[kind].paths.is_empty()
    }

    /// Whether a request is an order, or about one, of which is kept what it was told.
    #[must_use]
    pub fn is_orders(&self, request: &Request) -> bool {
        self.kinds[request.of].is_orders
    }

    /// Whether a request does something to an order that is there.
    #[must_use]
    pub fn is_step(&self, request: &Request) -> bool {
        matches!(self.kinds[request.kind].about, About::Accepted(_))
    }

    /// Orders of one body of a kind; 0 where a body is one order.
    #[must_use]
    pub fn lines_of(&self, kind: usize) -> u64 {
        self.kinds[kind].lines
    }

    /// Orders of one body, by kind; 0 where a body is one order.
    #[must_use]
    pub fn lines(&self) -> Vec<u64> {
        self.kinds.iter().map(|kind| kind.lines).collect()
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
    if !is_path(&kind.path) || !path.is_plain() {
        return Err(PlanError::new(pointer("path"), "must begin with '/', be printable, and hold no more than ${id}"));
    }
    if kind.paths.len() > LISTED_MAX || !kind.paths.iter().all(|path| is_path(path)) {
        return Err(PlanError::new(pointer("paths"), "must begin with '/' and be printable, 5,000,000 at the most"));
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
    let is_orders = match method.as_str() {
        "POST" => matches!(kind.path.as_str(), "/v1/orders" | "/v1/orders:bulk"),
        "GET" => !kind.paths.is_empty(),
        _ => false,
    };
    let paths = kind.paths.clone();
    Ok(Kind { method, path, paths, head, body, about, lines, wanted, is_orders })
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic())
}
