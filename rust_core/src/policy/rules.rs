//! Rules of a book: the first whose conditions an order meets says which policy it gets.

use std::sync::Arc;

use serde::Deserialize;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::local_time::Window;
use super::{Selected, Traits};
use crate::ids::SkuId;
use crate::order::Order;

/// Shares are in ten-thousandths.
const WHOLE: u64 = 10_000;

/// A rule as it comes. Where a condition is empty or none, it asks nothing.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RuleMessage {
    pub(super) name: Box<str>,
    #[serde(rename = "use")]
    pub(super) policy: Box<str>,
    pub(super) trial: Option<TrialMessage>,
    #[serde(rename = "when")]
    pub(super) conditions: Conditions,
}

/// A trial as it comes.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrialMessage {
    pub(super) name: Box<str>,
    #[serde(rename = "use")]
    pub(super) policy: Box<str>,
    pub(super) share: u64,
}

/// What a rule asks of an order.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Conditions {
    channels: Vec<Box<str>>,
    regions: Vec<Box<str>>,
    countries: Vec<Box<str>>,
    sku_classes: Vec<Box<str>>,
    service_levels: Vec<Box<str>>,
    customer_classes: Vec<Box<str>>,
    value_min: Option<i64>,
    value_max: Option<i64>,
    from_ms: Option<i64>,
    until_ms: Option<i64>,
    window: Option<Window>,
}

/// An order at a time.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) order: &'a Order<'a>,
    pub(super) lines: &'a [(SkuId, i64)],
    pub(super) traits: &'a Traits,
    pub(super) now_ms: Option<u64>,
}

impl Conditions {
    fn are_met_by(&self, asked: &Asked) -> bool {
        let order = asked.order;
        among(&self.channels, order.channel)
            && among(&self.regions, order.ship_to.region)
            && among(&self.countries, order.ship_to.country)
            && among(&self.service_levels, order.service_level)
            && among(&self.customer_classes, order.customer_class)
            && self.classes_fit(asked)
            && self.value_fits(order)
            && self.time_fits(asked.now_ms)
    }

    /// One line of a class is enough.
    fn classes_fit(&self, asked: &Asked) -> bool {
        let of_class = |&(sku, _): &(SkuId, i64)| {
            asked.traits.sku_class(sku).is_some_and(|class| self.sku_classes.iter().any(|one| **one == *class))
        };
        self.sku_classes.is_empty() || asked.lines.iter().any(of_class)
    }

    fn value_fits(&self, order: &Order) -> bool {
        if self.value_min.is_none() && self.value_max.is_none() {
            return true;
        }
        order.value().is_some_and(|value| {
            self.value_min.is_none_or(|least| value >= least) && self.value_max.is_none_or(|most| value <= most)
        })
    }

    /// Where nobody says what time it is, nothing that asks for a time fits.
    fn time_fits(&self, now_ms: Option<u64>) -> bool {
        if self.from_ms.is_none() && self.until_ms.is_none() && self.window.is_none() {
            return true;
        }
        now_ms.is_some_and(|now_ms| {
            let at = i64::try_from(now_ms).unwrap_or(i64::MAX);
            self.from_ms.is_none_or(|from| at >= from)
                && self.until_ms.is_none_or(|until| at < until)
                && self.window.as_ref().is_none_or(|window| window.holds(now_ms))
        })
    }
}

fn among(names: &[Box<str>], name: Option<&str>) -> bool {
    names.is_empty() || name.is_some_and(|name| names.iter().any(|one| **one == *name))
}

/// A rule whose policies are found.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Box<str>,
    pub(super) conditions: Conditions,
    pub(super) selected: Arc<Selected>,
    pub(super) trial: Option<Trial>,
}

impl Rule {
    /// Whether an order meets the conditions.
    pub(super) fn is_met_by(&self, asked: &Asked) -> bool {
        self.conditions.are_met_by(asked)
    }

    /// What an order gets that meets the conditions.
    pub(super) fn select(&self, asked: &Asked) -> Option<&Arc<Selected>> {
        self.is_met_by(asked).then(|| match &self.trial {
            Some(trial) if trial.draws(asked.order.order_id) => &trial.selected,
            _ => &self.selected,
        })
    }

    /// What an arm of a trial gets, where that is the trial of this rule.
    pub(super) fn arm(&self, arm: &str, trial: &str) -> Option<&Arc<Selected>> {
        let own = self.trial.as_ref().filter(|own| *own.name == *trial)?;
        match arm {
            "trial" => Some(&own.selected),
            "control" => Some(&self.selected),
            _ => None,
        }
    }
}

/// A policy that a share of a rule's orders gets.
#[derive(Debug)]
pub(super) struct Trial {
    name: Box<str>,
    seed: u64,
    share: u64,
    selected: Arc<Selected>,
}

impl Trial {
    pub(super) fn new(name: &str, share: u64, selected: Arc<Selected>) -> Self {
        Self { name: name.into(), seed: xxh3_64(name.as_bytes()), share, selected }
    }

    /// Whether an order is of the share: by its id and the trial's name alone, so that every process says the same for ever,
    /// and orders of one trial are shared out anew in the next.
    fn draws(&self, order_id: &str) -> bool {
        xxh3_64_with_seed(order_id.as_bytes(), self.seed) % WHOLE < self.share
    }
}
