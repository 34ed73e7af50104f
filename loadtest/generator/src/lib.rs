//! Stockade's load generator, free of Python: a [`plan`] in, a [`report`] out.
//!
//! The way of a request: [`schedule`] says when it is due, [`producer`] which one it is and writes it (from [`template`]s
//! and [`table`]s, drawn by seed, and [`signing`]), [`worker`] sends it on a free [`link`] or lets it wait, [`answer`] reads what
//! came, [`book`] counts it, [`timeline`] tells it second by second, [`ledger`] keeps what each order was [`told`] for an audit,
//! [`recorder`] writes all of it down.
//!
//! Latency counts from the intended send time: what had to wait because the service or this generator was busy has waited.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod answer;
pub mod book;
pub mod bulk;
pub mod clock;
pub mod desk;
pub mod draw;
pub mod kinds;
pub mod ledger;
pub mod link;
pub mod meter;
pub mod plan;
pub mod producer;
pub mod recorder;
pub mod report;
mod rules;
pub mod run;
pub mod schedule;
pub mod signing;
pub mod table;
pub mod template;
pub mod timeline;
pub mod told;
pub mod waits;
pub mod worker;

pub use plan::{Plan, PlanError};
pub use report::Report;
pub use run::{Control, RunError, bodies, run};
