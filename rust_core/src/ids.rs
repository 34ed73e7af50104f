//! Dense numbers for names. The store gives them out, once and for ever.

/// Number of a SKU.
pub type SkuId = u32;
/// Number of a warehouse.
pub type WarehouseId = u32;
/// Number of a cell: the stock of one SKU at one warehouse.
pub type CellId = u64;

/// Warehouses that fit into a cell number; the store's library and `engine.model.limits` say the same.
pub const WAREHOUSES_MAX: u32 = 4096;

/// The cell of a SKU at a warehouse.
#[must_use]
pub fn cell_id(sku: SkuId, warehouse: WarehouseId) -> CellId {
    debug_assert!(warehouse < WAREHOUSES_MAX);
    u64::from(sku) * u64::from(WAREHOUSES_MAX) + u64::from(warehouse)
}

/// The SKU and the warehouse of a cell; `None` when the number is beyond the largest SKU.
#[must_use]
pub fn split_cell_id(cell: CellId) -> Option<(SkuId, WarehouseId)> {
    let stride = u64::from(WAREHOUSES_MAX);
    let sku = SkuId::try_from(cell / stride).ok()?;
    let warehouse = WarehouseId::try_from(cell % stride).ok()?;
    Some((sku, warehouse))
}
