//! A book of policies, and how an order finds its own in it.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::demands::{Objective, Policy};
use super::label::Label;
use super::rules::{Asked, Rule, RuleMessage, Trial};
use super::traits::Traits;
use crate::ids::SkuId;
use crate::order::Order;

/// The version of the book that is there without a file.
const BUILT_IN_VERSION: &str = "built-in";

/// The policies of that book.
const BUILT_IN: [Objective; 5] =
    [Objective::Cheapest, Objective::Nearest, Objective::Fastest, Objective::FewestShipments, Objective::Priority];

/// The policy that an order got, and the text that says so in its record.
#[derive(Debug, PartialEq, Eq)]
pub struct Selected {
    /// What it asks.
    pub policy: Arc<Policy>,
    /// See [`Label`].
    pub label: Box<str>,
}

/// Who says which policy an order gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenBy<'a> {
    /// The order, which names it.
    Order,
    /// The rule of this name.
    Rule(&'a str),
    /// No rule: it is the default.
    Default,
}

/// Policies and rules of one version.
#[derive(Debug)]
pub struct Book {
    version: Box<str>,
    policies: Vec<Arc<Selected>>,
    by_name: FxHashMap<Box<str>, usize>,
    default: Arc<Selected>,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    version: Box<str>,
    default: Box<str>,
    policies: Vec<Policy>,
    rules: Vec<RuleMessage>,
}

impl Default for Book {
    fn default() -> Self {
        let policies: Vec<Policy> = BUILT_IN
            .into_iter()
            .map(|objective| Policy { name: objective.name().into(), objective, ..Policy::default() })
            .collect();
        let policies = numbered(BUILT_IN_VERSION, policies);
        let by_name = names(&policies);
        Self { version: BUILT_IN_VERSION.into(), default: policies[0].clone(), policies, by_name, rules: Vec::new() }
    }
}

impl Book {
    /// The book that is there without a file, and what an order gets there that names none; `None` where it has none of that
    /// name.
    #[must_use]
    pub fn built_in(default: &str) -> Option<Self> {
        let mut book = Self::default();
        book.default = book.named(default)?.clone();
        Some(book)
    }

    /// Reads a book; the message says what does not fit.
    pub fn decode(message: &[u8]) -> Result<Self, String> {
        let message: Message = rmp_serde::from_slice(message).map_err(|error| format!("policies: {error}"))?;
        let version = message.version;
        let policies = numbered(&version, message.policies);
        let by_name = names(&policies);
        let found = |name: &str| {
            let place = by_name.get(name).ok_or_else(|| format!("policies: there is no policy {name:?}"))?;
            Ok::<&Arc<Selected>, String>(&policies[*place])
        };
        let default = found(&message.default)?.clone();
        let mut rules = Vec::with_capacity(message.rules.len());
        for rule in message.rules {
            let (usual, conditions, name) = (found(&rule.policy)?, rule.conditions, rule.name);
            rules.push(match rule.trial {
                None => Rule { name, conditions, selected: usual.clone(), trial: None },
                Some(trial) => {
                    let selected = in_trial(&version, found(&trial.policy)?, "trial", &trial.name);
                    let control = in_trial(&version, usual, "control", &trial.name);
                    let trial = Trial::new(&trial.name, trial.share, selected);
                    Rule { name, conditions, selected: control, trial: Some(trial) }
                }
            });
        }
        Ok(Self { version, policies, by_name, default, rules })
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its policies, in their order.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter().map(|selected| &*selected.policy)
    }

    /// The policy of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<Selected>> {
        self.by_name.get(name).map(|&place| &self.policies[place])
    }

    /// What an order gets: the policy that it names, or that of the first rule which it meets, or the default. The names of
    /// all where it names one that is not in here.
    pub fn select(
        &self,
        order: &Order,
        lines: &[(SkuId, i64)],
        traits: &Traits,
        now_ms: Option<u64>,
    ) -> Result<Arc<Selected>, String> {
        if let Some(name) = order.policy {
            return self.named(name).cloned().ok_or_else(|| self.names());
        }
        let asked = Asked { order, lines, traits, now_ms };
        let met = self.rules.iter().find_map(|rule| rule.select(&asked));
        Ok(met.unwrap_or(&self.default).clone())
    }

    /// What the arm of the trial gets that a record's policy text names; `None` where it names none, or one that is over.
    ///
    /// Whatever else the rules would say by now: results of a trial are those of the orders that were put in it.
    #[must_use]
    pub fn arm(&self, label: &str) -> Option<&Arc<Selected>> {
        let (arm, trial) = Label::parse(label).trial?;
        self.rules.iter().find_map(|rule| rule.arm(arm, trial))
    }

    /// What an order keeps that is planned anew, by its record's policy text: its arm, or the built-in policy that it was
    /// planned by while those are in force. Their default is a setting of each process, and not the order's.
    #[must_use]
    pub fn kept(&self, label: &str) -> Option<&Arc<Selected>> {
        let Label { name, version, trial } = Label::parse(label);
        let built_in = |version| version == BUILT_IN_VERSION;
        match trial {
            Some(_) => self.arm(label),
            None if built_in(&*self.version) && version.is_none_or(built_in) => self.named(name),
            None => None,
        }
    }

    /// Why an order gets what [`Self::select`] gives it.
    #[must_use]
    pub fn chosen_by(
        &self,
        order: &Order,
        lines: &[(SkuId, i64)],
        traits: &Traits,
        now_ms: Option<u64>,
    ) -> ChosenBy<'_> {
        if order.policy.is_some() {
            return ChosenBy::Order;
        }
        let asked = Asked { order, lines, traits, now_ms };
        let met = self.rules.iter().find(|rule| rule.is_met_by(&asked));
        met.map_or(ChosenBy::Default, |rule| ChosenBy::Rule(&rule.name))
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.policies().map(|policy| &*policy.name).collect();
        names.join(", ")
    }
}

fn numbered(version: &str, policies: Vec<Policy>) -> Vec<Arc<Selected>> {
    let select = |(place, mut policy): (usize, Policy)| {
        policy.place = place;
        let label = Label { name: &policy.name, version: Some(version), trial: None }.text().into();
        Arc::new(Selected { policy: Arc::new(policy), label })
    };
    policies.into_iter().enumerate().map(select).collect()
}

fn names(policies: &[Arc<Selected>]) -> FxHashMap<Box<str>, usize> {
    policies.iter().map(|selected| (selected.policy.name.clone(), selected.policy.place)).collect()
}

fn in_trial(version: &str, of: &Selected, arm: &str, trial: &str) -> Arc<Selected> {
    let label = Label { name: &of.policy.name, version: Some(version), trial: Some((arm, trial)) };
    Arc::new(Selected { policy: of.policy.clone(), label: label.text().into() })
}
