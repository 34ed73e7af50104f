//! The Python module `engine._core`: the only place that knows both Python and the core. Checks lengths and ranges,
//! hands bytes through, and turns outcomes into tuples. Holds no Python object.

mod amend;
mod assign;
mod assignment;
mod audit;
mod batch;
mod load;
mod lot;
mod outcome;
mod planner;
mod policy;
mod reallocation;
mod record;
mod refusal;

use pyo3::prelude::*;

/// What the core allocates is many small pieces a batch: its plan takes a seventh fewer instructions than with the
/// system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Stockade's planner, in Rust.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("WAREHOUSES_MAX", crate::ids::WAREHOUSES_MAX)?;
    module.add("CHANNEL_CELLS", crate::ids::CHANNEL_CELLS)?;
    module.add("ATTEMPTS_MAX", crate::batch::ATTEMPTS_MAX)?;
    module.add("ASSIGN_LINES_MAX", assign::ASSIGN_LINES_MAX)?;
    module.add("BATCH_THREADS_MAX", crate::assignment::THREADS_MAX)?;
    module.add("COST_SCALE", crate::reallocation::COST_SCALE)?;
    module.add_function(wrap_pyfunction!(assign::assign, module)?)?;
    module.add_function(wrap_pyfunction!(assignment::assign_batch, module)?)?;
    module.add_function(wrap_pyfunction!(assignment::check_batch, module)?)?;
    module.add_function(wrap_pyfunction!(assignment::price_batch, module)?)?;
    module.add_function(wrap_pyfunction!(record::fingerprint_of, module)?)?;
    module.add_function(wrap_pyfunction!(audit::part_against, module)?)?;
    module.add_function(wrap_pyfunction!(audit::part_of, module)?)?;
    module.add_class::<audit::PyBooks>()?;
    module.add_function(wrap_pyfunction!(amend::amend_order, module)?)?;
    module.add_function(wrap_pyfunction!(amend::divided_lines, module)?)?;
    module.add_function(wrap_pyfunction!(amend::split_order, module)?)?;
    module.add_function(wrap_pyfunction!(amend::take_units, module)?)?;
    module.add_function(wrap_pyfunction!(policy::set_policies, module)?)?;
    module.add_function(wrap_pyfunction!(policy::put_sku_traits, module)?)?;
    module.add_function(wrap_pyfunction!(policy::put_warehouse_traits, module)?)?;
    module.add_function(wrap_pyfunction!(policy::note_counted, module)?)?;
    module.add_class::<planner::PyPlanner>()?;
    module.add_class::<batch::PyBatch>()?;
    module.add_class::<lot::PyLot>()?;
    module.add_class::<load::PyLoadRun>()?;
    module.add_class::<record::PyRecord>()?;
    module.add_class::<reallocation::PyReallocation>()?;
    Ok(())
}
