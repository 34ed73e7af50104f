//! Re-allocation, as Python drives it: step by step, so that others have the interpreter between two steps.

use numpy::ndarray::{Array2, Array3};
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::planner::PyPlanner;
use crate::ids::{SkuId, WarehouseId};
use crate::reallocation::{Chunk, Columns, Reallocation, Spanning, Terms};

/// One re-allocation while it is worked out. Not for several threads at once; use one planner for all of it.
#[pyclass(name = "Reallocation", module = "engine._core")]
pub struct PyReallocation {
    own: Reallocation,
}

/// As `sequence` tells them.
type ChunkTuple<'py> = (u32, Bound<'py, PyBytes>, usize);
type SpanningTuple<'py> = (String, u32, Bound<'py, PyBytes>, Bound<'py, PyBytes>, Option<i64>, Vec<(String, i64)>);

/// Columns as `moves` tells them.
type MoveColumns = (Vec<String>, Vec<String>, Vec<i64>, Vec<Option<String>>, Vec<String>, Vec<i64>, Vec<i64>);

#[pymethods]
impl PyReallocation {
    #[new]
    #[pyo3(signature = (*, now_ms, orders_max, moves_max, down=None, excluded=Vec::new(), warehouses=Vec::new(),
        countries=Vec::new(), regions=Vec::new(), skus=Vec::new(), taken_until_ms=None, backordered=false, all_open=false,
        move_penalty=0, shipments_max=None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        now_ms: u64,
        orders_max: usize,
        moves_max: usize,
        down: Option<WarehouseId>,
        excluded: Vec<WarehouseId>,
        warehouses: Vec<WarehouseId>,
        countries: Vec<String>,
        regions: Vec<String>,
        skus: Vec<SkuId>,
        taken_until_ms: Option<u64>,
        backordered: bool,
        all_open: bool,
        move_penalty: i64,
        shipments_max: Option<usize>,
    ) -> Self {
        let own = Reallocation::new(Terms {
            down,
            excluded,
            warehouses,
            countries,
            regions,
            skus,
            taken_until_ms,
            backordered,
            all_open,
            move_penalty,
            moves_max,
            shipments_max,
            orders_max,
            now_ms,
        });
        Self { own }
    }

    /// Orders that are looked at anew.
    fn __len__(&self) -> usize {
        self.own.len()
    }

    /// Looks at an order by its record, and keeps it where it is asked for.
    fn look(&mut self, planner: &mut PyPlanner, order_id: &str, record: &[u8]) {
        self.own.look(&mut planner.planner, order_id, record);
    }

    /// Counters of customers' purchases that orders which wait would add to.
    fn purchases(&self) -> Vec<&str> {
        self.own.purchases()
    }

    /// Before `freeze`: leaves out orders that wait and would be beyond their customers' limits, by the units of these
    /// counters.
    fn leave_out_limited(&mut self, counted: Vec<(String, i64)>) {
        self.own.leave_out_limited(&counted.into_iter().collect());
    }

    /// Ends the choice of orders: from here on the stock is that of this moment.
    fn freeze(&mut self, planner: &PyPlanner) {
        self.own.freeze(&planner.planner);
    }

    /// Once `freeze` was called; the arguments of `engine.BatchProblem` but for `capacity`, which is empty where there is none.
    /// Those of pools are left out where there are none.
    fn columns<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let own = &mut self.own;
        let columns: Columns = py.detach(|| own.columns());
        let width = columns.fixed.len();
        let matrix = |values: Vec<i64>| {
            let rows = values.len().checked_div(width).unwrap_or(0);
            Array2::from_shape_vec((rows, width), values).map_err(|error| PyValueError::new_err(error.to_string()))
        };
        let all = PyDict::new(py);
        if !columns.pool.is_empty() {
            let shape = (columns.pool.len() / columns.stock.len(), columns.stock.len() / width, width);
            let pool = Array3::from_shape_vec(shape, columns.pool);
            all.set_item("pool", pool.map_err(|error| PyValueError::new_err(error.to_string()))?.into_pyarray(py))?;
            all.set_item("channel", columns.channel.into_pyarray(py))?;
        }
        all.set_item("line_start", columns.line_start.into_pyarray(py))?;
        all.set_item("sku", columns.sku.into_pyarray(py))?;
        all.set_item("quantity", columns.quantity.into_pyarray(py))?;
        all.set_item("region", columns.region.into_pyarray(py))?;
        all.set_item("unit_cost", matrix(columns.unit_cost)?.into_pyarray(py))?;
        all.set_item("stock", matrix(columns.stock)?.into_pyarray(py))?;
        all.set_item("fixed", columns.fixed.into_pyarray(py))?;
        all.set_item("unserved_fixed", columns.unserved_fixed)?;
        all.set_item("unserved_unit", columns.unserved_unit.into_pyarray(py))?;
        all.set_item("max_shipments", columns.shipments_max.into_pyarray(py))?;
        all.set_item("placed", columns.placed.into_pyarray(py))?;
        all.set_item("move_penalty", columns.move_penalty)?;
        all.set_item("capacity", columns.capacity.into_pyarray(py))?;
        all.set_item("priority", columns.priority.into_pyarray(py))?;
        Ok(all)
    }

    /// Takes up the pieces of an assignment of these columns; returns how many orders are to be placed.
    fn begin(
        &mut self,
        py: Python<'_>,
        line: PyReadonlyArray1<'_, i64>,
        warehouse: PyReadonlyArray1<'_, i32>,
        quantity: PyReadonlyArray1<'_, i32>,
    ) -> PyResult<usize> {
        let (own, line) = (&mut self.own, line.as_slice()?);
        let (warehouse, quantity) = (warehouse.as_slice()?, quantity.as_slice()?);
        Ok(py.detach(|| own.begin(line, warehouse, quantity)))
    }

    /// Places the next order; whether there was one.
    fn place(&mut self, planner: &mut PyPlanner) -> bool {
        self.own.place(&mut planner.planner)
    }

    /// Leaves moves that can be done together; returns the ids of their orders.
    fn settle(&mut self, py: Python<'_>) -> Vec<String> {
        let own = &mut self.own;
        py.detach(|| own.settle());
        self.own.moved().map(str::to_owned).collect()
    }

    /// Chunks (partition, rows, orders) of the moves that stay within one partition; and those that do not: (order id,
    /// version, fingerprint and body afterwards, the same before, what one that waited becomes, [(counter, limit)]).
    /// `homes` as `settle` has the ids.
    fn sequence<'py>(
        &mut self,
        py: Python<'py>,
        homes: Vec<u32>,
        partitions: u32,
        chunk_orders: usize,
    ) -> (Vec<ChunkTuple<'py>>, Vec<SpanningTuple<'py>>) {
        let own = &mut self.own;
        let (chunks, spanning) = py.detach(|| own.sequence(&homes, partitions, chunk_orders));
        let packed = |chunk: Chunk| (chunk.partition, PyBytes::new(py, &chunk.rows), chunk.orders);
        let apart = |one: Spanning| {
            let [after, before] = one.rests.map(|rest| PyBytes::new(py, &rest));
            (one.id, one.version, after, before, one.becomes, one.limits)
        };
        (chunks.into_iter().map(packed).collect(), spanning.into_iter().map(apart).collect())
    }

    /// Of so many orders that move, from one of them on: (order ids, SKUs, units, from or None, to, cost of the order
    /// before and after in its first row).
    fn moves(&self, planner: &PyPlanner, first: usize, orders: usize) -> MoveColumns {
        let rows = self.own.rows(&planner.planner, first, orders);
        (rows.order_id, rows.sku, rows.quantity, rows.from, rows.to, rows.cost_before, rows.cost_after)
    }

    /// Orders that must be served anew and are not, and why.
    fn unserved(&self) -> Vec<(String, String)> {
        self.own.unserved()
    }

    /// What was worked out, as JSON.
    fn told<'py>(&self, py: Python<'py>, planner: &PyPlanner) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.own.told(&planner.planner).to_string().as_bytes())
    }
}
