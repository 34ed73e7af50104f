//! Outcomes as Python tuples: a word and what belongs to it.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::refusal::{told_of, word_of};
use crate::batch::Outcome;
use crate::catalogue::Catalogue;
use crate::planner::{Exceeded, Flaw};

/// (word, payload); `engine/_core.pyi` lists the words and their payloads.
pub type OutcomeTuple = (&'static str, Py<PyAny>);

/// The tuple of an outcome.
pub fn outcome_tuple(py: Python<'_>, outcome: Outcome, catalogue: &Catalogue) -> PyResult<OutcomeTuple> {
    Ok(match outcome {
        Outcome::Reserved(json) => ("reserved", PyBytes::new(py, &json).into_py_any(py)?),
        Outcome::Replayed(json) => ("replayed", PyBytes::new(py, &json).into_py_any(py)?),
        Outcome::Unreadable(message) => ("unreadable", message.into_py_any(py)?),
        Outcome::Conflict => ("conflict", py.None()),
        Outcome::Refused(refusal) => (word_of(&refusal), told_of(refusal, catalogue).into_py_any(py)?),
        Outcome::Limit(exceeded) => ("limit", exceeded_tuples(exceeded, catalogue).into_py_any(py)?),
        Outcome::Invalid(flaws) => ("invalid", flaw_tuples(flaws).into_py_any(py)?),
        Outcome::Backorder(missing, cells) => ("backorder", (missing, cells).into_py_any(py)?),
        Outcome::Again { fresh } => ("again", fresh.into_py_any(py)?),
        Outcome::Postponed => ("postponed", py.None()),
        Outcome::Contended => ("contended", py.None()),
    })
}

fn exceeded_tuples(exceeded: Vec<Exceeded>, catalogue: &Catalogue) -> Vec<(String, i64, i64, i64)> {
    exceeded
        .into_iter()
        .map(|over| (sku_name(catalogue, over.sku), over.requested, over.limit, over.remaining))
        .collect()
}

/// (pointer, message).
pub fn flaw_tuples(flaws: Vec<Flaw>) -> Vec<(String, String)> {
    flaws.into_iter().map(|flaw| (flaw.pointer, flaw.message)).collect()
}

pub(super) fn sku_name(catalogue: &Catalogue, sku: u32) -> String {
    catalogue.sku_name(sku).unwrap_or("?").to_owned()
}
