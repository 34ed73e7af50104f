//! Batches that tests make, what an assignment of one costs by the rules alone, and the least that any costs.

use std::ops::Range;

use proptest::prelude::*;

use super::super::{NOWHERE, Problem};

/// A problem with its columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owned {
    pub(crate) line_start: Vec<i64>,
    pub(crate) sku: Vec<i32>,
    pub(crate) quantity: Vec<i32>,
    pub(crate) region: Vec<i32>,
    pub(crate) fixed: Vec<i64>,
    pub(crate) unit_cost: Vec<i64>,
    pub(crate) stock: Vec<i64>,
    pub(crate) unserved_fixed: i64,
    pub(crate) unserved_unit: Vec<i64>,
    pub(crate) shipments_max: Option<Vec<i32>>,
    pub(crate) placed: Option<Vec<i32>>,
    pub(crate) move_penalty: i64,
    pub(crate) frozen: Option<Vec<i32>>,
    pub(crate) capacity: Option<Vec<i64>>,
    pub(crate) priority: Option<Vec<i32>>,
    pub(crate) channel: Option<Vec<i32>>,
    pub(crate) pool: Option<Vec<i64>>,
}

impl Owned {
    pub(crate) fn problem(&self) -> Problem<'_> {
        Problem {
            line_start: &self.line_start,
            sku: &self.sku,
            quantity: &self.quantity,
            region: &self.region,
            fixed: &self.fixed,
            unit_cost: &self.unit_cost,
            stock: &self.stock,
            unserved_fixed: self.unserved_fixed,
            unserved_unit: &self.unserved_unit,
            shipments_max: self.shipments_max.as_deref(),
            placed: self.placed.as_deref(),
            move_penalty: self.move_penalty,
            frozen: self.frozen.as_deref(),
            capacity: self.capacity.as_deref(),
            priority: self.priority.as_deref(),
            weight: None,
            channel: self.channel.as_deref(),
            pool: self.pool.as_deref(),
        }
    }

    /// Takes all options away.
    pub(crate) fn plain(&mut self) {
        self.shipments_max = None;
        self.placed = None;
        self.frozen = None;
        self.capacity = None;
        self.priority = None;
        self.channel = None;
        self.pool = None;
    }

    pub(crate) fn channel_of(&self, order: usize) -> Option<usize> {
        self.channel.as_ref().and_then(|all| usize::try_from(all[order]).ok())
    }

    /// What these units of each line at each warehouse (the last: not served) cost; `None` where a rule is broken.
    pub(crate) fn cost(&self, units: &[Vec<i64>]) -> Option<i64> {
        let warehouses = self.fixed.len();
        let mut left = self.stock.clone();
        let mut pool = self.pool.clone().unwrap_or_default();
        let mut places = self.capacity.clone();
        let mut cost = 0;
        for (order, ends) in self.line_start.windows(2).enumerate() {
            let region = self.region[order] as usize;
            let priority = self.priority.as_ref().map_or(1, |all| i64::from(all[order]));
            let (mut used, mut unserved) = (vec![false; warehouses], false);
            for line in ends[0] as usize..ends[1] as usize {
                if units[line].iter().sum::<i64>() != i64::from(self.quantity[line]) {
                    return None;
                }
                let frozen = self.frozen.as_ref().map_or(NOWHERE, |all| all[line]);
                let placed = self.placed.as_ref().map_or(NOWHERE, |all| all[line]);
                for (at, &some) in units[line].iter().enumerate().filter(|&(_, &some)| some > 0) {
                    if frozen != NOWHERE && frozen as usize != at {
                        return None;
                    }
                    if placed != NOWHERE && placed as usize != at {
                        cost += some * self.move_penalty;
                    }
                    if at == warehouses {
                        unserved = true;
                        cost += some * self.unserved_unit[region] * priority;
                    } else {
                        used[at] = true;
                        cost += some * self.unit_cost[region * warehouses + at];
                        let cell = self.sku[line] as usize * warehouses + at;
                        let own = self.channel_of(order).map(|channel| channel * left.len() + cell);
                        let pooled = own.map_or(0, |own| pool[own].min(some));
                        if let Some(own) = own {
                            pool[own] -= pooled;
                        }
                        left[cell] -= some - pooled;
                    }
                }
            }
            cost += if unserved { self.unserved_fixed * priority } else { 0 };
            let shipments = used.iter().filter(|&&used| used).count();
            if self.shipments_max.as_ref().is_some_and(|all| shipments > all[order] as usize) {
                return None;
            }
            for at in (0..warehouses).filter(|&at| used[at]) {
                cost += self.fixed[at];
                if let Some(places) = &mut places {
                    places[at] -= 1;
                }
            }
        }
        let kept = left.iter().chain(places.iter().flatten()).all(|&left| left >= 0);
        kept.then_some(cost)
    }

    /// The least cost of all ways to send every unit somewhere.
    pub(crate) fn optimum(&self) -> Option<i64> {
        let mut units = vec![vec![0; self.fixed.len() + 1]; self.sku.len()];
        let mut best = None;
        self.try_all(0, 0, &mut units, &mut best);
        best
    }

    fn try_all(&self, line: usize, from: usize, units: &mut Vec<Vec<i64>>, best: &mut Option<i64>) {
        if line == self.sku.len() {
            if let Some(cost) = self.cost(units)
                && best.is_none_or(|best| cost < best)
            {
                *best = Some(cost);
            }
            return;
        }
        if units[line].iter().sum::<i64>() == i64::from(self.quantity[line]) {
            return self.try_all(line + 1, 0, units, best);
        }
        for at in from..=self.fixed.len() {
            units[line][at] += 1;
            self.try_all(line, at, units, best);
            units[line][at] -= 1;
        }
    }
}

