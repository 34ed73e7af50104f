//! A reservation's record, as Python reads it.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::order::fingerprint;
use crate::record::{Record, unpack};

/// A reservation as read back from the store.
#[pyclass(name = "Record", module = "engine._core", frozen)]
pub struct PyRecord {
    record: Record,
}

#[pymethods]
impl PyRecord {
    /// Reads a record. ValueError says what is wrong with it.
    #[new]
    fn new(record: &[u8]) -> PyResult<Self> {
        unpack(record).map(|record| Self { record }).map_err(PyValueError::new_err)
    }

    /// Where it stands, as in an Allocation.
    #[getter]
    fn status(&self) -> &'static str {
        self.record.status.name()
    }

    /// Whether its units count as reserved.
    #[getter]
    fn holds_stock(&self) -> bool {
        self.record.status.holds_stock()
    }

    /// Counts its changes, from 1.
    #[getter]
    fn version(&self) -> u32 {
        self.record.version
    }

    /// When it was made, by the store's clock, in milliseconds since 1970.
    #[getter]
    fn reserved_ms(&self) -> u64 {
        self.record.reserved_ms
    }

    /// Cell numbers and units that it holds.
    #[getter]
    fn held(&self) -> Vec<(u64, i64)> {
        self.record.held()
    }

    /// Cell numbers and units that have left.
    #[getter]
    fn shipped(&self) -> Vec<(u64, i64)> {
        self.record.shipped.clone()
    }

    /// Ids of the transitions that it went through, the oldest first.
    #[getter]
    fn transitions(&self) -> Vec<String> {
        self.record.transitions.clone()
    }

    /// When its hold ends, by the store's clock, in milliseconds since 1970; 0 for none.
    #[getter]
    fn expires_ms(&self) -> u64 {
        self.record.expires_ms
    }

    /// Tells its order as it came from any other.
    #[getter]
    fn fingerprint<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.record.fingerprint)
    }

    /// Purchase-limit counters and units.
    #[getter]
    fn counters(&self) -> Vec<(String, i64)> {
        self.record.counters.clone()
    }

    /// The policy it was planned by.
    #[getter]
    fn policy(&self) -> &str {
        &self.record.policy
    }

    /// The order as canonical MessagePack.
    #[getter]
    fn canonical<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.record.canonical)
    }
}

/// What tells an order, by its canonical bytes, from any other of its id.
#[pyfunction]
pub fn fingerprint_of<'py>(py: Python<'py>, canonical: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &fingerprint(canonical))
}
