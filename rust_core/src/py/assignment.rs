//! Batches of orders over shared stock, on NumPy columns. The interpreter is free while a batch is solved.

use std::time::Duration;

use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::assignment::{self, Effort, Ended, Phase, Problem, Progress, Watch};

type Column<'py, T> = PyReadonlyArray1<'py, T>;
type Matrix<'py, T> = PyReadonlyArray2<'py, T>;

/// The attributes of `engine.BatchProblem`, which has made them contiguous arrays of these types.
#[derive(FromPyObject)]
pub struct Columns<'py> {
    line_start: Column<'py, i64>,
    sku: Column<'py, i32>,
    quantity: Column<'py, i32>,
    region: Column<'py, i32>,
    fixed: Column<'py, i64>,
    unit_cost: Matrix<'py, i64>,
    stock: Matrix<'py, i64>,
    unserved_fixed: i64,
    unserved_unit: Column<'py, i64>,
    max_shipments: Option<Column<'py, i32>>,
    placed: Option<Column<'py, i32>>,
    move_penalty: i64,
    frozen: Option<Column<'py, i32>>,
    capacity: Option<Column<'py, i64>>,
    priority: Option<Column<'py, i32>>,
    channel: Option<Column<'py, i32>>,
    pool: Option<PyReadonlyArray3<'py, i64>>,
}

fn maybe<'a, T: numpy::Element>(column: Option<&'a Column<'_, T>>) -> PyResult<Option<&'a [T]>> {
    Ok(column.map(PyReadonlyArray1::as_slice).transpose()?)
}

impl Columns<'_> {
    fn problem<'a>(&'a self, weight: Option<&'a Column<'_, f64>>) -> PyResult<Problem<'a>> {
        Ok(Problem {
            line_start: self.line_start.as_slice()?,
            sku: self.sku.as_slice()?,
            quantity: self.quantity.as_slice()?,
            region: self.region.as_slice()?,
            fixed: self.fixed.as_slice()?,
            unit_cost: self.unit_cost.as_slice()?,
            stock: self.stock.as_slice()?,
            unserved_fixed: self.unserved_fixed,
            unserved_unit: self.unserved_unit.as_slice()?,
            shipments_max: maybe(self.max_shipments.as_ref())?,
            placed: maybe(self.placed.as_ref())?,
            move_penalty: self.move_penalty,
            frozen: maybe(self.frozen.as_ref())?,
            capacity: maybe(self.capacity.as_ref())?,
            priority: maybe(self.priority.as_ref())?,
            weight: maybe(weight)?,
            channel: maybe(self.channel.as_ref())?,
            pool: self.pool.as_ref().map(|pool| pool.as_slice()).transpose()?,
        })
    }

    /// Matrices whose width does not fit are told by their own names; the core knows only lengths.
    fn misshapen(&self) -> Vec<assignment::Flaw> {
        let (warehouses, regions) = (self.fixed.len(), self.unserved_unit.len());
        let mut flaws = Vec::new();
        let mut check = |name: &str, shape: &[usize], wanted: [Option<usize>; 2]| {
            for (axis, (&found, wanted)) in shape.iter().zip(wanted).enumerate() {
                if let Some(wanted) = wanted.filter(|&wanted| wanted != found) {
                    let of_what = ["rows, one for each of unserved_unit", "columns, one for each of fixed"][axis];
                    flaws.push((format!("/{name}"), format!("must have {wanted} {of_what}, not {found}")));
                }
            }
        };
        check("unit_cost", self.unit_cost.shape(), [Some(regions), Some(warehouses)]);
        check("stock", self.stock.shape(), [None, Some(warehouses)]);
        if let Some(pool) = &self.pool
            && pool.shape()[1..] != *self.stock.shape()
        {
            let [wanted, found] = [self.stock.shape(), &pool.shape()[1..]];
            let message = format!(
                "must have {} rows and {} columns for each channel, as stock has, not {} and {}",
                wanted[0], wanted[1], found[0], found[1]
            );
            flaws.push(("/pool".into(), message));
        }
        flaws
    }
}

