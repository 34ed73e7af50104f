//! Changes of orders that hold stock already, as Python drives them.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::outcome::{OutcomeTuple, outcome_tuple};
use super::planner::PyPlanner;
use crate::capacity::Day;
use crate::record;

/// Plans an order anew, as if what its record holds were free: ("amended", (fingerprint and body, [(cell, units taken
/// beyond what it holds)], [(counter, units beyond, limit)], [(counter, limit)], what it becomes)), or an outcome as of
/// `plan`. Takes nothing. What an order that waited for stock becomes: held for so many milliseconds, -1 for good, 0: it
/// waits on, with the day on which stock is expected; None for any other order. ValueError when the record cannot be read.
#[pyfunction]
#[pyo3(signature = (planner, record, canonical, expected_day=None))]
pub fn amend_order(
    py: Python<'_>,
    planner: &mut PyPlanner,
    record: &[u8],
    canonical: &[u8],
    expected_day: Option<Day>,
) -> PyResult<OutcomeTuple> {
    let record = record::unpack(record).map_err(PyValueError::new_err)?;
    match planner.planner.amend(&record, canonical, expected_day) {
        Ok(amended) => {
            let rest = PyBytes::new(py, &amended.rest);
            let parts = (rest, amended.cells, amended.counters, amended.limits, amended.becomes);
            Ok(("amended", parts.into_py_any(py)?))
        }
        Err(outcome) => outcome_tuple(py, outcome, &planner.planner.catalogue),
    }
}

/// Makes two orders of a record, of which the second takes over `moved` [(cell, units)]: fingerprint and body of each.
/// ValueError when the record cannot be read or holds less.
#[pyfunction]
pub fn split_order<'py>(
    py: Python<'py>,
    planner: &mut PyPlanner,
    record: &[u8],
    moved: Vec<(u64, i64)>,
    stays: &[u8],
    goes: &[u8],
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let (stays, goes) = planner.planner.split(record, &moved, stays, goes).map_err(PyValueError::new_err)?;
    Ok((PyBytes::new(py, &stays), PyBytes::new(py, &goes)))
}

/// SKUs and units that were ordered by the two orders that a split with these `moved` [(cell, units)] makes; None where the
/// lines of the order tell that by themselves. ValueError as above.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn divided_lines(
    planner: &PyPlanner,
    record: &[u8],
    moved: Vec<(u64, i64)>,
) -> PyResult<Option<(Vec<(String, i64)>, Vec<(String, i64)>)>> {
    let record = record::unpack(record).map_err(PyValueError::new_err)?;
    let divided = planner.planner.divided_lines(&record, &moved).map_err(PyValueError::new_err)?;
    let owned = |lines: Vec<(&str, i64)>| lines.into_iter().map(|(name, units)| (name.to_owned(), units)).collect();
    Ok(divided.map(|(stays, goes)| (owned(stays), owned(goes))))
}

/// Takes units from the view, as its owner took them from the store by a call whose event will not be applied.
#[pyfunction]
pub fn take_units(planner: &mut PyPlanner, taken: Vec<(u64, i64)>) {
    taken.into_iter().for_each(|(cell, units)| planner.planner.view.take(cell, units));
}
