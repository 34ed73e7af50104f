//! A planned batch, as Python passes it from planning to settling.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::batch::Batch;

/// A planned batch. Opaque but for what the commit needs.
#[pyclass(name = "Batch", module = "engine._core", frozen)]
pub struct PyBatch {
    pub(super) batch: Batch,
}

#[pymethods]
impl PyBatch {
    /// Orders that go to the store.
    fn __len__(&self) -> usize {
        self.batch.len()
    }

    /// Whether there is nothing to ask the store.
    #[getter]
    fn empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// cells, units, counters, ids, bodies, takes, holds, wants_levels: as the commit function takes them.
    #[allow(clippy::type_complexity)]
    fn commit_args<'py>(&self, py: Python<'py>) -> [Bound<'py, PyBytes>; 8] {
        let args = self.batch.commit_args();
        let wants_levels: &[u8] = if args.wants_levels { b"1" } else { b"" };
        [
            &args.cells[..],
            &args.units[..],
            &args.counters[..],
            &args.ids[..],
            &args.bodies[..],
            &args.takes[..],
            &args.holds[..],
            wants_levels,
        ]
        .map(|bytes| PyBytes::new(py, bytes))
    }
}
