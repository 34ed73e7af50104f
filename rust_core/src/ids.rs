//! Dense numbers for names. The store gives them out, once and for ever.

/// Number of a SKU.
pub type SkuId = u32;
/// Number of a warehouse.
pub type WarehouseId = u32;
/// Number of a cell: the stock of one SKU at one warehouse, or a channel's pool of it.
pub type CellId = u64;
/// Number of a channel with pools of its own, from 1; [`SHARED`] for the rest that all share.
pub type ChannelId = u32;

/// Warehouses that fit into a cell number; the store's library and `engine.model.limits` say the same.
pub const WAREHOUSES_MAX: u32 = 4096;

/// SKUs in a catalogue: `engine.model.limits.SKUS_MAX`. Tables by number grow to the largest one, so it has a bound.
pub const SKUS_MAX: u32 = 1 << 24;

/// Cell numbers of one channel; the store's library and `engine.store.keys` say the same.
pub const CHANNEL_CELLS: u64 = 1 << 36;

/// Channels, the shared rest among them: `engine.model.limits.CHANNELS_MAX` and one.
pub const CHANNELS_MAX: u32 = 256;

/// Stands for the rest that all channels share.
pub const SHARED: ChannelId = 0;

/// The cell of what all channels share of a SKU at a warehouse.
#[must_use]
pub fn cell_id(sku: SkuId, warehouse: WarehouseId) -> CellId {
    debug_assert!(warehouse < WAREHOUSES_MAX);
    u64::from(sku) * u64::from(WAREHOUSES_MAX) + u64::from(warehouse)
}

/// A channel's pool of a SKU at a warehouse; of [`SHARED`], the cell that all share.
#[must_use]
pub fn pool_id(channel: ChannelId, sku: SkuId, warehouse: WarehouseId) -> CellId {
    debug_assert!(channel < CHANNELS_MAX && sku < SKUS_MAX);
    u64::from(channel) * CHANNEL_CELLS + cell_id(sku, warehouse)
}

/// The SKU and the warehouse of a cell, whatever its channel; `None` when the number is beyond [`CHANNELS_MAX`].
#[must_use]
pub fn split_cell_id(cell: CellId) -> Option<(SkuId, WarehouseId)> {
    if cell / CHANNEL_CELLS >= u64::from(CHANNELS_MAX) {
        return None;
    }
    let (stride, own) = (u64::from(WAREHOUSES_MAX), cell % CHANNEL_CELLS);
    Some(((own / stride) as SkuId, (own % stride) as WarehouseId))
}

/// The channel whose pool a cell is; [`SHARED`] for one that all share.
#[must_use]
pub fn channel_of(cell: CellId) -> ChannelId {
    (cell / CHANNEL_CELLS) as ChannelId
}

/// The partition, of so many, that owns a cell: that of its SKU.
#[must_use]
pub fn partition_of(cell: CellId, partitions: u32) -> u32 {
    let sku = cell % CHANNEL_CELLS / u64::from(WAREHOUSES_MAX);
    (sku % u64::from(partitions)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_splits_into_what_it_was_made_of() {
        for (sku, warehouse) in [(0, 0), (0, WAREHOUSES_MAX - 1), (1, 0), (SKUS_MAX - 1, WAREHOUSES_MAX - 1)] {
            for channel in [SHARED, 1, CHANNELS_MAX - 1] {
                let cell = pool_id(channel, sku, warehouse);
                assert_eq!((channel_of(cell), split_cell_id(cell)), (channel, Some((sku, warehouse))));
                assert_eq!(partition_of(cell, 7), sku % 7);
            }
            assert_eq!(pool_id(SHARED, sku, warehouse), cell_id(sku, warehouse));
        }
    }

    #[test]
    fn a_cell_beyond_the_last_channel_is_none() {
        assert_eq!(CHANNEL_CELLS, u64::from(SKUS_MAX) * u64::from(WAREHOUSES_MAX));
        assert_eq!(split_cell_id(u64::from(CHANNELS_MAX) * CHANNEL_CELLS), None);
        assert_eq!(split_cell_id(u64::MAX), None);
    }
}
