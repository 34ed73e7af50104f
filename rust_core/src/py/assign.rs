//! The single-order kernel on NumPy arrays.

use std::cell::RefCell;

use numpy::ndarray::{ArrayView1, ArrayView2};
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::ids::WAREHOUSES_MAX;
use crate::kernel::{Found, Kernel, Problem, UNSERVABLE, Unsolved};

/// Lines of one order, at the most.
pub const ASSIGN_LINES_MAX: usize = 500;

/// The highest cost, and the highest sum of a cost and its price.
const COST_MAX: i64 = 10_i64.pow(13);

/// Flaws that are told, at the most: the rest is of the same kind.
const FLAWS_MAX: usize = 20;

/// Costs beyond which other threads may run meanwhile. Fewer take less than to change threads and back.
const CELLS_ALONE_MAX: usize = 1024;

type Flaws = Vec<(String, String)>;

/// Cells that a search walks over at the most: some 40 ms. Nobody else waits for it, as orders of a sale do for theirs.
const WORK_LIMIT: u64 = 20_000_000;

/// What one thread works in.
struct Room {
    fixed: Vec<i64>,
    cost: Vec<i64>,
    kernel: Kernel,
}

thread_local! {
    static ROOM: RefCell<Room> = RefCell::new(Room {
        fixed: Vec::new(),
        cost: Vec::new(),
        kernel: Kernel::with_work_limit(WORK_LIMIT),
    });
}

/// The arrays of one order; `cost` and `price` have a row a warehouse.
struct Arrays<'a> {
    fixed: ArrayView1<'a, i64>,
    cost: ArrayView2<'a, i64>,
    price: Option<ArrayView2<'a, i64>>,
    warehouse_price: Option<ArrayView1<'a, i64>>,
}

/// Chooses a warehouse for every line. (word, payload):
///
///   assigned      (warehouse of each line, cost, bound of cost and price, whether proven, price)
///   invalid       [(JSON pointer, message)]
///   unserved      the lines that no warehouse serves
///   `too_few`       whether it is proven that so few shipments cannot serve the order
#[pyfunction]
#[pyo3(signature = (fixed, cost, price, warehouse_price, shipments_max, node_limit))]
pub fn assign<'py>(
    py: Python<'py>,
    fixed: PyReadonlyArray1<'py, i64>,
    cost: PyReadonlyArray2<'py, i64>,
    price: Option<PyReadonlyArray2<'py, i64>>,
    warehouse_price: Option<PyReadonlyArray1<'py, i64>>,
    shipments_max: Option<usize>,
    node_limit: Option<u64>,
) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
    let arrays = Arrays {
        fixed: fixed.as_array(),
        cost: cost.as_array(),
        price: price.as_ref().map(PyReadonlyArray2::as_array),
        warehouse_price: warehouse_price.as_ref().map(PyReadonlyArray1::as_array),
    };
    if let Some(flaws) = arrays.misshapen() {
        return Ok(("invalid", flaws.into_bound_py_any(py)?));
    }
    ROOM.with_borrow_mut(|room| {
        if !arrays.load(room) {
            return Ok(("invalid", arrays.flaws().into_bound_py_any(py)?));
        }
        let Room { fixed, cost, kernel } = room;
        let problem = Problem { fixed, cost, shipments_max: shipments_max.unwrap_or(usize::MAX), node_limit };
        let solved = if problem.cost.len() <= CELLS_ALONE_MAX {
            kernel.solve(&problem)
        } else {
            py.detach(|| kernel.solve(&problem))
        };
        match solved {
            Ok(found) => Ok(("assigned", arrays.assigned(py, kernel.warehouse(), found)?)),
            Err(Unsolved::Unserved(_)) => Ok(("unserved", arrays.unserved().into_bound_py_any(py)?)),
            Err(Unsolved::NotFound) => Ok(("too_few", false.into_bound_py_any(py)?)),
            Err(_) => Ok(("too_few", true.into_bound_py_any(py)?)),
        }
    })
}

