//! A planned batch, as Python passes it from planning to settling.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::batch::Batch;

/// A planned batch. Opaque but for what the commit needs.
#[pyclass(name = "Batch", module = "engine._core")]
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

    /// Whether one of the orders before this place wants fresh levels before it is told no.
    fn waits(&self, before: u32) -> bool {
        self.batch.waits(before)
    }

    /// The partitions that must hold stock for orders of other homes before those decide.
    #[getter]
    fn prepares(&self) -> Vec<u32> {
        self.batch.prepares()
    }

    /// The partitions that are asked to commit, or to say what their levels are.
    #[getter]
    fn commits(&self) -> Vec<u32> {
        self.batch.commits()
    }

    /// cells, units, counters, attempts, kept, takes: as the prepare function takes them.
    fn prepare_args<'py>(&self, py: Python<'py>, partition: u32) -> [Bound<'py, PyBytes>; 6] {
        let args = self.batch.prepare_args(partition);
        let takes = &args.takes;
        [&takes.cells, &takes.units, &takes.counters, &args.attempts, &args.kept, &takes.by_order]
            .map(|bytes| PyBytes::new(py, bytes))
    }

    /// cells, units, counters, ids, records, takes, holds, wants_levels, attempts: as the commit function takes them.
    /// `now_ms`, of the store's clock, goes into the records as the time when they were made.
    fn commit_args<'py>(&self, py: Python<'py>, partition: u32, now_ms: u64) -> [Bound<'py, PyBytes>; 9] {
        let args = self.batch.commit_args(partition, now_ms);
        let wants_levels: &[u8] = if args.wants_levels { b"1" } else { b"" };
        [
            &args.takes.cells[..],
            &args.takes.units[..],
            &args.takes.counters[..],
            &args.ids[..],
            &args.records[..],
            &args.takes.by_order[..],
            &args.holds[..],
            wants_levels,
            &args.attempts[..],
        ]
        .map(|bytes| PyBytes::new(py, bytes))
    }
}
