//! Lines of several units, shared out where no warehouse has them whole: a set of warehouses, each line filled from the
//! cheapest of them first; one warehouse is added, taken out or exchanged as long as that is cheaper.

use super::books::{Books, Change, Parts};
use super::network::UNSERVED;

/// Changes of the set, at the most.
const ROUNDS_MAX: usize = 64;

/// An offer of a cell to a line.
#[derive(Clone, Copy, Debug)]
struct Offer {
    cost: i64,
    warehouse: u32,
    cell: u32,
    units: i64,
}

/// The memory to share an order out in.
#[derive(Debug, Default)]
pub(super) struct Spread {
    offers: Vec<Vec<Offer>>,
    warehouses: Vec<u32>,
    set: Vec<u32>,
    trial: Vec<u32>,
}

impl Spread {
    /// Finds a set for an order, from one to begin with; what it comes to. `price` is added to what a unit costs.
    pub(super) fn improve(
        &mut self,
        books: &Books,
        price: Option<&[i64]>,
        order: usize,
        open: &[i64],
        start: &[u32],
        free: &dyn Fn(usize, usize) -> i64,
    ) -> i64 {
        let network = books.network;
        let row = network.unit_row(order);
        self.warehouses.clear();
        let lines = network.lines_of(order);
        self.offers.resize_with(lines.len().max(self.offers.len()), Vec::new);
        for (offers, line) in self.offers.iter_mut().zip(lines) {
            offers.clear();
            for cell in network.cells_for(line) {
                let units = free(line, cell);
                if units > 0 {
                    let warehouse = network.cell_warehouse[cell];
                    let cost = network.unit_cost(line, row, warehouse as usize) + price.map_or(0, |price| price[cell]);
                    offers.push(Offer { cost, warehouse, cell: cell as u32, units });
                    self.warehouses.push(warehouse);
                }
            }
            offers.sort_unstable_by_key(|offer| (offer.cost, offer.warehouse));
        }
        self.warehouses.sort_unstable();
        self.warehouses.dedup();
        self.set.clear();
        self.set.extend_from_slice(start);
        let few = self.search(books, order, open);
        let found = self.set.clone();
        self.set.clear();
        self.set.extend_from_slice(start);
        self.cover(books, order);
        let many = self.search(books, order, open);
        if few <= many {
            self.set = found;
        }
        few.min(many)
    }

    /// Adds warehouses, each the one that serves most of what is missing: what one alone would not make pay, two may.
    fn cover(&mut self, books: &Books, order: usize) {
        let network = books.network;
        while self.shipments(books, order, &self.set) < network.shipments_max(order) {
            let mut serves: Vec<i64> = vec![0; self.warehouses.len()];
            for (offers, line) in self.offers.iter().zip(network.lines_of(order)) {
                let had = offers.iter().filter(|offer| self.set.contains(&offer.warehouse));
                let missing = i64::from(network.units[line]) - had.map(|offer| offer.units).sum::<i64>();
                for offer in offers.iter().filter(|offer| missing > 0 && !self.set.contains(&offer.warehouse)) {
                    if let Ok(at) = self.warehouses.binary_search(&offer.warehouse) {
                        serves[at] += missing.min(offer.units);
                    }
                }
            }
            match (0..serves.len()).max_by_key(|&at| (serves[at], std::cmp::Reverse(at))) {
                Some(at) if serves[at] > 0 => self.set.push(self.warehouses[at]),
                _ => return,
            }
        }
    }

    /// Of an order that uses a set, those of its frozen lines among them.
    fn shipments(&self, books: &Books, order: usize, set: &[u32]) -> usize {
        set.len() + books.network.paid_of(order).iter().filter(|at| !set.contains(at)).count()
    }

    /// Changes the set while that is cheaper; what it comes to.
    fn search(&mut self, books: &Books, order: usize, open: &[i64]) -> i64 {
        let most = books.network.shipments_max(order);
        let mut best = self.cost(books, order, open, &self.set);
        for _ in 0..ROUNDS_MAX {
            let (before, mut next) = (best, None);
            let mut trial = std::mem::take(&mut self.trial);
            for dropped in std::iter::once(None).chain((0..self.set.len()).map(Some)) {
                for added in std::iter::once(None).chain(self.warehouses.iter().copied().map(Some)) {
                    if added.is_some_and(|at| self.set.contains(&at)) || (dropped.is_none() && added.is_none()) {
                        continue;
                    }
                    trial.clear();
                    trial.extend((0..self.set.len()).filter(|&at| Some(at) != dropped).map(|at| self.set[at]));
                    trial.extend(added);
                    if self.shipments(books, order, &trial) <= most {
                        let cost = self.cost(books, order, open, &trial);
                        if cost < best {
                            (best, next) = (cost, Some(trial.clone()));
                        }
                    }
                }
            }
            self.trial = trial;
            match next {
                Some(set) if best < before => self.set = set,
                _ => break,
            }
        }
        best
    }

    fn cost(&self, books: &Books, order: usize, open: &[i64], set: &[u32]) -> i64 {
        let network = books.network;
        let mut cost: i64 = set.iter().map(|&at| open[at as usize]).sum();
        let mut unserved = false;
        for (offers, line) in self.offers.iter().zip(network.lines_of(order)) {
            let mut wanted = i64::from(network.units[line]);
            for offer in offers.iter().filter(|offer| set.contains(&offer.warehouse)) {
                let taken = wanted.min(offer.units);
                cost += taken * offer.cost;
                wanted -= taken;
                if wanted == 0 {
                    break;
                }
            }
            unserved |= wanted > 0;
            cost += wanted * network.unserved_unit(order, line);
        }
        if unserved { cost + network.unserved_fixed(order) } else { cost }
    }

    /// The set that was found, as a change of the order's lines.
    pub(super) fn change(&self, books: &Books, order: usize) -> Change {
        let network = books.network;
        let mut change = Change::default();
        for (offers, line) in self.offers.iter().zip(network.lines_of(order)) {
            let mut wanted = i64::from(network.units[line]);
            let mut parts = Parts::new();
            for offer in offers.iter().filter(|offer| self.set.contains(&offer.warehouse)) {
                let taken = wanted.min(offer.units);
                if taken > 0 {
                    parts.push((offer.cell, taken));
                    wanted -= taken;
                }
            }
            if wanted > 0 {
                parts.push((UNSERVED, wanted));
            }
            match parts[..] {
                [(cell, _)] => change.whole.push((line as u32, cell)),
                _ => change.split.push((line as u32, parts)),
            }
        }
        change
    }
}
