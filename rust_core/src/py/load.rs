//! The load generator: a plan in as JSON, its progress and its report out as JSON, and what each order was told.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use stockade_load::ledger::Ledger;
use stockade_load::{Control, Plan, RunError};

/// One run.
#[pyclass(name = "LoadRun", module = "engine._core", frozen)]
pub struct PyLoadRun {
    plan: Plan,
    begun: Mutex<bool>,
    control: Control,
    ledger: Mutex<Option<Ledger>>,
}

#[pymethods]
impl PyLoadRun {
    /// Reads a plan. ValueError with pointer and rule where it breaks one.
    #[new]
    fn new(plan: &[u8]) -> PyResult<Self> {
        let plan = Plan::read(plan).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let control = Control::new(plan.threads);
        Ok(Self { plan, begun: Mutex::new(false), control, ledger: Mutex::new(None) })
    }

    /// Does what the plan says, once; the report. Other threads run meanwhile. ValueError where the plan cannot be done,
    /// OSError where the service cannot be reached or the record not be written, RuntimeError where a thread of it died.
    fn run<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        if std::mem::replace(&mut *self.begun.lock().unwrap_or_else(PoisonError::into_inner), true) {
            return Err(PyRuntimeError::new_err("a run is done once"));
        }
        let ran = py.detach(|| stockade_load::run(&self.plan, &self.control));
        let mut report = ran.map_err(|error| match error {
            RunError::Plan(_) => PyValueError::new_err(error.to_string()),
            RunError::Io(..) => PyOSError::new_err(error.to_string()),
            RunError::Died(_) => PyRuntimeError::new_err(error.to_string()),
        })?;
        *self.ledger.lock().unwrap_or_else(PoisonError::into_inner) = report.ledger.take();
        json(py, &report)
    }

    /// The seconds that are over, from one on.
    fn seconds<'py>(&self, py: Python<'py>, first: usize) -> PyResult<Bound<'py, PyBytes>> {
        json(py, &self.control.rows(first))
    }

    /// Ends the run soon.
    fn cancel(&self) {
        self.control.stop();
    }

    /// What the orders of a kind were told, by number, 16 bytes each; empty where the plan keeps no ledger.
    fn ledger<'py>(&self, py: Python<'py>, kind: usize) -> Bound<'py, PyBytes> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = ledger.as_ref().map(|ledger| ledger.bytes(kind)).unwrap_or_default();
        PyBytes::new(py, &bytes)
    }

    /// Units that the orders hold, by SKU and warehouse, as JSON, where the plan has them added up.
    fn held<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        json(py, &ledger.as_ref().map(Ledger::cells).unwrap_or_default())
    }

    /// Bodies of the requests of a kind, as the run sends them, by number. ValueError where there is no such kind.
    fn bodies<'py>(&self, py: Python<'py>, kind: usize, numbers: Vec<u64>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let bodies = stockade_load::bodies(&self.plan, kind, &numbers);
        let bodies = bodies.map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(bodies.iter().map(|body| PyBytes::new(py, body)).collect())
    }
}

fn json<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyBytes>> {
    let json = serde_json::to_vec(value).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, &json))
}
