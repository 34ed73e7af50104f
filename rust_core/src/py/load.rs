//! The load generator: a plan in as JSON, its progress and its report out as JSON.

use std::sync::Mutex;

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use stockade_load::{Control, Plan, RunError};

/// One run.
#[pyclass(name = "LoadRun", module = "engine._core", frozen)]
pub struct PyLoadRun {
    plan: Mutex<Option<Plan>>,
    control: Control,
}

#[pymethods]
impl PyLoadRun {
    /// Reads a plan. ValueError with pointer and rule where it breaks one.
    #[new]
    fn new(plan: &[u8]) -> PyResult<Self> {
        let plan = Plan::read(plan).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let control = Control::new(plan.threads);
        Ok(Self { plan: Mutex::new(Some(plan)), control })
    }

    /// Does what the plan says, once; the report. Other threads run meanwhile. ValueError where the plan cannot be done,
    /// OSError where the service cannot be reached or the record not be written.
    fn run<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let plan = self.plan.lock().ok().and_then(|mut plan| plan.take());
        let plan = plan.ok_or_else(|| PyRuntimeError::new_err("a run is done once"))?;
        let report = py.detach(|| stockade_load::run(&plan, &self.control)).map_err(|error| match error {
            RunError::Plan(_) => PyValueError::new_err(error.to_string()),
            RunError::Io(..) => PyOSError::new_err(error.to_string()),
        })?;
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
}

fn json<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyBytes>> {
    let json = serde_json::to_vec(value).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, &json))
}
