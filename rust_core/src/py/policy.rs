//! Policies, and what they ask of SKUs and warehouses, as Python hands them in.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::planner::PyPlanner;
use crate::ids::{SKUS_MAX, SkuId, WAREHOUSES_MAX, WarehouseId};
use crate::policy::{Book, Kind};

/// Puts a book of policies in force, for what is planned from here on; `engine.policy.message` writes it as MessagePack.
/// ValueError when it does not fit, and then the one before stays.
#[pyfunction]
pub fn set_policies(planner: &mut PyPlanner, message: &[u8]) -> PyResult<()> {
    planner.planner.set_book(Book::decode(message).map_err(PyValueError::new_err)?);
    Ok(())
}

/// Replaces what rules and filters know of SKUs: (number, class or None, capabilities that it needs).
#[pyfunction]
pub fn put_sku_traits(planner: &mut PyPlanner, rows: Vec<(SkuId, Option<String>, Vec<String>)>) -> PyResult<()> {
    let traits = planner.planner.policies.traits_mut();
    for (number, class, needs) in rows {
        if number >= SKUS_MAX {
            return Err(PyValueError::new_err(format!("SKU number {number} is out of range")));
        }
        traits.put_sku(number, class.as_deref(), &needs);
    }
    Ok(())
}

/// Replaces what filters know of warehouses: (number, kind, capabilities that it has).
#[pyfunction]
pub fn put_warehouse_traits(planner: &mut PyPlanner, rows: Vec<(WarehouseId, String, Vec<String>)>) -> PyResult<()> {
    let traits = planner.planner.policies.traits_mut();
    for (number, kind, has) in rows {
        if number >= WAREHOUSES_MAX {
            return Err(PyValueError::new_err(format!("warehouse number {number} is out of range")));
        }
        let kind = Kind::named(&kind).ok_or_else(|| PyValueError::new_err(format!("unknown kind {kind:?}")))?;
        traits.put_warehouse(number, kind, &has);
    }
    Ok(())
}

/// Stock of warehouses was counted: (number, when in milliseconds since 1970). What is older than is known changes nothing.
#[pyfunction]
pub fn note_counted(planner: &mut PyPlanner, rows: Vec<(WarehouseId, u64)>) -> PyResult<()> {
    if let Some((number, _)) = rows.iter().find(|(number, _)| *number >= WAREHOUSES_MAX) {
        return Err(PyValueError::new_err(format!("warehouse number {number} is out of range")));
    }
    rows.into_iter().for_each(|(number, at_ms)| planner.planner.policies.counted(number, at_ms));
    Ok(())
}
