//! The audit's books, as Python fills and compares them.

use std::collections::HashMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::audit::{self, Bounds};

/// The books of one partition.
#[pyclass(name = "Books", module = "engine._core")]
pub struct PyBooks {
    books: audit::Books,
}

/// kind, about, name, expected, found, detail, mend (seen, to be set).
type RowTuple = (&'static str, &'static str, String, i64, i64, String, Option<(Option<i64>, Option<i64>)>);

/// orders, holding, cells, on_hand, reserved, free, unreadable, differences.
type Counts = (usize, usize, usize, i64, i64, i64, usize, usize);

#[pymethods]
impl PyBooks {
    #[new]
    fn new(partition: u32, partitions: u32) -> Self {
        Self { books: audit::Books::new(partition, partitions) }
    }

    /// Puts a page of a column: MessagePack [name, value or false, ...]. ValueError says what is wrong with it.
    fn put(&mut self, column: &str, page: &[u8]) -> PyResult<()> {
        self.books.put(column, page).map_err(PyValueError::new_err)
    }

    /// Puts a page of a column: names and values. ValueError for a column that there is not.
    fn put_pairs(&mut self, column: &str, pairs: &Bound<'_, PyDict>) -> PyResult<()> {
        let column = audit::column_of(column).map_err(PyValueError::new_err)?;
        for (name, value) in pairs {
            self.books.put_value(column, name.cast::<PyBytes>()?.as_bytes(), Some(value.cast::<PyBytes>()?.as_bytes()));
        }
        Ok(())
    }

    /// Compares: (counts, rows), of which there are `limit` at most. Limits and capacities by number.
    fn compare(
        &self,
        purchase_limits: HashMap<u32, i64>,
        capacities: HashMap<u32, i64>,
        now_ms: i64,
        limit: usize,
    ) -> (Counts, Vec<RowTuple>) {
        let found = self.books.compare(&Bounds { purchase_limits, capacities }, now_ms, limit);
        let rows = found
            .rows
            .into_iter()
            .map(|row| (row.kind, row.about, row.name, row.expected, row.found, row.detail, row.mend))
            .collect();
        let counts = (
            found.orders,
            found.holding,
            found.cells,
            found.on_hand,
            found.reserved,
            found.free,
            found.unreadable,
            found.differences,
        );
        (counts, rows)
    }

    /// Orders whose parts differ as they were read: (order id, partition of the part), `limit` at most. All partitions.
    #[staticmethod]
    fn suspects<'py>(py: Python<'py>, books: Vec<PyRef<'py, Self>>, limit: usize) -> Vec<(Bound<'py, PyBytes>, u32)> {
        let books: Vec<&audit::Books> = books.iter().map(|one| &one.books).collect();
        audit::suspects(&books, limit).into_iter().map(|(id, at)| (PyBytes::new(py, &id), at)).collect()
    }
}

/// How a part differs from the record at home: (expected, found, detail). ValueError where one cannot be read.
#[pyfunction]
pub fn part_against(
    record: Option<&[u8]>,
    part: Option<&[u8]>,
    partition: u32,
    partitions: u32,
) -> PyResult<Option<(i64, i64, String)>> {
    let found = audit::against(record, part, partition, partitions).map_err(PyValueError::new_err)?;
    Ok(found.map(|row| (row.expected, row.found, row.detail)))
}

/// The part that a partition should have of a record, as the store keeps it. ValueError where it cannot be read.
#[pyfunction]
pub fn part_of<'py>(py: Python<'py>, record: &[u8], partition: u32, partitions: u32) -> PyResult<Bound<'py, PyBytes>> {
    let part = audit::part_bytes(record, partition, partitions).map_err(PyValueError::new_err)?;
    Ok(PyBytes::new(py, &part))
}
