//! What a run is to do, as it comes from outside, and what of it cannot be done.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Connections of a run, at the most.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Threads of a run, at the most.
pub const THREADS_MAX: usize = 16;
/// Requests that may wait for a connection, at the most.
pub const BACKLOG_MAX: usize = 1_000_000;
/// Times of a trace, prepared bodies of a kind, and values of a table, at the most.
pub const LISTED_MAX: usize = 5_000_000;
/// Orders of one bulk body, at the most.
pub const BULK_LINES_MAX: usize = 10_000;
/// The longest run.
pub const SECONDS_MAX: f64 = 86_400.0;
/// The highest rate, a second.
pub const RATE_MAX: f64 = 10_000_000.0;

/// A run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `http://host:port`
    pub url: String,
    /// When requests are due.
    pub arrivals: Arrivals,
    /// How long requests become due.
    pub seconds: f64,
    /// What is due before is sent, but not counted.
    #[serde(default)]
    pub warmup_s: f64,
    /// Connections that are kept alive, over all threads.
    #[serde(default = "connections")]
    pub connections: usize,
    /// Threads, each with its share of schedule and connections.
    #[serde(default = "one")]
    pub threads: usize,
    /// Draws times and contents.
    #[serde(default)]
    pub seed: u64,
    /// How long an answer is waited for.
    #[serde(default = "timeout")]
    pub timeout_s: f64,
    /// Requests that may wait for a connection, over all threads; more are dropped.
    #[serde(default = "backlog")]
    pub backlog_max: usize,
    /// Begins every order id: 1 to 60 letters, digits, `-`, `_` or `.`.
    pub id_prefix: String,
    /// An API key, sent as a bearer.
    #[serde(default)]
    pub key: Option<String>,
    /// Signs every request.
    #[serde(default)]
    pub signing_secret: Option<String>,
    /// Headers of every request.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// What templates draw from, by name.
    #[serde(default)]
    pub tables: BTreeMap<String, TablePlan>,
    /// What `${lines}` draws.
    #[serde(default)]
    pub lines: Option<LinesPlan>,
    /// What `${lines:NAME}` draws.
    #[serde(default)]
    pub baskets: BTreeMap<String, LinesPlan>,
    /// Kinds of requests, mixed by weight.
    pub kinds: Vec<KindPlan>,
    /// Whether what an overloaded service turned away is sent again.
    #[serde(default)]
    pub retries: Option<Retries>,
    /// Where every request is recorded.
    #[serde(default)]
    pub record: Option<Record>,
    /// Whether what each order was told is kept.
    #[serde(default)]
    pub ledger: Option<LedgerPlan>,
}

/// What is kept of orders.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum LedgerPlan {
    /// What they were told.
    Told,
    /// And the units that they hold, by cell.
    Held,
}

/// When requests are due.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Arrivals {
    /// Each connection sends when it has its answer: the service sets the rate.
    Closed,
    /// Evenly.
    Constant {
        /// Requests a second.
        rate: f64,
    },
    /// At random, as independent buyers come.
    Poisson {
        /// Requests a second.
        rate: f64,
    },
    /// From one rate to another over the run.
    Ramp {
        /// Requests a second at the start.
        from: f64,
        /// At the end.
        to: f64,
        /// At random instead of evenly.
        #[serde(default)]
        poisson: bool,
    },
    /// One rate, and for some time another.
    Spike {
        /// Requests a second before and after.
        base: f64,
        /// Meanwhile.
        peak: f64,
        /// When it begins.
        at_s: f64,
        /// How long it lasts.
        for_s: f64,
        /// At random instead of evenly.
        #[serde(default)]
        poisson: bool,
    },
    /// At listed times.
    Trace {
        /// Seconds after the start, ascending.
        at_s: Vec<f64>,
        /// How many times as fast.
        #[serde(default = "as_recorded")]
        speed: f64,
    },
}

/// Values to draw from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePlan {
    /// The values.
    pub values: Vec<String>,
    /// The n-th is drawn by a weight of 1 / n to this power. Without this and weights, all alike.
    #[serde(default)]
    pub zipf: Option<f64>,
    /// Weights, one a value.
    #[serde(default)]
    pub weights: Option<Vec<f64>>,
    /// Whether values are JSON, put in as they are; else they are text, put in escaped, without quotes.
    #[serde(default)]
    pub raw: bool,
    /// Whether no value is drawn twice for one order.
    #[serde(default)]
    pub distinct: bool,
}

/// The lines of an order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinesPlan {
    /// The table of SKUs; make it distinct.
    pub table: String,
    /// Weights of 1, 2, 3... lines.
    pub count: Vec<f64>,
    /// Weights of 1, 2, 3... units in a line.
    pub quantity: Vec<f64>,
}

/// A kind of requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindPlan {
    /// Names it in results.
    pub name: String,
    /// Its share, among those of the others.
    #[serde(default = "weight")]
    pub weight: f64,
    /// GET, POST, PUT, ...
    #[serde(default = "post")]
    pub method: String,
    /// May hold `${id}`.
    pub path: String,
    /// Or paths that are asked in their order, over again when all were.
    #[serde(default)]
    pub paths: Vec<String>,
    /// A template of what it sends.
    #[serde(default)]
    pub body: Option<String>,
    /// Or bodies that are sent in their order, over again when all were.
    #[serde(default)]
    pub bodies: Option<Vec<String>>,
    /// Sends again the very requests that the kind of this name has sent.
    #[serde(default)]
    pub replays: Option<String>,
    /// `${id}` is that of a request of the kind of this name that was answered with 2xx; once each, oldest first.
    #[serde(default)]
    pub accepted: Option<String>,
    /// Its body has so many lines, each by the template.
    #[serde(default)]
    pub bulk_lines: Option<usize>,
    /// Its content type.
    #[serde(default = "json")]
    pub content_type: String,
}

/// Sends again what was answered with 429 or 503, after its Retry-After.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retries {
    /// Times, at the most.
    pub times_max: u8,
    /// The longest wait, whatever the answer says.
    #[serde(default = "retry_wait")]
    pub wait_s_max: f64,
}

/// A file of all requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Where it is.
    pub path: String,
    /// Which answers' bodies are kept.
    #[serde(default)]
    pub answers: Keep,
    /// Whether bodies of requests are kept.
    #[serde(default)]
    pub requests: bool,
}

/// Which bodies are kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// None.
    None,
    /// Those of answers other than 2xx, and all of bulk ones.
    #[default]
    Refusals,
    /// All.
    All,
}

/// What of a plan cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// RFC 6901 pointer into the plan.
    pub pointer: String,
    /// The rule.
    pub message: String,
}

impl PlanError {
    /// An error at a pointer.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {}", self.pointer, self.message)
    }
}

const fn one() -> usize {
    1
}
const fn connections() -> usize {
    256
}
const fn weight() -> f64 {
    1.0
}
const fn timeout() -> f64 {
    30.0
}
const fn backlog() -> usize {
    10_000
}
const fn as_recorded() -> f64 {
    1.0
}
const fn retry_wait() -> f64 {
    5.0
}
fn post() -> String {
    "POST".into()
}
fn json() -> String {
    "application/json".into()
}

impl Plan {
    /// Reads a plan from JSON, and checks its numbers. Templates and tables are checked where they are used.
    pub fn read(json: &[u8]) -> Result<Self, PlanError> {
        let plan: Self = serde_json::from_slice(json).map_err(|error| PlanError::new("", error.to_string()))?;
        plan.check()?;
        Ok(plan)
    }
}
