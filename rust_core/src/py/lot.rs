//! Orders that came together, as Python passes them from the door to the planner and back.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::lot::Lot;

/// Orders that came together.
#[pyclass(name = "Lot", module = "engine._core")]
pub struct PyLot {
    text: PyBackedBytes,
    pub(super) lot: Lot,
}

#[pymethods]
impl PyLot {
    /// Reads whole lines of JSON, an order each; empty ones are passed over. With a channel, orders that do not name it
    /// are declined.
    #[new]
    #[pyo3(signature = (lines, partitions, channel = None))]
    fn new(lines: PyBackedBytes, partitions: u32, channel: Option<&str>) -> Self {
        let lot = Lot::read(&lines, partitions, channel);
        Self { text: lines, lot }
    }

    /// Orders, those that could not be read among them.
    fn __len__(&self) -> usize {
        self.lot.len()
    }

    /// Places and lines of what is not read yet, broken or only unusual.
    fn declined<'py>(&self, py: Python<'py>) -> Vec<(usize, Bound<'py, PyBytes>)> {
        self.lot.declined().map(|(place, line)| (place, PyBytes::new(py, &self.text[line]))).collect()
    }

    /// Gives what was declined its canonical bytes, read elsewhere. ValueError where they are none, or there is no such
    /// place.
    fn put(&mut self, place: usize, canonical: &[u8]) -> PyResult<()> {
        if self.lot.put(place, canonical) {
            return Ok(());
        }
        Err(PyValueError::new_err("no such place, or no canonical bytes"))
    }

    /// Canonical bytes of an order; `None` where it was not read.
    fn canonical<'py>(&self, py: Python<'py>, place: usize) -> Option<Bound<'py, PyBytes>> {
        self.lot.order(place).map(|(canonical, _)| PyBytes::new(py, canonical))
    }

    /// The id of an order; `None` where it was not read.
    fn order_id(&self, place: usize) -> Option<String> {
        self.lot.order_id(place).map(ToOwned::to_owned)
    }

    /// What one batch may take of the orders from one place to another: the place after them, and their bytes.
    fn end_of(&self, start: usize, end: usize, orders_max: usize, bytes_max: usize) -> (usize, usize) {
        self.lot.end_of(start, end, orders_max, bytes_max)
    }

    /// Whether an order was read and its stock is not known to be held.
    fn is_open(&self, place: usize) -> bool {
        self.lot.order(place).is_some() && !self.lot.is_reserved(place)
    }

    /// Orders whose stock is held.
    #[getter]
    fn reserved(&self) -> usize {
        self.lot.reserved_count()
    }

    /// The line of an order whose stock is held; empty where it is not.
    fn answer<'py>(&self, py: Python<'py>, place: usize) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.lot.answer(place))
    }

    /// The answers as lines, in order; `told`: (place, line) of those that were written outside.
    fn answers<'py>(&self, py: Python<'py>, mut told: Vec<(usize, PyBackedBytes)>) -> Bound<'py, PyBytes> {
        told.sort_by_key(|(place, _)| *place);
        let told: Vec<(usize, &[u8])> = told.iter().map(|(place, line)| (*place, &**line)).collect();
        PyBytes::new(py, &self.lot.answers(&told))
    }
}
