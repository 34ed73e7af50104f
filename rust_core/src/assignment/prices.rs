//! Prices of cells, and of places in warehouses of bounded capacity; what each order chooses under them alone.

use super::menu::{Menu, Solved};
use super::network::Network;

/// All in the network's finer units.
#[derive(Clone, Debug, Default)]
pub(super) struct Prices {
    /// Of a unit of each cell.
    pub(super) cell: Vec<i64>,
    /// Of an order at each warehouse; empty where no capacity is bounded.
    pub(super) warehouse: Vec<i64>,
}

impl Prices {
    pub(super) fn none(network: &Network) -> Self {
        Self { cell: vec![0; network.stock.len()], warehouse: vec![0; network.capacity.len()] }
    }
}

/// What all that is priced is worth: what orders pay for it at the most.
pub(super) fn worth(prices: &[i64], units: &[i64]) -> i128 {
    prices
        .iter()
        .zip(units)
        .filter(|&(&price, _)| price != 0)
        .map(|(&price, &units)| i128::from(price) * i128::from(units))
        .sum()
}

/// What it costs to use each warehouse: the memory, and how it is for one order.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) cost: Vec<i64>,
    kept: Vec<i64>,
}

impl Open {
    /// For all orders: fixed costs and prices.
    pub(super) fn load(&mut self, network: &Network, prices: &[i64]) {
        self.cost.clear();
        self.cost.extend_from_slice(&network.fixed);
        for (cost, price) in self.cost.iter_mut().zip(prices) {
            *cost += price;
        }
    }

    /// The warehouses of its frozen lines cost an order nothing more.
    pub(super) fn enter(&mut self, network: &Network, order: usize) {
        self.kept.clear();
        for &at in network.paid_of(order) {
            self.kept.push(std::mem::take(&mut self.cost[at as usize]));
        }
    }

    /// Undoes [`enter`](Self::enter).
    pub(super) fn leave(&mut self, network: &Network, order: usize) {
        for (&at, &cost) in network.paid_of(order).iter().zip(&self.kept) {
            self.cost[at as usize] = cost;
        }
    }
}

/// What an order chooses where stock has no end but its price. The choice is in the menu.
pub(super) fn choose_freely(
    network: &Network,
    prices: &Prices,
    order: usize,
    menu: &mut Menu,
    open: &mut Open,
) -> Solved {
    // Warehouses of frozen lines are shipments already; a bound without the limit holds as well.
    let limit = if network.paid_of(order).is_empty() { network.shipments_max(order) } else { usize::MAX };
    menu.begin(network.unserved_fixed(order), limit);
    let row = network.unit_row(order);
    for line in network.lines_of(order) {
        let units = i64::from(network.units[line]);
        menu.line(units * network.unserved_unit(order, line));
        for cell in network.cells_for(line) {
            let warehouse = network.cell_warehouse[cell];
            let cost = network.unit_cost(line, row, warehouse as usize) + prices.cell[cell];
            menu.option(warehouse, units * cost, cell as u32);
        }
    }
    open.enter(network, order);
    let solved = menu.solve(&open.cost);
    open.leave(network, order);
    solved
}
