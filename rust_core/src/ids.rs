//! Dense numbers for names. The store gives them out, once and for ever.

/// Number of a SKU.
pub type SkuId = u32;
/// Number of a warehouse.
pub type WarehouseId = u32;
/// Number of a cell: the stock of one SKU at one warehouse.
pub type CellId = u64;

/// Warehouses that fit into a cell number; the store's library and `engine.model.limits` say the same.
pub const WAREHOUSES_MAX: u32 = 4096;

/// SKUs in a catalogue: `engine.model.limits.SKUS_MAX`. Tables by number grow to the largest one, so it has a bound.
pub const SKUS_MAX: u32 = 1 << 24;

/// The cell of a SKU at a warehouse.
#[must_use]
pub fn cell_id(sku: SkuId, warehouse: WarehouseId) -> CellId {
    debug_assert!(warehouse < WAREHOUSES_MAX);
    u64::from(sku) * u64::from(WAREHOUSES_MAX) + u64::from(warehouse)
}

/// The SKU and the warehouse of a cell; `None` when the number is beyond [`SKUS_MAX`].
#[must_use]
pub fn split_cell_id(cell: CellId) -> Option<(SkuId, WarehouseId)> {
    let stride = u64::from(WAREHOUSES_MAX);
    let sku = SkuId::try_from(cell / stride).ok().filter(|&sku| sku < SKUS_MAX)?;
    let warehouse = WarehouseId::try_from(cell % stride).ok()?;
    Some((sku, warehouse))
}

/// The partition, of so many, that owns a cell: that of its SKU.
#[must_use]
pub fn partition_of(cell: CellId, partitions: u32) -> u32 {
    let sku = cell / u64::from(WAREHOUSES_MAX) % u64::from(SKUS_MAX);
    (sku % u64::from(partitions)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_splits_into_what_it_was_made_of() {
        for (sku, warehouse) in [(0, 0), (0, WAREHOUSES_MAX - 1), (1, 0), (SKUS_MAX - 1, WAREHOUSES_MAX - 1)] {
            assert_eq!(split_cell_id(cell_id(sku, warehouse)), Some((sku, warehouse)));
        }
    }

    #[test]
    fn a_cell_beyond_the_largest_sku_is_none() {
        assert_eq!(split_cell_id(u64::from(SKUS_MAX) * u64::from(WAREHOUSES_MAX)), None);
        assert_eq!(split_cell_id(u64::MAX), None);
    }
}