/// Asks Python how to go on, now and then.
struct Asked {
    progress: Option<Py<PyAny>>,
    error: Option<PyErr>,
}

impl Watch for Asked {
    fn look(&mut self, told: &Progress) -> bool {
        let phase = match told.phase {
            Phase::Price => "price",
            Phase::Build => "build",
            Phase::Improve => "improve",
        };
        let answer = Python::attach(|py| {
            py.check_signals()?;
            match &self.progress {
                None => Ok(true),
                Some(progress) => {
                    progress.bind(py).call1((phase, told.elapsed.as_secs_f64(), told.cost, told.bound))?.extract()
                }
            }
        });
        answer.unwrap_or_else(|error| {
            self.error = Some(error);
            false
        })
    }
}

/// The rules that a batch breaks: [(JSON pointer, message)].
#[pyfunction]
pub fn check_batch(py: Python, problem: Columns) -> PyResult<Vec<assignment::Flaw>> {
    let flaws = problem.misshapen();
    if !flaws.is_empty() {
        return Ok(flaws);
    }
    let columns = problem.problem(None)?;
    Ok(py.detach(|| columns.flaws()))
}

/// Assigns a batch. `progress` is called with (phase, seconds, cost or None, bound), and says whether to go on. (word, payload):
///
///   assigned      (line, warehouse and quantity of each piece, cost, bound, why it ended, passes, rounds)
///   invalid       [(JSON pointer, message)]
#[pyfunction]
#[pyo3(signature = (problem, time_limit_s, threads, seed, progress))]
pub fn assign_batch<'py>(
    py: Python<'py>,
    problem: Columns<'py>,
    time_limit_s: f64,
    threads: usize,
    seed: u64,
    progress: Option<Py<PyAny>>,
) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
    let flaws = problem.misshapen();
    if !flaws.is_empty() {
        return Ok(("invalid", flaws.into_bound_py_any(py)?));
    }
    let columns = problem.problem(None)?;
    let effort = Effort { time_limit: seconds(time_limit_s), threads, seed };
    let mut asked = Asked { progress, error: None };
    let solved = py.detach(|| assignment::assign(&columns, effort, &mut asked));
    if let Some(error) = asked.error {
        return Err(error);
    }
    match solved {
        Err(flaws) => Ok(("invalid", flaws.into_bound_py_any(py)?)),
        Ok(found) => {
            let ended = match found.ended {
                Ended::Complete => "complete",
                Ended::TimeLimit => "time_limit",
                Ended::Cancelled => "cancelled",
            };
            let line = PyArray1::from_vec(py, found.line);
            let warehouse = PyArray1::from_vec(py, found.warehouse);
            let quantity = PyArray1::from_vec(py, found.quantity);
            let payload = (line, warehouse, quantity, found.cost, found.bound, ended, found.passes, found.rounds);
            Ok(("assigned", payload.into_bound_py_any(py)?))
        }
    }
}

/// Prices stock for orders that come as often as their weights say. (word, payload):
///
///   priced        the price of a unit of each cell, a row a SKU
///   invalid       [(JSON pointer, message)]
#[pyfunction]
#[pyo3(signature = (problem, weight, time_limit_s, threads, progress))]
pub fn price_batch<'py>(
    py: Python<'py>,
    problem: Columns<'py>,
    weight: Column<'py, f64>,
    time_limit_s: f64,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
    let flaws = problem.misshapen();
    if !flaws.is_empty() {
        return Ok(("invalid", flaws.into_bound_py_any(py)?));
    }
    let columns = problem.problem(Some(&weight))?;
    let effort = Effort { time_limit: seconds(time_limit_s), threads, seed: 0 };
    let mut asked = Asked { progress, error: None };
    let solved = py.detach(|| assignment::price(&columns, effort, &mut asked));
    if let Some(error) = asked.error {
        return Err(error);
    }
    match solved {
        Err(flaws) => Ok(("invalid", flaws.into_bound_py_any(py)?)),
        Ok(prices) => Ok(("priced", PyArray1::from_vec(py, prices).into_bound_py_any(py)?)),
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX / 4)
}
