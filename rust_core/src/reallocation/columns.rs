//! A batch over shared stock, made of the orders that are looked at.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::gather::{FORBIDDEN, once};
use super::{COST_SCALE, Open, Reallocation};
use crate::ids::{CHANNELS_MAX, ChannelId, SHARED, SkuId, WarehouseId, cell_id, channel_of, pool_id, split_cell_id};
use crate::planner::Planner;
use crate::view::View;

/// Not serving an order costs so many times what the dearest order costs, so that nothing is left alone to save money.
const UNSERVED_TIMES: i64 = 4;

/// Who comes first where stock is short counts so many times as much as who comes last.
const PRIORITIES: i64 = 8;

/// Cells of pools that are kept at the most, 8 bytes each: the pools of further channels serve only what the planner finds.
const POOLS_MAX: usize = 20_000_000;

/// The columns of a batch, as `engine.BatchProblem` has them.
#[derive(Debug, Default)]
pub struct Columns {
    /// Where the lines of each order begin, and where the last one's end.
    pub line_start: Vec<i64>,
    /// Row of the stock of each line.
    pub sku: Vec<i32>,
    /// Units of each line.
    pub quantity: Vec<i32>,
    /// Row of the unit costs of each order.
    pub region: Vec<i32>,
    /// What each warehouse asks of an order.
    pub fixed: Vec<i64>,
    /// A row a region.
    pub unit_cost: Vec<i64>,
    /// A row a SKU.
    pub stock: Vec<i64>,
    /// Of an order that is not served.
    pub unserved_fixed: i64,
    /// Of a unit that is not served, by region.
    pub unserved_unit: Vec<i64>,
    /// Warehouses that each order may use.
    pub shipments_max: Vec<i32>,
    /// Where each line is now; -1: nowhere.
    pub placed: Vec<i32>,
    /// Of a unit that moves.
    pub move_penalty: i64,
    /// Orders that may use each warehouse; empty where nothing bounds them.
    pub capacity: Vec<i64>,
    /// How much each order counts where stock is short.
    pub priority: Vec<i32>,
    /// Channel of each order, -1 for none; empty where there are no pools.
    pub channel: Vec<i32>,
    /// For each channel the rows of the stock.
    pub pool: Vec<i64>,
}

/// What the planner knew when the choice of orders ended.
#[derive(Debug, Default)]
pub(super) struct Frozen {
    /// Rows of the stock.
    skus: Vec<SkuId>,
    stock: Vec<i64>,
    /// The same of the pools of channels whose orders are looked at.
    pools: BTreeMap<ChannelId, Vec<i64>>,
    fixed: Vec<i64>,
    places: Vec<i64>,
}

impl Reallocation {
    /// Ends the choice of orders: from here on the planner's stock is that of this moment.
    pub fn freeze(&mut self, planner: &Planner) {
        let mut skus: Vec<SkuId> = self.skus.iter().copied().collect();
        skus.sort_unstable();
        self.copy_view(planner, &skus);
        let width = planner.catalogue.warehouse_numbers();
        let free = |channel: ChannelId| {
            let mut free = vec![0; skus.len() * width];
            for (row, &sku) in skus.iter().enumerate() {
                let levels = if channel == SHARED { planner.view.row(sku) } else { planner.view.pool(channel, sku) };
                for level in levels {
                    let enabled = planner.catalogue.warehouse_terms(level.warehouse).is_some_and(|terms| terms.enabled);
                    if enabled && !self.shuns(level.warehouse) {
                        free[row * width + level.warehouse as usize] += level.free.max(0);
                    }
                }
            }
            free
        };
        let stock = free(SHARED);
        let channels: BTreeSet<ChannelId> =
            self.orders.iter().map(|open| open.channel).filter(|&channel| channel != SHARED).collect();
        let most = POOLS_MAX / stock.len().max(1);
        let pools = channels.into_iter().take(most).map(|channel| (channel, free(channel))).collect();
        let fixed = (0..width as WarehouseId).map(|at| once(planner, at).saturating_mul(COST_SCALE)).collect();
        self.frozen = Frozen { skus, stock, pools, fixed, places: places(planner, width) };
    }