fn draw(
    orders: usize,
    warehouses: usize,
    skus: usize,
    quantity_max: i32,
    options: Range<u8>,
) -> impl Strategy<Value = Owned> {
    let count = prop::collection::vec(0..=skus.min(3), 0..=orders);
    (count, 1..=warehouses, any::<u64>(), options).prop_map(move |(count, warehouses, seed, options)| {
        let mut state = seed;
        let mut random = move |below: i64| {
            state = super::super::mixed(state);
            (state >> 16) as i64 % below
        };
        let regions = 2;
        let mut owned = Owned { line_start: vec![0], ..Owned::default() };
        for &lines in &count {
            let first = random(skus as i64);
            for line in 0..lines {
                owned.sku.push(((first + line as i64) % skus as i64) as i32);
                owned.quantity.push(1 + random(i64::from(quantity_max)) as i32);
            }
            owned.line_start.push(owned.sku.len() as i64);
            owned.region.push(random(regions) as i32);
        }
        let lines = owned.sku.len();
        owned.fixed = (0..warehouses).map(|_| random(30)).collect();
        owned.unit_cost = (0..warehouses * regions as usize).map(|_| random(20)).collect();
        owned.stock = (0..warehouses * skus).map(|_| random(2 + lines as i64 / 3)).collect();
        owned.unserved_fixed = random(60);
        owned.unserved_unit = (0..regions).map(|_| 10 + random(40)).collect();
        let some = |bit: u8| options >> bit & 1 == 1 && options >> 5 & 1 == 1;
        let mut places = |least: i64| -> Vec<i32> {
            (0..lines)
                .map(|_| (least + random(warehouses as i64 + 2)).max(-1).min(warehouses as i64 - 1) as i32)
                .collect()
        };
        owned.placed = some(0).then(|| places(-2));
        owned.frozen = some(1).then(|| places(-5));
        owned.move_penalty = random(15);
        owned.shipments_max = some(2).then(|| count.iter().map(|_| 1 + random(2) as i32).collect());
        owned.capacity = some(3).then(|| (0..warehouses).map(|_| random(count.len() as i64 + 1)).collect());
        owned.priority = some(4).then(|| count.iter().map(|_| 1 + random(3) as i32).collect());
        if options >> 6 & 1 == 1 {
            let channels = 1 + random(3);
            owned.channel = Some(count.iter().map(|_| random(channels + 1) as i32 - 1).collect());
            let units = |_| (random(5) - 2).max(0);
            owned.pool = Some((0..channels as usize * owned.stock.len()).map(units).collect());
        }
        owned.make_room_for_frozen();
        owned
    })
}

impl Owned {
    fn make_room_for_frozen(&mut self) {
        let Some(frozen) = &self.frozen else { return };
        let warehouses = self.fixed.len();
        for (order, ends) in self.line_start.windows(2).enumerate() {
            let mut used = std::collections::BTreeSet::new();
            for (line, &at) in frozen.iter().enumerate().take(ends[1] as usize).skip(ends[0] as usize) {
                if let Ok(at) = usize::try_from(at) {
                    let cell = self.sku[line] as usize * warehouses + at;
                    let channel = self.channel.as_ref().and_then(|all| usize::try_from(all[order]).ok());
                    let own = channel.map(|channel| channel * self.stock.len() + cell);
                    // Some of them in pools, some beside.
                    match own.and_then(|own| self.pool.as_mut()?.get_mut(own)).filter(|_| line % 2 == 0) {
                        Some(pool) => *pool += i64::from(self.quantity[line]),
                        None => self.stock[cell] += i64::from(self.quantity[line]),
                    }
                    used.insert(at);
                }
            }
            if let Some(most) = &mut self.shipments_max {
                most[order] = most[order].max(used.len() as i32);
            }
            if let Some(capacity) = &mut self.capacity {
                used.iter().for_each(|&at| capacity[at] += 1);
            }
        }
    }
}

/// A batch whose optimum brute force finds.
pub(crate) fn tiny() -> impl Strategy<Value = Owned> {
    few(draw(3, 3, 3, 2, 0..128))
}

fn few(drawn: impl Strategy<Value = Owned>) -> impl Strategy<Value = Owned> {
    drawn.prop_filter("too many units to try", |owned| owned.quantity.iter().sum::<i32>() <= 7)
}

/// A batch of up to so many orders.
pub(crate) fn batch(orders: usize) -> impl Strategy<Value = Owned> {
    draw(orders, 6, 8, 3, 0..128)
}

/// The same with pools, always.
pub(crate) fn tiny_with_pools() -> impl Strategy<Value = Owned> {
    few(draw(3, 3, 3, 2, 64..128))
}

pub(crate) fn batch_with_pools(orders: usize) -> impl Strategy<Value = Owned> {
    draw(orders, 6, 8, 3, 64..128)
}
