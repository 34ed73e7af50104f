//! One policy: what it wants least of, what else it charges for, and which warehouses and units it leaves alone.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Kind;

/// What a plan has the least of, or who comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Least cost.
    #[default]
    Cheapest,
    /// Nearest warehouse with stock first.
    Nearest,
    /// The last promised day as early as can be; then least cost.
    Fastest,
    /// Fewest shipments; then least cost.
    FewestShipments,
    /// Least weighted sum of cost, way, days, shipments and load.
    Balanced,
    /// Best-ranked warehouse with stock first: those that the policy lists, then the others by their own priority.
    Priority,
    /// As priority, from the listed warehouses alone.
    Pinned,
}

impl Objective {
    /// Its name in books and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cheapest => "cheapest",
            Self::Nearest => "nearest",
            Self::Fastest => "fastest",
            Self::FewestShipments => "fewest_shipments",
            Self::Balanced => "balanced",
            Self::Priority => "priority",
            Self::Pinned => "pinned",
        }
    }

    /// Whether it has an optimum, which a plan can be proven to be. The others go through the warehouses by a rule.
    #[must_use]
    pub fn has_optimum(self) -> bool {
        !matches!(self, Self::Nearest | Self::Priority | Self::Pinned)
    }
}

/// Thousandths of minor units, each; `cost` thousandths of the booked cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Of the booked cost.
    pub cost: i64,
    /// A kilometre of each shipment's way.
    pub per_km: i64,
    /// A day from today to a shipment's promised day.
    pub per_day: i64,
    /// A shipment.
    pub per_shipment: i64,
    /// A shipment from a warehouse whose capacity of today is used up; a part of it where a part is used.
    pub load: i64,
}

/// What becomes of the pools of an order's channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pools {
    /// Taken from before the rest that all share.
    #[default]
    First,
    /// Nothing else is taken.
    Only,
    /// Left alone.
    Never,
}

/// Which warehouses and pools may serve.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Only {
    /// Warehouses of these kinds; of all, where none is named.
    pub kinds: Vec<Kind>,
    /// All but these.
    pub exclude: Vec<Box<str>>,
    /// Those that have all of these.
    pub capabilities: Vec<Box<str>>,
    /// Those whose stock was counted in so many seconds.
    pub counted_within_s: Option<u64>,
    /// What of the channel's pools.
    pub pools: Pools,
}

impl Only {
    /// Whether warehouses of a kind may serve.
    #[must_use]
    pub fn allows(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

/// A policy of a book. Money in minor units.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Its name in the book.
    pub name: Box<str>,
    /// What it wants.
    pub objective: Objective,
    /// Of a balanced policy.
    pub weights: Weights,
    /// Each shipment after the first.
    pub split_penalty: i64,
    /// Each day that a shipment is promised after it is due.
    pub lateness_cost_per_day: i64,
    /// A shipment from a warehouse whose capacity of today is used up; a part of it where a part is used.
    pub load_cost: i64,
    /// When an order that does not say is due, in days from when it is planned.
    pub deliver_within_days: Option<i32>,
    /// Shipments at the most.
    pub max_shipments: Option<usize>,
    /// The ranked list, best first.
    pub warehouses: Vec<Box<str>>,
    /// Filters.
    pub only: Only,
    /// Units of each cell that orders of a channel leave.
    pub keep_back: BTreeMap<Box<str>, i64>,
    #[serde(skip)]
    pub(super) place: usize,
}

impl Policy {
    /// Its place in the book.
    #[must_use]
    pub fn place(&self) -> usize {
        self.place
    }

    /// Whether its filters are such as keep warehouses out whatever the time.
    pub(super) fn filters_warehouses(&self) -> bool {
        let only = &self.only;
        self.objective == Objective::Pinned
            || !(only.kinds.is_empty() && only.exclude.is_empty() && only.capabilities.is_empty())
    }

    /// Whether its lists let a warehouse serve.
    pub(super) fn names_allow(&self, name: &str) -> bool {
        let listed = || self.warehouses.iter().any(|one| **one == *name);
        (self.objective != Objective::Pinned || listed()) && !self.only.exclude.iter().any(|one| **one == *name)
    }

    /// Units of each shared cell that orders of a channel leave.
    #[must_use]
    pub fn kept_back(&self, channel: Option<&str>) -> i64 {
        if self.keep_back.is_empty() {
            return 0;
        }
        channel.and_then(|channel| self.keep_back.get(channel)).map_or(0, |&units| units.max(0))
    }
}
