//! The rules that a batch keeps, each told by the field and the place where it is broken.

use super::problem::{COST_MAX, Flaw, LINES_MAX, NOWHERE, ORDER_LINES_MAX, Problem, TOTAL_MAX};

/// Units of one cell, at the most.
const UNITS_MAX: i64 = 1 << 50;

/// Flaws that are told, at the most: the rest is of the same kind.
const FLAWS_MAX: usize = 20;

/// The first few.
#[derive(Default)]
struct Flaws(Vec<Flaw>);

impl Flaws {
    fn add(&mut self, pointer: impl FnOnce() -> String, message: impl FnOnce() -> String) {
        if self.0.len() < FLAWS_MAX {
            self.0.push((pointer(), message()));
        }
    }

    fn length(&mut self, name: &str, found: usize, wanted: usize, of_what: &str) {
        if found != wanted {
            self.add(|| format!("/{name}"), || format!("must have {wanted} entries, {of_what}, not {found}"));
        }
    }

    fn rows(&mut self, name: &str, values: &[i64], width: usize, most: i64) {
        for (at, &value) in values.iter().enumerate() {
            if value < 0 || value > most {
                self.add(
                    || format!("/{name}/{}/{}", at / width, at % width),
                    || format!("must be 0 to {most}, not {value}"),
                );
            }
        }
    }

    fn range<T: Copy + Into<i64>>(&mut self, name: &str, values: &[T], least: i64, most: i64) {
        for (at, &value) in values.iter().enumerate() {
            let value = value.into();
            if value < least || value > most {
                self.add(|| format!("/{name}/{at}"), || format!("must be {least} to {most}, not {value}"));
            }
        }
    }
}

