//! The planner, as Python drives it.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::PyBytes;
use serde_json::json;

use super::batch::PyBatch;
use super::lot::PyLot;
use super::outcome::{OutcomeTuple, outcome_tuple};
use super::refusal::{tell_refusal, told_of, word_of};
use crate::answer::Allocation;
use crate::batch::{Intake, Outcome, Reply};
use crate::capacity::Day;
use crate::catalogue::{SkuTerms, WarehouseTerms};
use crate::cost::{By, CARRIERS_MAX, Carrier, LocalDay, Matrix, Of, Step, ZONES_MAX, Zone};
use crate::geo::Point;
use crate::ids::{CellId, ChannelId, SkuId, WAREHOUSES_MAX, WarehouseId, split_cell_id};
use crate::planner::{Plan, Planner, Refusal};
use crate::policy::Book;
use crate::prices::Prices;
use crate::record::{self, Status};
use crate::view::event_stamp;

/// Catalogue, cost table, stock view and planner of one process. Not for several threads at once.
#[pyclass(name = "Planner", module = "engine._core")]
pub struct PyPlanner {
    pub(super) planner: Planner,
}

/// partition, now_ms, event, outcomes, levels, records.
type ReplyTuple = (u32, u64, PyBackedBytes, PyBackedBytes, PyBackedBytes, Vec<PyBackedBytes>);

/// Names, by partition.
type Told = Vec<(u32, Vec<String>)>;

fn reply_of<'a>(reply: &'a ReplyTuple, records: &'a [&'a [u8]]) -> Reply<'a> {
    let (partition, now_ms, event, outcomes, levels, _) = reply;
    Reply { partition: *partition, now_ms: *now_ms, event, outcomes, levels, records }
}