impl Arrays<'_> {
    fn misshapen(&self) -> Option<Flaws> {
        let (warehouses, lines) = self.cost.dim();
        let mut flaws = Flaws::new();
        let mut check = |holds: bool, pointer: &str, message: String| {
            if !holds {
                flaws.push((pointer.into(), message));
            }
        };
        let within = |count: usize, max: usize| (1..=max).contains(&count);
        let (w_max, l_max) = (WAREHOUSES_MAX as usize, ASSIGN_LINES_MAX);
        check(
            within(warehouses, w_max),
            "/cost",
            format!("must have 1 to {w_max} rows, one a warehouse, not {warehouses}"),
        );
        check(within(lines, l_max), "/cost", format!("must have 1 to {l_max} columns, one a line, not {lines}"));
        let of_warehouses = |length| format!("must have {warehouses} entries, one for each row of cost, not {length}");
        check(self.fixed.len() == warehouses, "/fixed", of_warehouses(self.fixed.len()));
        if let Some(price) = &self.price {
            let (rows, columns) = price.dim();
            let message = format!("must have the shape of cost, {warehouses} x {lines}, not {rows} x {columns}");
            check(price.dim() == self.cost.dim(), "/price", message);
        }
        if let Some(price) = &self.warehouse_price {
            check(price.len() == warehouses, "/warehouse_price", of_warehouses(price.len()));
        }
        (!flaws.is_empty()).then_some(flaws)
    }

    /// Fills in cost plus price, a row a line; `false` when a number is out of range.
    fn load(&self, room: &mut Room) -> bool {
        let mut fits = true;
        // One comparison a number, as those below zero are large without their sign.
        let mut within = |value: i64| fits &= value as u64 <= COST_MAX as u64;
        room.fixed.clear();
        match &self.warehouse_price {
            None => room.fixed.extend(self.fixed.iter().inspect(|&&fixed| within(fixed))),
            Some(price) => room.fixed.extend(self.fixed.iter().zip(price).map(|(&fixed, &price)| {
                within(fixed);
                within(price);
                let both = fixed.wrapping_add(price);
                within(both);
                both
            })),
        }
        room.cost.clear();
        room.cost.reserve(self.cost.len());
        for line in 0..self.cost.ncols() {
            let costs = self.cost.column(line);
            match self.price.as_ref().map(|price| price.column(line)) {
                None => room.cost.extend(costs.iter().map(|&cost| {
                    within(if cost == -1 { 0 } else { cost });
                    if cost == -1 { UNSERVABLE } else { cost }
                })),
                Some(prices) => room.cost.extend(costs.iter().zip(prices).map(|(&cost, &price)| {
                    within(price);
                    within(if cost == -1 { 0 } else { cost });
                    let both = if cost == -1 { 0 } else { cost.wrapping_add(price) };
                    within(both);
                    if cost == -1 { UNSERVABLE } else { both }
                })),
            }
        }
        fits
    }

    /// The numbers that are out of range, by name; the first few.
    fn flaws(&self) -> Flaws {
        let out = |value: i64| !(0..=COST_MAX).contains(&value);
        let mut flaws = Flaws::new();
        let rule = format!("must be 0 to {COST_MAX}");
        let mut add = |pointer: String, with: &str, value: i64| {
            if flaws.len() < FLAWS_MAX {
                flaws.push((pointer, format!("{with}{rule}, not {value}")));
            }
        };
        for (warehouse, &fixed) in self.fixed.iter().enumerate() {
            let price = self.warehouse_price.map_or(0, |prices| prices[warehouse]);
            if out(fixed) {
                add(format!("/fixed/{warehouse}"), "", fixed);
            } else if out(price) {
                add(format!("/warehouse_price/{warehouse}"), "", price);
            } else if out(fixed + price) {
                add(format!("/fixed/{warehouse}"), "with its price ", fixed + price);
            }
        }
        for ((warehouse, line), &cost) in self.cost.indexed_iter() {
            let price = self.price.map_or(0, |prices| prices[(warehouse, line)]);
            if cost != -1 && out(cost) {
                add(format!("/cost/{warehouse}/{line}"), "where it is not -1, ", cost);
            } else if out(price) {
                add(format!("/price/{warehouse}/{line}"), "", price);
            } else if cost != -1 && out(cost + price) {
                add(format!("/cost/{warehouse}/{line}"), "with its price ", cost + price);
            }
        }
        flaws
    }

    fn unserved(&self) -> Vec<usize> {
        (0..self.cost.ncols()).filter(|&line| self.cost.column(line).iter().all(|&cost| cost == -1)).collect()
    }

    fn assigned<'py>(&self, py: Python<'py>, chosen: &[u32], found: Found) -> PyResult<Bound<'py, PyAny>> {
        let mut price = 0;
        if let Some(prices) = &self.price {
            price += chosen.iter().enumerate().map(|(line, &at)| prices[(at as usize, line)]).sum::<i64>();
        }
        if let Some(prices) = &self.warehouse_price {
            let mut used = chosen.to_vec();
            used.sort_unstable();
            used.dedup();
            price += used.iter().map(|&at| prices[at as usize]).sum::<i64>();
        }
        let warehouse = PyArray1::from_iter(py, chosen.iter().map(|&at| at as i32));
        (warehouse, found.cost - price, found.bound - price, found.proven, price).into_bound_py_any(py)
    }
}