impl Problem<'_> {
    /// The first rules that are broken; empty where everything may be solved.
    #[must_use]
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Flaws::default();
        self.check_lengths(&mut flaws);
        if flaws.0.is_empty() {
            self.check_ranges(&mut flaws);
        }
        if flaws.0.is_empty() {
            self.check_orders(&mut flaws);
        }
        if flaws.0.is_empty() {
            self.check_sums(&mut flaws);
            self.check_frozen(&mut flaws);
        }
        flaws.0
    }

    fn check_lengths(&self, flaws: &mut Flaws) {
        let (orders, lines, warehouses) = (self.orders(), self.lines(), self.warehouses());
        if warehouses == 0 || warehouses > crate::ids::WAREHOUSES_MAX as usize {
            let most = crate::ids::WAREHOUSES_MAX;
            flaws.add(
                || "/fixed".into(),
                || format!("must have 1 to {most} entries, one a warehouse, not {warehouses}"),
            );
            return;
        }
        let pool = self.pool.map_or(0, <[_]>::len);
        for (name, count) in [("sku", lines), ("region", orders), ("stock", self.stock.len()), ("pool", pool)] {
            if count > LINES_MAX {
                flaws.add(|| format!("/{name}"), || format!("must have {LINES_MAX} entries at the most, not {count}"));
            }
        }
        flaws.length("line_start", self.line_start.len(), orders + 1, "one for each order and the end");
        flaws.length("quantity", self.quantity.len(), lines, "one for each of sku");
        let regions = self.unserved_unit.len();
        flaws.length(
            "unit_cost",
            self.unit_cost.len(),
            regions * warehouses,
            "regions of unserved_unit x warehouses of fixed",
        );
        if !self.stock.len().is_multiple_of(warehouses) {
            flaws.add(|| "/stock".into(), || format!("must have {warehouses} columns, one for each of fixed"));
        }
        let mut optional = |name, length: Option<usize>, wanted, of_what| {
            flaws.length(name, length.unwrap_or(wanted), wanted, of_what);
        };
        optional("max_shipments", self.shipments_max.map(<[_]>::len), orders, "one for each order");
        optional("placed", self.placed.map(<[_]>::len), lines, "one for each line");
        optional("frozen", self.frozen.map(<[_]>::len), lines, "one for each line");
        optional("capacity", self.capacity.map(<[_]>::len), warehouses, "one for each warehouse");
        optional("priority", self.priority.map(<[_]>::len), orders, "one for each order");
        optional("weight", self.weight.map(<[_]>::len), orders, "one for each order");
        optional("channel", self.channel.map(<[_]>::len), orders, "one for each order");
        if pool != self.channels() * self.stock.len() {
            flaws.add(|| "/pool".into(), || "must have the rows and columns of stock for each channel".into());
        }
        for (name, other, alone) in [
            ("channel", "pool", self.channel.is_some() && self.pool.is_none()),
            ("pool", "channel", self.pool.is_some() && self.channel.is_none()),
        ] {
            if alone {
                flaws.add(|| format!("/{name}"), || format!("must come with {other}"));
            }
        }
    }

    fn check_ranges(&self, flaws: &mut Flaws) {
        let last = |count: usize| count as i64 - 1;
        flaws.range("sku", self.sku, 0, last(self.skus()));
        flaws.range("region", self.region, 0, last(self.unserved_unit.len()));
        flaws.range("quantity", self.quantity, 1, i64::from(i32::MAX));
        flaws.range("fixed", self.fixed, 0, COST_MAX);
        flaws.rows("unit_cost", self.unit_cost, self.warehouses(), COST_MAX);
        flaws.rows("stock", self.stock, self.warehouses(), UNITS_MAX);
        flaws.range("unserved_unit", self.unserved_unit, 0, COST_MAX);
        for (name, value) in [("unserved_fixed", self.unserved_fixed), ("move_penalty", self.move_penalty)] {
            if !(0..=COST_MAX).contains(&value) {
                flaws.add(|| format!("/{name}"), || format!("must be 0 to {COST_MAX}, not {value}"));
            }
        }
        flaws.range("max_shipments", self.shipments_max.unwrap_or_default(), 1, i64::from(i32::MAX));
        flaws.range("placed", self.placed.unwrap_or_default(), i64::from(NOWHERE), last(self.warehouses()));
        flaws.range("frozen", self.frozen.unwrap_or_default(), i64::from(NOWHERE), last(self.warehouses()));
        flaws.range("capacity", self.capacity.unwrap_or_default(), 0, i64::MAX);
        flaws.range("priority", self.priority.unwrap_or_default(), 1, 1 << 20);
        flaws.range("channel", self.channel.unwrap_or_default(), i64::from(NOWHERE), last(self.channels()));
        for (channel, pool) in self.pool.unwrap_or_default().chunks(self.stock.len().max(1)).enumerate() {
            flaws.rows(&format!("pool/{channel}"), pool, self.warehouses(), UNITS_MAX);
        }
        for (at, &weight) in self.weight.unwrap_or_default().iter().enumerate() {
            if !(0.0..=1e9).contains(&weight) {
                flaws.add(|| format!("/weight/{at}"), || format!("must be 0 to 1e9, not {weight}"));
            }
        }
    }

    fn check_orders(&self, flaws: &mut Flaws) {
        let ends = (self.line_start[0], self.line_start[self.orders()]);
        if ends != (0, self.lines() as i64) {
            let lines = self.lines();
            flaws.add(
                || "/line_start".into(),
                || format!("must begin with 0 and end with {lines}, the lines of sku, not {} and {}", ends.0, ends.1),
            );
        }
        for (order, pair) in self.line_start.windows(2).enumerate() {
            if pair[0] > pair[1] {
                let at = order + 1;
                flaws.add(
                    || format!("/line_start/{at}"),
                    || format!("must not be below the one before it, {}", pair[0]),
                );
            } else if pair[1] - pair[0] > ORDER_LINES_MAX as i64 {
                let lines = pair[1] - pair[0];
                flaws.add(
                    || format!("/line_start/{order}"),
                    || format!("must begin an order of {ORDER_LINES_MAX} lines at the most, not {lines}"),
                );
            }
        }
        if !flaws.0.is_empty() {
            return;
        }
        let mut seen = vec![usize::MAX; self.skus()];
        for order in 0..self.orders() {
            for line in self.lines_of(order) {
                let sku = self.sku[line] as usize;
                if seen[sku] == order {
                    flaws.add(
                        || format!("/sku/{line}"),
                        || format!("must not be in an order twice, as {sku} is in order {order}: sum its lines"),
                    );
                }
                seen[sku] = order;
            }
        }
    }

    /// Nothing may run over: a line at its dearest, an order, and all of them.
    fn check_sums(&self, flaws: &mut Flaws) {
        let warehouses = self.warehouses();
        let penalty = if self.placed.is_some() { self.move_penalty } else { 0 };
        let dearest: Vec<i64> =
            self.unit_cost.chunks(warehouses).map(|row| row.iter().copied().max().unwrap_or(0)).collect();
        let fixed: i128 = self.fixed.iter().map(|&fixed| i128::from(fixed)).max().unwrap_or(0);
        let mut total = 0_i128;
        for order in 0..self.orders() {
            let (region, priority) = (self.region[order] as usize, i128::from(self.priority_of(order)));
            let unserved_fixed = i128::from(self.unserved_fixed) * priority;
            let unserved = i128::from(self.unserved_unit[region]) * priority;
            let unit = i128::from(penalty) + unserved.max(i128::from(dearest[region]));
            for line in self.lines_of(order) {
                let cost = unserved_fixed.max(fixed) + unit * i128::from(self.quantity[line]);
                if cost > i128::from(COST_MAX) {
                    flaws.add(
                        || format!("/quantity/{line}"),
                        || format!("times what a unit may cost, with what is paid once, must be {COST_MAX} at the most, not {cost}"),
                    );
                }
                total += cost;
            }
        }
        if total > i128::from(TOTAL_MAX) {
            flaws.add(
                || "/quantity".into(),
                || format!("all orders at their dearest must cost {TOTAL_MAX} at the most, not {total}"),
            );
        }
    }

    fn check_frozen(&self, flaws: &mut Flaws) {
        let Some(frozen) = self.frozen else { return };
        let warehouses = self.warehouses();
        let mut held = std::collections::BTreeMap::new();
        for order in 0..self.orders() {
            for line in self.lines_of(order).filter(|&line| frozen[line] != NOWHERE) {
                let cell = self.sku[line] as usize * warehouses + frozen[line] as usize;
                *held.entry((cell, self.channel_of(order))).or_insert(0_i64) += i64::from(self.quantity[line]);
            }
        }
        // What pools do not have is of the stock.
        let mut of_stock = std::collections::BTreeMap::new();
        for ((cell, channel), units) in held {
            let pooled = channel.map_or(0, |channel| self.pool.map_or(0, |pool| pool[self.pool_at(channel, cell)]));
            *of_stock.entry(cell).or_insert(0) += (units - pooled).max(0);
        }
        for (cell, units) in of_stock {
            let stock = self.stock[cell];
            if units > stock {
                flaws.add(
                    || format!("/stock/{}/{}", cell / warehouses, cell % warehouses),
                    || format!("must include the {units} units that frozen lines keep there, not {stock}"),
                );
            }
        }
        for order in 0..self.orders() {
            let used = self.paid(order).len();
            if self.shipments_max.is_some_and(|most| used > most[order] as usize) {
                flaws.add(
                    || format!("/max_shipments/{order}"),
                    || format!("must allow the {used} warehouses at which lines of the order are frozen"),
                );
            }
        }
        if let Some(capacity) = self.capacity {
            let mut used = vec![0; warehouses];
            for order in 0..self.orders() {
                self.paid(order).iter().for_each(|&at| used[at as usize] += 1);
            }
            for (at, (&used, &capacity)) in used.iter().zip(capacity).enumerate() {
                if used > capacity {
                    flaws.add(
                        || format!("/capacity/{at}"),
                        || format!("must allow the {used} orders with lines that are frozen there, not {capacity}"),
                    );
                }
            }
        }
    }
}