/// Notes in its lot that an order's stock is held, if it is of one.
fn note(lots: &mut [(PyRefMut<'_, PyLot>, usize, usize)], orders: u32, index: u32, allocation: &[u8]) -> bool {
    let Some(mut place) = index.checked_sub(orders).map(|place| place as usize) else { return false };
    for (lot, from, to) in lots {
        let count = *to - *from;
        if place < count {
            lot.lot.reserved(*from + place, allocation);
            return true;
        }
        place -= count;
    }
    false
}

type WarehouseRow = (WarehouseId, String, f64, f64, bool, u32, i64, i64, f64, Option<i64>);

/// As `set_carriers` tells.
type ZoneRow = (String, Option<u32>, Vec<String>, Vec<String>, Vec<String>, i64, i64, i64, Vec<(i64, i64)>, Option<u8>);
type CarrierRow = (Option<String>, Vec<String>, Vec<ZoneRow>, u32, i64);

/// As `set_matrix` tells.
type MatrixRows = (String, Vec<PyBackedStr>, Vec<WarehouseId>, Vec<i64>);

fn carrier((name, levels, zones, cm3_per_kg, weight_step_g): CarrierRow) -> Carrier {
    let texts = |texts: Vec<String>| texts.into_iter().map(Into::into).collect();
    let zone = |row: ZoneRow| Zone {
        name: row.0.into(),
        max_m: row.1.map_or(u32::MAX, |max_km| max_km.saturating_mul(1000)),
        countries: texts(row.2),
        regions: texts(row.3),
        postcodes: texts(row.4),
        base: row.5,
        per_kg: row.6,
        minimum: row.7,
        steps: row.8.into_iter().map(|(up_to_g, amount)| Step { up_to_g, amount }).collect(),
        transit_days: row.9,
    };
    Carrier {
        name: name.map(Into::into),
        service_levels: texts(levels),
        zones: zones.into_iter().map(zone).collect(),
        cm3_per_kg,
        weight_step_g,
    }
}

#[pymethods]
impl PyPlanner {
    #[new]
    #[pyo3(signature = (*, currency, default_policy))]
    fn new(currency: String, default_policy: &str) -> PyResult<Self> {
        let book = Book::built_in(default_policy)
            .ok_or_else(|| PyValueError::new_err(format!("unknown policy {default_policy:?}")))?;
        let mut planner = Planner { currency, ..Planner::default() };
        planner.set_book(book);
        Ok(Self { planner })
    }

    /// Adds or replaces SKUs: (number, name, weight_g, volume_cm3 or 0, purchase limit in units or 0).
    fn put_skus(&mut self, rows: Vec<(SkuId, String, i64, i64, i64)>) -> PyResult<()> {
        for (number, name, weight_g, volume_cm3, purchase_limit) in rows {
            let terms = SkuTerms { weight_g, volume_cm3, purchase_limit };
            if !self.planner.catalogue.put_sku(number, &name, terms) {
                return Err(PyValueError::new_err(format!("SKU number {number} is out of range")));
            }
        }
        Ok(())
    }

    /// Says what SKUs stand for: (number, components (name, units in one), substitutes by name, best first).
    #[allow(clippy::type_complexity)]
    fn put_assortment(&mut self, rows: Vec<(SkuId, Vec<(String, i64)>, Vec<String>)>) {
        for (sku, components, substitutes) in rows {
            self.planner.catalogue.assortment.put(sku, components, substitutes);
        }
    }

    /// Adds or replaces warehouses: (number, name, lat, lon, enabled, priority, fixed_cost, unit_cost, cost_per_km, orders a
    /// day or None).
    fn put_warehouses(&mut self, rows: Vec<WarehouseRow>) -> PyResult<()> {
        for (number, name, lat, lon, enabled, priority, fixed_cost, unit_cost, cost_per_km, capacity) in rows {
            let point = Point::from_degrees(lat, lon);
            let terms = WarehouseTerms { point, enabled, priority, fixed_cost, unit_cost, cost_per_km, capacity };
            if !self.planner.put_warehouse(number, &name, terms) {
                return Err(PyValueError::new_err(format!("warehouse number {number} is out of range")));
            }
        }
        Ok(())
    }

    /// Adds channels that have pools: (number from 1, name).
    fn put_channels(&mut self, rows: Vec<(ChannelId, String)>) -> PyResult<()> {
        for (number, name) in rows {
            if !self.planner.catalogue.put_channel(number, &name) {
                return Err(PyValueError::new_err(format!("channel number {number} is out of range")));
            }
        }
        Ok(())
    }

    /// Replaces the tariff: (carrier or None, service levels or none for all, zones, cubic centimetres a kilogram or 0, grams
    /// that weights are rounded up to or 0); of each zone (name, max_km or None, countries, regions, postcodes, base, per_kg,
    /// minimum, [(up to grams, amount)], transit days or None). No carriers: distance costs what warehouses say.
    fn set_carriers(&mut self, rows: Vec<CarrierRow>) -> PyResult<()> {
        let carriers = rows.into_iter().map(carrier).collect();
        if self.planner.costs.set_carriers(carriers) {
            return Ok(());
        }
        Err(PyValueError::new_err(format!("more than {CARRIERS_MAX} carriers, or {ZONES_MAX} zones of one")))
    }

    /// Replaces the user's own distances ("distance", metres) or costs ("cost", minor units a shipment): (by country, region or
    /// postcode, names, warehouses, values a row a name; below zero for none), or None to have none.
    fn set_matrix(&mut self, of: &str, matrix: Option<MatrixRows>) -> PyResult<()> {
        let of = match of {
            "distance" => Of::Distance,
            "cost" => Of::Cost,
            _ => return Err(PyValueError::new_err(format!("no matrix of {of:?}"))),
        };
        let Some((by, names, warehouses, values)) = matrix else {
            self.planner.costs.set_matrix(of, None);
            return Ok(());
        };
        let by = match &*by {
            "country" => By::Country,
            "region" => By::Region,
            "postcode" => By::Postcode,
            _ => return Err(PyValueError::new_err(format!("no matrix by {by:?}"))),
        };
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let matrix = Matrix::new(by, &names, &warehouses, values);
        let matrix = matrix.ok_or_else(|| PyValueError::new_err("values are not names times warehouses"))?;
        self.planner.costs.set_matrix(of, Some(matrix));
        Ok(())
    }

    /// Sets levels from a page of the store: MessagePack [cell, level, ...] as text, as of an event.
    fn load_levels(&mut self, page: &[u8], event: &[u8]) -> PyResult<usize> {
        let fields: Vec<&str> = rmp_serde::from_slice(page).map_err(wrong)?;
        if fields.len() % 2 == 1 {
            return Err(PyValueError::new_err("a page of levels ends with a cell that has none"));
        }
        let pairs = fields.chunks_exact(2).map(|pair| Ok((cell_of(pair[0])?, pair[1].parse().map_err(wrong)?)));
        let levels: Vec<(CellId, i64)> = pairs.collect::<PyResult<_>>()?;
        let stamp = stamp(event)?;
        for &(cell, level) in &levels {
            self.planner.view.set(cell, level, stamp);
        }
        Ok(levels.len())
    }

    /// Sets levels that were read from the store: cell numbers and units, as of an event.
    fn set_levels(&mut self, cells: Vec<u64>, levels: Vec<i64>, event: &[u8]) -> PyResult<()> {
        if cells.len() != levels.len() {
            return Err(PyValueError::new_err("cells and levels differ in length"));
        }
        cells.iter().try_for_each(|&cell| check_cell(cell))?;
        let stamp = stamp(event)?;
        for (cell, level) in cells.into_iter().zip(levels) {
            self.planner.view.set(cell, level, stamp);
        }
        Ok(())
    }

    /// Applies an event of another process: MessagePack columns of cells (text) and units taken.
    fn apply_event(&mut self, event: &[u8], cells: &[u8], units: &[u8]) -> PyResult<()> {
        let cells: Vec<&str> = rmp_serde::from_slice(cells).map_err(wrong)?;
        let cells: Vec<CellId> = cells.into_iter().map(cell_of).collect::<PyResult<_>>()?;
        let units: Vec<i64> = rmp_serde::from_slice(units).map_err(wrong)?;
        let stamp = stamp(event)?;
        // Behind the units of cells may stand those of counters.
        if units.len() < cells.len() {
            return Err(PyValueError::new_err("an event has fewer units than cells"));
        }
        for (cell, units) in cells.into_iter().zip(units) {
            self.planner.view.apply(cell, units, stamp);
        }
        Ok(())
    }

    /// Forgets all stock levels.
    fn clear_levels(&mut self) {
        self.planner.view.clear();
    }

    /// Cells known.
    #[getter]
    fn cell_count(&self) -> usize {
        self.planner.view.cells()
    }

    /// How many partitions the stock has, and the name of this process before the store.
    fn set_partitions(&mut self, partitions: u32, writer: String) {
        self.planner.partitions = partitions;
        self.planner.writer = writer;
    }

    /// Sets how many orders warehouses serve on a day, as read from the store when there were so many doubts.
    fn set_capacity_used(&mut self, rows: Vec<(WarehouseId, i64)>, day: Day, doubts: u64) {
        for (warehouse, orders) in rows {
            self.planner.capacity.set(day, warehouse, orders, doubts);
        }
    }

    /// Orders have ended or changed: warehouses may serve fewer than is known here.
    fn doubt_capacity(&mut self) {
        self.planner.capacity.doubt();
    }

    /// How many such doubts there have been.
    #[getter]
    fn capacity_doubts(&self) -> u64 {
        self.planner.capacity.doubts()
    }

    /// Sets when orders leave warehouses: (warehouse, [(cut-off in milliseconds since 1970, day since 1970 on which what comes
    /// before it leaves)]); None instead of the list where they leave on the day they come, UTC.
    #[allow(clippy::type_complexity)]
    fn set_dispatches(&mut self, rows: Vec<(WarehouseId, Option<Vec<(u64, LocalDay)>>)>) -> PyResult<()> {
        if let Some((number, _)) = rows.iter().find(|(number, _)| *number >= WAREHOUSES_MAX) {
            return Err(PyValueError::new_err(format!("warehouse number {number} is out of range")));
        }
        rows.into_iter().for_each(|(number, calendar)| self.planner.dispatches.set(number, calendar));
        Ok(())
    }

    /// Replaces the prices that plans are chosen by: (SKU, warehouse, minor units a unit) and (warehouse, minor units a
    /// shipment). ValueError where one is out of range.
    fn set_prices(
        &mut self,
        cells: Vec<(SkuId, WarehouseId, i64)>,
        warehouses: Vec<(WarehouseId, i64)>,
    ) -> PyResult<()> {
        self.planner.prices = Prices::new(&cells, &warehouses).map_err(PyValueError::new_err)?;
        Ok(())
    }

    /// Plans orders (canonical bytes, home partition, attempts so far, whether their levels are fresh) in arrival order, on
    /// a day since 1970, without which capacities bound nothing, and at an instant in milliseconds since 1970, without which
    /// no day is promised. `expected`: of those that were "backorder" before, (place, day by which announced stock covers
    /// what they lack, 0 when nobody knows). `lots`: (lot, from, to), whose orders at those places come after the others, as
    /// if for the first time; those that were not read keep their places in the batch, but are passed over. `other`: a batch
    /// that is under way. Returns the batch and what is decided already, as (place, outcome).
    #[pyo3(signature = (orders, day=None, now_ms=None, expected=None, lots=None, other=None))]
    #[allow(clippy::too_many_arguments)] // All but one have a default.
    fn plan(
        &mut self,
        py: Python<'_>,
        orders: Vec<(PyBackedBytes, u32, u32, bool)>,
        day: Option<Day>,
        now_ms: Option<u64>,
        expected: Option<Vec<(usize, Day)>>,
        lots: Option<Vec<(PyRef<'_, PyLot>, usize, usize)>>,
        other: Option<PyRef<'_, PyBatch>>,
    ) -> PyResult<(PyBatch, Vec<(u32, OutcomeTuple)>)> {
        let partitions = self.planner.partitions.max(1);
        if orders.iter().any(|(_, home, ..)| *home >= partitions) {
            return Err(PyValueError::new_err("a home beyond the last partition"));
        }
        let mut intakes: Vec<Intake> = orders
            .iter()
            .map(|(canonical, home, attempts, fresh)| Intake {
                canonical,
                home: *home,
                attempts: *attempts,
                fresh: *fresh,
                expected_day: None,
            })
            .collect();
        for (place, day) in expected.unwrap_or_default() {
            let intake =
                intakes.get_mut(place).ok_or_else(|| PyValueError::new_err("a place beyond the last order"))?;
            intake.expected_day = Some(day);
        }
        self.planner.capacity.set_day(day);
        self.planner.now_ms = now_ms;
        let of_lots =
            lots.iter().flatten().flat_map(|(lot, from, to)| (*from..*to).map(move |place| lot.lot.order(place)));
        let first_time = |(canonical, home)| Intake { canonical, home, attempts: 0, fresh: false, expected_day: None };
        let all = intakes.iter().copied().map(Some).chain(of_lots.map(|order| order.map(first_time)));
        let placed = (0..).zip(all).filter_map(|(index, intake)| Some((index, intake?)));
        let (batch, decided) = self.planner.plan_beside(placed, other.as_deref().map(|other| &other.batch));
        Ok((PyBatch { batch }, self.tuples(py, decided)?))
    }

    /// Settles what a partition said to a preparation: (partition, now_ms, event, outcomes, levels, records).
    /// `other`: a batch that was planned since. ValueError when the reply does not fit.
    #[pyo3(signature = (batch, reply, other=None))]
    fn settle_prepare(
        &mut self,
        batch: &mut PyBatch,
        reply: ReplyTuple,
        other: Option<PyRef<'_, PyBatch>>,
    ) -> PyResult<()> {
        let records: Vec<&[u8]> = reply.5.iter().map(|record| &**record).collect();
        let other = other.as_deref().map(|other| &other.batch);
        self.planner.settle_prepare(&mut batch.batch, &reply_of(&reply, &records), other).map_err(PyValueError::new_err)
    }

    /// Settles a batch with the homes' replies, as in `settle_prepare`. Returns (place, outcome) of each order that was sent
    /// or waited and whose home replied, and what other partitions are to be told: (sealed, dropped, followed), each
    /// [(partition, names)]. ValueError when a reply does not fit; then what the batch wanted is given back.
    /// `orders` is how many orders came before those of `lots`, which are noted there as far as their stock is held, and
    /// left out; `other` is a batch that was planned since.
    #[pyo3(signature = (batch, replies, orders=0, lots=None, other=None))]
    #[allow(clippy::type_complexity)]
    fn settle(
        &mut self,
        py: Python<'_>,
        batch: &mut PyBatch,
        replies: Vec<ReplyTuple>,
        orders: u32,
        lots: Option<Vec<(PyRefMut<'_, PyLot>, usize, usize)>>,
        other: Option<PyRef<'_, PyBatch>>,
    ) -> PyResult<(Vec<(u32, OutcomeTuple)>, (Told, Told, Told))> {
        let records: Vec<Vec<&[u8]>> =
            replies.iter().map(|reply| reply.5.iter().map(|record| &**record).collect()).collect();
        let read: Vec<Reply> = replies.iter().zip(&records).map(|(reply, records)| reply_of(reply, records)).collect();
        let other = other.as_deref().map(|other| &other.batch);
        let (mut settled, told) =
            self.planner.settle_beside(&mut batch.batch, &read, other).map_err(PyValueError::new_err)?;
        if let Some(mut lots) = lots {
            settled.retain(|(index, outcome)| match outcome {
                Outcome::Reserved(json) => !note(&mut lots, orders, *index, json),
                _ => true,
            });
        }
        Ok((self.tuples(py, settled)?, (told.sealed, told.dropped, told.followed)))
    }

    /// Gives back what a batch wanted to take, as its commit got no reply.
    fn abandon(&mut self, batch: &PyBatch) {
        self.planner.abandon(&batch.batch);
    }

    /// Plans one order without taking anything. Returns ("quoted", JSON), ("short", JSON), ("too_spread", JSON),
    /// ("at_capacity", JSON), ("limit", rows) where it is beyond a purchase limit by itself, or ("invalid", flaws). For a
    /// day and an instant, as `plan`; with the day on which stock is expected, an order that accepts to wait is "quoted" in
    /// any case.
    #[pyo3(signature = (canonical, day=None, now_ms=None, expected_day=None))]
    fn quote(
        &mut self,
        py: Python<'_>,
        canonical: &[u8],
        day: Option<Day>,
        now_ms: Option<u64>,
        expected_day: Option<Day>,
    ) -> PyResult<OutcomeTuple> {
        self.planner.capacity.set_day(day);
        self.planner.now_ms = now_ms;
        let (order, demand) = match self.planner.admit(canonical) {
            Ok(admitted) => admitted,
            Err(outcome) => return outcome_tuple(py, outcome, &self.planner.catalogue),
        };
        let planned = self.planner.plan(&demand);
        let explanation = self.planner.explain(&order, &demand, planned.as_ref());
        let may_wait = demand.allow_backorder && !planned.as_ref().is_err_and(Refusal::is_final);
        if may_wait
            && expected_day.is_none()
            && let Err(refusal) = planned
        {
            return outcome_tuple(py, self.planner.lacking(&demand, refusal), &self.planner.catalogue);
        }
        let plan = match (&planned, expected_day) {
            (Err(_), Some(day)) if may_wait => Some(Plan::backorder(&demand, day)),
            _ => planned.as_ref().ok().cloned(),
        };
        let mut answer = json!({});
        if let Some(plan) = &plan {
            let allocation = Allocation {
                order_id: order.order_id,
                status: if plan.is_backorder() { Status::Backordered.name() } else { "quoted" },
                version: 0,
                shipments: &plan.shipments,
                unfilled: &plan.unfilled,
                goods: &plan.goods,
                shipped: &[],
                currency: &self.planner.currency,
                expires_ms: 0,
                policy: &plan.selected.label,
            };
            answer = serde_json::from_slice(&allocation.to_json(&self.planner.catalogue)).map_err(wrong)?;
        }
        if let Err(refusal) = &planned {
            tell_refusal(&mut answer, refusal, &self.planner.catalogue);
        }
        answer["explanation"] = explanation;
        let json = PyBytes::new(py, &serde_json::to_vec(&answer).map_err(wrong)?);
        match planned {
            Err(refusal) if plan.is_none() => {
                let told = told_of(refusal.clone(), &self.planner.catalogue);
                Ok((word_of(&refusal), (json, told).into_py_any(py)?))
            }
            _ => Ok(("quoted", json.into_any().unbind())),
        }
    }

    /// The Allocation of a record, as JSON.
    fn allocation_json<'py>(&self, py: Python<'py>, order_id: &str, record: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let record = record::unpack(record).map_err(PyValueError::new_err)?;
        Ok(PyBytes::new(py, &Allocation::of_record(order_id, &record).to_json(&self.planner.catalogue)))
    }

    /// The number of a SKU, or None.
    fn sku_number(&self, name: &str) -> Option<SkuId> {
        self.planner.catalogue.sku(name)
    }

    /// The number of a warehouse, or None.
    fn warehouse_number(&self, name: &str) -> Option<WarehouseId> {
        self.planner.catalogue.warehouse(name)
    }

    /// The number of a channel that has pools, from 1, or None.
    fn channel_number(&self, name: &str) -> Option<ChannelId> {
        self.planner.catalogue.channel(name)
    }

    /// The SKU and the warehouse of a cell, a pool's as any other's; None where its number names none.
    fn cell_names(&self, cell: u64) -> Option<(&str, &str)> {
        let (sku, warehouse) = split_cell_id(cell)?;
        Some((self.planner.catalogue.sku_name(sku)?, self.planner.catalogue.warehouse_name(warehouse)?))
    }

    /// Known cells but for pools from a number on, in their order: all, of one SKU, of one warehouse, or both; `limit` at most.
    #[pyo3(signature = (*, sku, warehouse, start, limit))]
    fn known_cells(&self, sku: Option<SkuId>, warehouse: Option<WarehouseId>, start: u64, limit: usize) -> Vec<u64> {
        self.planner.view.cells_from(sku, warehouse, start, limit)
    }
}

impl PyPlanner {
    fn tuples(&self, py: Python<'_>, outcomes: Vec<(u32, Outcome)>) -> PyResult<Vec<(u32, OutcomeTuple)>> {
        outcomes
            .into_iter()
            .map(|(index, outcome)| Ok((index, outcome_tuple(py, outcome, &self.planner.catalogue)?)))
            .collect()
    }
}

fn cell_of(text: &str) -> PyResult<CellId> {
    let cell = text.parse().map_err(wrong)?;
    check_cell(cell)?;
    Ok(cell)
}

fn check_cell(cell: CellId) -> PyResult<()> {
    split_cell_id(cell).map(|_| ()).ok_or_else(|| PyValueError::new_err(format!("cell number {cell} is out of range")))
}

fn stamp(event: &[u8]) -> PyResult<u64> {
    event_stamp(event).ok_or_else(|| PyValueError::new_err("not a stream id"))
}

fn wrong(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}