    /// Makes columns of all that.
    pub fn columns(&mut self) -> Columns {
        // In whatever order the store gave them, some of them twice: then the later version counts.
        let version = |open: &Open| open.stored.get(2..6).map(<[u8]>::to_vec);
        self.orders.sort_by(|one, other| one.id.cmp(&other.id).then_with(|| version(other).cmp(&version(one))));
        self.orders.dedup_by(|one, other| one.id == other.id);
        let Frozen { skus, stock, mut pools, fixed, places } = std::mem::take(&mut self.frozen);
        let row_of: FxHashMap<SkuId, usize> = skus.iter().enumerate().map(|(row, &sku)| (sku, row)).collect();
        let width = fixed.len();
        let mut columns = Columns {
            line_start: vec![0],
            stock,
            fixed,
            move_penalty: self.terms.move_penalty.saturating_mul(COST_SCALE).max(1),
            priority: self.priorities(),
            ..Columns::default()
        };
        let mut known: FxHashMap<Box<[i64]>, i32> = FxHashMap::default();
        let mut rows: Vec<Box<[i64]>> = Vec::new();
        for open in &self.orders {
            let region = *known.entry(open.unit.clone()).or_insert_with(|| {
                rows.push(open.unit.clone());
                rows.len() as i32 - 1
            });
            columns.region.push(region);
            let bends = open.waits || open.is_down;
            let most = if bends { open.shipments_max } else { open.shipments.min(open.shipments_max.max(1)) };
            columns.shipments_max.push(i32::try_from(most.max(1)).unwrap_or(i32::MAX));
            for &(sku, units) in &open.lines {
                columns.sku.push(row_of[&sku] as i32);
                columns.quantity.push(i32::try_from(units).unwrap_or(i32::MAX));
                columns.placed.push(most_at(&open.held, sku).map_or(-1, |at| at as i32));
            }
            for &(cell, units) in &open.held {
                if let Some((sku, at)) = split_cell_id(cell)
                    && self.terms.down != Some(at)
                {
                    let held = row_of[&sku] * width + at as usize;
                    match channel_of(cell) {
                        SHARED => columns.stock[held] += units,
                        // What is given back to a pool that nobody here may take from is for nobody here.
                        channel => pools.get_mut(&channel).into_iter().for_each(|pool| pool[held] += units),
                    }
                }
            }
            columns.line_start.push(columns.sku.len() as i64);
        }
        let dearest = columns.fixed.iter().copied().max().unwrap_or(0);
        columns.unserved_fixed = dearest.saturating_mul(UNSERVED_TIMES).max(1);
        for row in &rows {
            // By what its own orders cost: of large quantities a unit costs little, and sums stay within bounds.
            let dearest = row.iter().copied().filter(|&cost| cost != FORBIDDEN).max().unwrap_or(0);
            let unserved = dearest.saturating_mul(UNSERVED_TIMES).max(1);
            // Dearer than serving nothing of an order, however much it counts.
            let forbidden = (columns.unserved_fixed.saturating_add(unserved)).saturating_mul(PRIORITIES + 1);
            columns.unserved_unit.push(unserved);
            columns.unit_cost.extend(row.iter().map(|&cost| if cost == FORBIDDEN { forbidden } else { cost }));
            // Warehouses may have come since the first orders were looked at.
            columns.unit_cost.resize(columns.unserved_unit.len() * width, forbidden);
        }
        columns.capacity = self.capacities(places);
        pools.retain(|_, pool| pool.iter().any(|&units| units > 0));
        if !pools.is_empty() {
            let number = |open: &Open| pools.keys().position(|&channel| channel == open.channel);
            columns.channel =
                self.orders.iter().map(|open| number(open).map_or(-1, |channel| channel as i32)).collect();
            columns.pool = pools.into_values().flatten().collect();
        }
        columns
    }

    /// Keeps what is free of SKUs, pools and all, as a view of its own.
    fn copy_view(&mut self, planner: &Planner, skus: &[SkuId]) {
        self.view = View::default();
        for &sku in skus {
            let shared = planner.view.row(sku).iter().map(|level| (cell_id(sku, level.warehouse), level.free));
            let pools = (SHARED + 1..CHANNELS_MAX).flat_map(|channel| {
                let row = planner.view.pool(channel, sku).iter();
                row.map(move |level| (pool_id(channel, sku, level.warehouse), level.free))
            });
            for (cell, free) in shared.chain(pools) {
                self.view.set(cell, free, 0);
                self.free.insert(cell, free);
            }
        }
        self.capacity = planner.capacity.clone();
    }

    /// A number an order, the higher the sooner it is served where stock is short.
    fn priorities(&self) -> Vec<i32> {
        let mut priority = vec![1; self.orders.len()];
        let ranked = self.ranked();
        for (rank, &at) in ranked.iter().enumerate() {
            priority[at] = (PRIORITIES - rank as i64 * PRIORITIES / ranked.len() as i64) as i32;
        }
        priority
    }

    /// Orders that must be served anew, who comes first before the others.
    pub(super) fn ranked(&self) -> Vec<usize> {
        let mut ranked: Vec<usize> =
            (0..self.orders.len()).filter(|&at| self.orders[at].waits || self.orders[at].is_down).collect();
        ranked.sort_by(|&one, &other| {
            let key = |at: usize| (self.orders[at].rank, &self.orders[at].id);
            key(one).cmp(&key(other))
        });
        ranked
    }

    /// Orders that may use each warehouse: those that do already, and as many as its day has room for. Empty without limits.
    fn capacities(&self, mut places: Vec<i64>) -> Vec<i64> {
        if places.is_empty() {
            return places;
        }
        for open in &self.orders {
            let mut used: Vec<WarehouseId> =
                open.held.iter().filter_map(|&(cell, _)| Some(split_cell_id(cell)?.1)).collect();
            used.sort_unstable();
            used.dedup();
            used.iter().for_each(|&at| places[at as usize] += 1);
        }
        places
    }
}

/// Orders that each warehouse has room for today; empty where nothing bounds them.
fn places(planner: &Planner, width: usize) -> Vec<i64> {
    if !planner.catalogue.capped() {
        return Vec::new();
    }
    let place = |at| {
        let limit = planner.catalogue.warehouse_terms(at).and_then(|terms| terms.capacity);
        limit.map_or(i64::from(i32::MAX), |limit| (limit - planner.capacity.used(at)).max(0))
    };
    (0..width as WarehouseId).map(place).collect()
}

/// Where most units of a SKU are held.
fn most_at(held: &[(u64, i64)], sku: SkuId) -> Option<WarehouseId> {
    let of_sku = held.iter().filter_map(|&(cell, units)| split_cell_id(cell).map(|(of, at)| (of, at, units)));
    of_sku.filter(|&(of, _, _)| of == sku).max_by_key(|&(_, at, units)| (units, u32::MAX - at)).map(|(_, at, _)| at)
}
