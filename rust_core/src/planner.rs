//! Plans one order: resolves its names, gathers what each warehouse has and costs, and lets the kernel or a rule choose.

use crate::capacity::Capacity;
use crate::catalogue::{Catalogue, WarehouseTerms};
use crate::cost::{CostTable, Lane};
use crate::fill::{self, Piece, Supply};
use crate::ids::{CellId, ChannelId, SHARED, SkuId, WarehouseId, cell_id, pool_id};
use crate::kernel::{self, Problem, UNSERVABLE};
use crate::order::{Order, Payment, Policy, QUANTITY_MAX};
use crate::view::View;

/// Costs that the kernel is given at the most: lines and pieces of cut lines, times warehouses. Beyond it a rule fills the
/// order, as the kernel's first look at every cost alone would take milliseconds.
const KERNEL_CELLS_MAX: usize = 25_000;

/// A broken rule: where in the order (an RFC 6901 pointer) and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// JSON pointer into the order.
    pub pointer: String,
    /// The rule.
    pub message: String,
}

/// A SKU that falls short, in units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Which SKU.
    pub sku: SkuId,
    /// Units that the order wants.
    pub requested: i64,
    /// Units that its warehouses have.
    pub available: i64,
}

/// A purchase limit that the order alone, or with what the customer has, goes beyond. In units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which SKU.
    pub sku: SkuId,
    /// Units that the order wants.
    pub requested: i64,
    /// Units that a customer may take.
    pub limit: i64,
    /// Units of the limit that are left to this customer.
    pub remaining: i64,
}

/// Why an order got no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is not enough of these SKUs.
    Short(Vec<Shortage>),
    /// There is enough, but not from as few warehouses as the order allows.
    TooSpread(Vec<Shortage>),
    /// There is enough, but warehouses that have it serve no more orders today: what the others fall short of.
    AtCapacity(Vec<Shortage>),
}

/// The part of a plan that leaves one warehouse. Money in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// From where.
    pub warehouse: WarehouseId,
    /// What it costs.
    pub cost: i64,
    /// How far it goes.
    pub metres: u32,
    /// SKUs and units, each SKU once.
    pub lines: Vec<(SkuId, i64)>,
    /// Cells and units, where some of them come from a channel's pool; empty where all come from the shared rest.
    pub cells: Vec<(CellId, i64)>,
}

impl Shipment {
    /// Cells and units that it takes.
    pub fn takes(&self) -> impl Iterator<Item = (CellId, i64)> + '_ {
        // One of the two is empty.
        let lines = if self.cells.is_empty() { &self.lines[..] } else { &[] };
        let shared = lines.iter().map(|&(sku, quantity)| (cell_id(sku, self.warehouse), quantity));
        self.cells.iter().copied().chain(shared)
    }
}

/// The shipments advised for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// By rank of their warehouses.
    pub shipments: Vec<Shipment>,
    /// SKUs and units that an order which accepts a part goes without.
    pub unfilled: Vec<(SkuId, i64)>,
    /// How it was chosen.
    pub policy: Policy,
    /// Whether no other choice that keeps lines whole costs less, under the policy that asks for the cheapest.
    pub proven: bool,
}

impl Plan {
    /// The cost of all shipments.
    #[must_use]
    pub fn cost(&self) -> i64 {
        self.shipments.iter().map(|shipment| shipment.cost).sum()
    }
}

/// An order with its names resolved and its lines summed by SKU.
#[derive(Debug)]
pub struct Demand {
    /// SKUs and units, each SKU once, in the order they first came.
    pub lines: Vec<(SkuId, i64)>,
    /// The only warehouses that may serve it, sorted, if it names any.
    pub allowed: Option<Vec<WarehouseId>>,
    /// The channel whose pools it may take from besides the shared rest; [`SHARED`] where there are none.
    pub channel: ChannelId,
    /// Whether the customer collects it.
    pub pickup: bool,
    /// Rules of choice.
    pub policy: Policy,
    /// Warehouses that may share it.
    pub shipments_max: usize,
    /// Whether a part is accepted.
    pub allow_partial: bool,
    /// Destination in WGS 84 degrees.
    pub destination: (f64, f64),
}

impl Demand {
    /// The terms of a warehouse that may serve it: that is enabled, and allowed.
    #[must_use]
    pub fn terms_of<'a>(&self, catalogue: &'a Catalogue, warehouse: WarehouseId) -> Option<&'a WarehouseTerms> {
        let allowed = self.allowed.as_ref().is_none_or(|allowed| allowed.binary_search(&warehouse).is_ok());
        catalogue.warehouse_terms(warehouse).filter(|terms| terms.enabled && allowed)
    }
}

/// Everything that planning reads.
#[derive(Debug, Default)]
pub struct Planner {
    /// Names and terms.
    pub catalogue: Catalogue,
    /// Lanes by destination.
    pub costs: CostTable,
    /// Stock.
    pub view: View,
    /// What is used of the warehouses' capacities.
    pub capacity: Capacity,
    /// What an order that names no policy gets.
    pub default_policy: Policy,
    /// ISO 4217 code of every amount.
    pub currency: String,
    /// Partitions of the stock; 0 counts as one.
    pub partitions: u32,
    /// Names this process before the store.
    pub writer: String,
    /// Attempts that this process has named.
    pub(crate) attempts_made: u64,
}

/// The warehouses that may serve an order, and what each has and costs; columns in rank order.
pub struct Candidates {
    /// Their numbers.
    pub warehouses: Vec<WarehouseId>,
    /// Their lanes to the destination.
    pub lanes: Vec<Lane>,
    /// Units free, a row a line, none below zero.
    pub free: Vec<i64>,
    /// Units wanted of each line.
    pub wanted: Vec<i64>,
}

impl Candidates {
    /// What there is, for filling.
    #[must_use]
    pub fn supply(&self) -> Supply<'_> {
        Supply { wanted: &self.wanted, free: &self.free, candidates: self.warehouses.len() }
    }

    /// Columns, the cheapest to open first; among equals the first by rank.
    fn by_fixed_cost(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.warehouses.len()).collect();
        order.sort_by_key(|&candidate| self.lanes[candidate].fixed);
        order
    }
}

impl Planner {
    /// Adds or replaces a warehouse, whose lanes are then worked out anew; `false` when its number is out of range.
    #[must_use]
    pub fn put_warehouse(&mut self, warehouse: WarehouseId, name: &str, terms: WarehouseTerms) -> bool {
        self.costs.forget();
        self.catalogue.put_warehouse(warehouse, name, terms)
    }

    /// Resolves names and sums lines; what does not fit comes back as flaws.
    pub fn resolve(&self, order: &Order) -> Result<Demand, Vec<Flaw>> {
        let mut flaws = unplannable(order);
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let mut lines: Vec<(SkuId, i64)> = Vec::with_capacity(order.lines.len());
        for (index, line) in order.lines.iter().enumerate() {
            match self.catalogue.sku(line.sku) {
                None => flaws.push(flaw(format!("/lines/{index}/sku"), format!("unknown SKU {:?}", line.sku))),
                Some(sku) => match lines.iter_mut().find(|(known, _)| *known == sku) {
                    Some((_, quantity)) => *quantity += line.quantity,
                    None => lines.push((sku, line.quantity)),
                },
            }
        }
        let mut warehouse = |pointer: String, name: &str| {
            let found = self.catalogue.warehouse(name);
            if found.is_none() {
                flaws.push(flaw(pointer, format!("unknown warehouse {name:?}")));
            }
            found
        };
        let mut allowed: Option<Vec<WarehouseId>> = order.warehouses.as_ref().map(|names| {
            names
                .iter()
                .enumerate()
                .filter_map(|(index, name)| warehouse(format!("/warehouses/{index}"), name))
                .collect()
        });
        if let Some(name) = order.pickup_at
            && let Some(number) = warehouse("/pickup_at".into(), name)
        {
            if allowed.as_ref().is_some_and(|allowed| !allowed.contains(&number)) {
                flaws.push(flaw("/pickup_at".into(), "is not among the warehouses that the order allows".into()));
            }
            allowed = Some(vec![number]);
        }
        if let Some(allowed) = &mut allowed {
            allowed.sort_unstable();
        }
        if order.hold_seconds.is_some() && order.payment != Payment::Pending {
            flaws.push(flaw(
                "/hold_seconds".into(),
                "only an order with payment \"pending\" holds stock for a time".into(),
            ));
        }
        if !flaws.is_empty() {
            return Err(flaws);
        }
        Ok(Demand {
            lines,
            allowed,
            channel: order.channel.and_then(|name| self.catalogue.channel(name)).unwrap_or(SHARED),
            pickup: order.pickup_at.is_some(),
            policy: order.policy.unwrap_or(self.default_policy),
            shipments_max: order.shipments_max(),
            allow_partial: order.allow_partial,
            destination: (order.ship_to.lat, order.ship_to.lon),
        })
    }

    /// The warehouses that may serve a demand and what they have of it. Those at capacity may not.
    pub fn candidates(&mut self, demand: &Demand) -> Candidates {
        self.gather(demand, true)
    }

    fn gather(&mut self, demand: &Demand, capped: bool) -> Candidates {
        let capped = capped && self.catalogue.capped();
        let lanes = self.costs.lanes(&self.catalogue, demand.destination.0, demand.destination.1);
        let mut column_of = vec![usize::MAX; self.catalogue.warehouse_numbers()];
        let mut found = Candidates {
            warehouses: Vec::with_capacity(column_of.len()),
            lanes: Vec::with_capacity(column_of.len()),
            free: Vec::new(),
            wanted: demand.lines.iter().map(|&(_, quantity)| quantity).collect(),
        };
        for &warehouse in self.catalogue.ranked() {
            let Some(terms) = demand.terms_of(&self.catalogue, warehouse) else { continue };
            if capped && self.capacity.is_full(warehouse, terms) {
                continue;
            }
            column_of[warehouse as usize] = found.warehouses.len();
            found.warehouses.push(warehouse);
            found.lanes.push(if demand.pickup {
                Lane { fixed: terms.fixed_cost, per_unit: terms.unit_cost, ..Lane::default() }
            } else {
                lanes[warehouse as usize]
            });
        }
        let width = found.warehouses.len();
        found.free = vec![0; width * demand.lines.len()];
        for (line, &(sku, _)) in demand.lines.iter().enumerate() {
            for level in self.view.row(sku) {
                // A level may be of a warehouse whose definition has not come yet.
                if let Some(&column) = column_of.get(level.warehouse as usize)
                    && column != usize::MAX
                {
                    found.free[line * width + column] = level.free.max(0);
                }
            }
            for level in self.view.pool(demand.channel, sku) {
                if let Some(&column) = column_of.get(level.warehouse as usize)
                    && column != usize::MAX
                {
                    let free = &mut found.free[line * width + column];
                    *free = free.saturating_add(level.free.max(0));
                }
            }
        }
        found
    }

    /// Cells and units of a shipment of which a channel's pools have some: what they have, then the shared rest. Nothing
    /// where they have none.
    fn draw(&self, channel: ChannelId, warehouse: WarehouseId, lines: &[(SkuId, i64)]) -> Vec<(CellId, i64)> {
        let pooled = |sku: SkuId| self.view.free_in_pool(channel, sku, warehouse).max(0);
        let mut cells = Vec::new();
        if channel == SHARED || lines.iter().all(|&(sku, _)| pooled(sku) == 0) {
            return cells;
        }
        for &(sku, quantity) in lines {
            let own = pooled(sku).min(quantity);
            if own > 0 {
                cells.push((pool_id(channel, sku, warehouse), own));
            }
            if own < quantity {
                cells.push((cell_id(sku, warehouse), quantity - own));
            }
        }
        cells
    }

    /// Chooses the shipments for a demand. Takes nothing from the view.
    pub fn plan(&mut self, demand: &Demand) -> Result<Plan, Refusal> {
        let planned = self.plan_with(demand, true);
        match planned {
            Err(Refusal::Short(shortages) | Refusal::TooSpread(shortages))
                if self.capacity.any_full(&self.catalogue) =>
            {
                // What cannot be served at all is no matter of capacity.
                match self.plan_with(demand, false) {
                    Ok(_) => Err(Refusal::AtCapacity(shortages)),
                    refused => refused,
                }
            }
            planned => planned,
        }
    }

    /// What a demand would go without if no warehouse were at capacity; `None` when it would get nothing.
    pub(crate) fn unfilled_by_stock(&mut self, demand: &Demand) -> Option<Vec<(SkuId, i64)>> {
        self.plan_with(demand, false).ok().map(|plan| plan.unfilled)
    }

    fn plan_with(&mut self, demand: &Demand, capped: bool) -> Result<Plan, Refusal> {
        let mut candidates = self.gather(demand, capped);
        let mut unfilled = cap_to_stock(demand, &mut candidates)?;
        let ruled = match demand.policy {
            Policy::Cheapest => None,
            Policy::Nearest => {
                let mut order: Vec<usize> = (0..candidates.warehouses.len()).collect();
                order.sort_by_key(|&candidate| candidates.lanes[candidate].metres);
                fill_whole(&candidates.supply(), &order, demand.shipments_max)
            }
            Policy::Priority => {
                let order: Vec<usize> = (0..candidates.warehouses.len()).collect();
                fill_whole(&candidates.supply(), &order, demand.shipments_max)
            }
        };
        // A rule says who comes first; it refuses no order that fits within its shipments in some other way.
        let chosen = ruled.map(|pieces| (pieces, false)).or_else(|| self.cheapest(demand, &candidates));
        let (pieces, proven) = match chosen {
            Some((pieces, proven)) => (pieces, proven && demand.policy == Policy::Cheapest),
            None => {
                let (pieces, left) = fill::most_units(&candidates.supply(), demand.shipments_max);
                if left.iter().all(|&units| units == 0) {
                    (pieces, false)
                } else if let Some(pieces) = from_covering_set(&candidates, demand.shipments_max) {
                    (pieces, false)
                } else if demand.allow_partial {
                    unfilled.iter_mut().zip(&left).for_each(|(missing, left)| *missing += left);
                    (pieces, false)
                } else {
                    return Err(Refusal::TooSpread(shortages(demand, &left)));
                }
            }
        };
        Ok(Plan {
            shipments: self.shipments(demand, &candidates, &pieces),
            unfilled: demand
                .lines
                .iter()
                .zip(&unfilled)
                .filter(|(_, missing)| **missing > 0)
                .map(|(&(sku, _), &missing)| (sku, missing))
                .collect(),
            policy: demand.policy,
            proven,
        })
    }

    /// The kernel's choice, after lines that no warehouse holds whole were cut; a rule's where that is too much for it.
    fn cheapest(&self, demand: &Demand, candidates: &Candidates) -> Option<(Vec<Piece>, bool)> {
        let supply = candidates.supply();
        let width = supply.candidates;
        // What the kernel places: a line whole, the rest of a cut line, or a piece that is bound to its warehouse.
        let mut rows: Vec<Piece> = Vec::with_capacity(demand.lines.len());
        let mut cost: Vec<i64> = Vec::with_capacity((demand.lines.len() * width).min(KERNEL_CELLS_MAX));
        let mut cut = false;
        for (line, &(sku, _)) in demand.lines.iter().enumerate() {
            let wanted = candidates.wanted[line];
            if wanted == 0 {
                continue;
            }
            let weight_g = self.catalogue.sku_terms(sku).weight_g;
            let line_cost = |candidate: usize, quantity: i64| candidates.lanes[candidate].line_cost(weight_g, quantity);
            let (bound, rest) = if (0..width).any(|candidate| supply.at(line, candidate) >= wanted) {
                (Vec::new(), wanted)
            } else {
                cut = true;
                fill::cut_line(&supply, line)?
            };
            if (rows.len() + bound.len() + 1) * width > KERNEL_CELLS_MAX {
                let pieces = fill_whole(&supply, &candidates.by_fixed_cost(), demand.shipments_max)?;
                return Some((pieces, false));
            }
            for piece in &bound {
                rows.push(*piece);
                cost.extend((0..width).map(|candidate| {
                    if candidate == piece.candidate { line_cost(candidate, piece.quantity) } else { UNSERVABLE }
                }));
            }
            rows.push(Piece { line, candidate: usize::MAX, quantity: rest });
            cost.extend((0..width).map(|candidate| {
                let used_up = bound.iter().any(|piece| piece.candidate == candidate);
                if used_up || supply.at(line, candidate) < rest { UNSERVABLE } else { line_cost(candidate, rest) }
            }));
        }
        let fixed: Vec<i64> = candidates.lanes.iter().map(|lane| lane.fixed).collect();
        let choice = kernel::solve(&Problem {
            fixed: &fixed,
            cost: &cost,
            shipments_max: demand.shipments_max,
            node_limit: None,
        })?;
        for (row, &candidate) in rows.iter_mut().zip(&choice.warehouse) {
            row.candidate = candidate as usize;
        }
        if cut {
            rows = self.refill_cut_lines(demand, candidates, &rows);
        }
        Some((rows, choice.proven && !cut))
    }

    /// The same warehouses, but of every line that is in several pieces the most comes from where a unit costs least.
    fn refill_cut_lines(&self, demand: &Demand, candidates: &Candidates, pieces: &[Piece]) -> Vec<Piece> {
        let supply = candidates.supply();
        let mut used: Vec<usize> = pieces.iter().map(|piece| piece.candidate).collect();
        used.sort_unstable();
        used.dedup();
        let mut refilled: Vec<Piece> = Vec::with_capacity(pieces.len());
        for of_line in pieces.chunk_by(|piece, next| piece.line == next.line) {
            if let [whole] = of_line {
                refilled.push(*whole);
                continue;
            }
            let line = of_line[0].line;
            let weight_g = self.catalogue.sku_terms(demand.lines[line].0).weight_g;
            // Stable: candidates come ranked, so equals keep their rank. Of a thousand units, as one would be rounded up.
            used.sort_by_key(|&candidate| (candidates.lanes[candidate].line_cost(weight_g, 1000), candidate));
            let mut wanted: i64 = of_line.iter().map(|piece| piece.quantity).sum();
            for &candidate in &used {
                let quantity = wanted.min(supply.at(line, candidate));
                if quantity > 0 {
                    refilled.push(Piece { line, candidate, quantity });
                    wanted -= quantity;
                }
            }
        }
        refilled
    }

    fn shipments(&self, demand: &Demand, candidates: &Candidates, pieces: &[Piece]) -> Vec<Shipment> {
        let mut pieces = pieces.to_vec();
        pieces.sort_unstable_by_key(|piece| (piece.candidate, piece.line));
        let leaves = |of_one: &[Piece]| {
            let candidate = of_one[0].candidate;
            let lane = &candidates.lanes[candidate];
            let (mut cost, mut lines) = (lane.fixed, Vec::with_capacity(of_one.len()));
            for of_line in of_one.chunk_by(|piece, next| piece.line == next.line) {
                let sku = demand.lines[of_line[0].line].0;
                let quantity = of_line.iter().map(|piece| piece.quantity).sum();
                cost += lane.line_cost(self.catalogue.sku_terms(sku).weight_g, quantity);
                lines.push((sku, quantity));
            }
            let warehouse = candidates.warehouses[candidate];
            let cells = self.draw(demand.channel, warehouse, &lines);
            Shipment { warehouse, cost, metres: lane.metres, lines, cells }
        };
        pieces.chunk_by(|piece, next| piece.candidate == next.candidate).map(leaves).collect()
    }
}

/// Lowers what is wanted to what there is, where the order accepts a part; says what falls short where it does not.
/// Returns the units that go unfilled, a number a line.
fn cap_to_stock(demand: &Demand, candidates: &mut Candidates) -> Result<Vec<i64>, Refusal> {
    let width = candidates.warehouses.len();
    let mut shortages = Vec::new();
    let mut unfilled = vec![0; demand.lines.len()];
    let mut any = false;
    for (line, &(sku, requested)) in demand.lines.iter().enumerate() {
        let row = &candidates.free[line * width..(line + 1) * width];
        let available = row.iter().fold(0_i64, |sum, &free| sum.saturating_add(free));
        if available < requested {
            shortages.push(Shortage { sku, requested, available });
            unfilled[line] = requested - available;
            candidates.wanted[line] = available;
        }
        any |= candidates.wanted[line] > 0;
    }
    if shortages.is_empty() || (demand.allow_partial && any) { Ok(unfilled) } else { Err(Refusal::Short(shortages)) }
}

/// Fills in order; where that uses too many shipments, the first that holds everything.
fn fill_whole(supply: &Supply, order: &[usize], shipments_max: usize) -> Option<Vec<Piece>> {
    let (pieces, wanted) = fill::in_order(supply, order, shipments_max);
    if wanted.iter().all(|&quantity| quantity == 0) {
        return Some(pieces);
    }
    order.iter().find_map(|&candidate| {
        let (pieces, wanted) = fill::in_order(supply, &[candidate], 1);
        wanted.iter().all(|&quantity| quantity == 0).then_some(pieces)
    })
}

/// Fills from a set of warehouses that holds everything, the cheapest to open first.
fn from_covering_set(candidates: &Candidates, shipments_max: usize) -> Option<Vec<Piece>> {
    let set = fill::covering_set(&candidates.supply(), shipments_max)?;
    let mut order = candidates.by_fixed_cost();
    order.retain(|candidate| set.contains(candidate));
    Some(fill::in_order(&candidates.supply(), &order, shipments_max).0)
}

/// What as many warehouses as are allowed could not give.
fn shortages(demand: &Demand, left: &[i64]) -> Vec<Shortage> {
    demand
        .lines
        .iter()
        .zip(left)
        .filter(|(_, left)| **left > 0)
        .map(|(&(sku, requested), &left)| Shortage { sku, requested, available: requested - left })
        .collect()
}

/// Breaches of what planning rests on. The doors have checked it; bytes from elsewhere must not get past this either.
fn unplannable(order: &Order) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if order.lines.is_empty() {
        flaws.push(flaw("/lines".into(), "must have at least one line".into()));
    }
    for (index, line) in order.lines.iter().enumerate() {
        if !(1..=QUANTITY_MAX).contains(&line.quantity) {
            flaws.push(flaw(format!("/lines/{index}/quantity"), format!("must be 1 to {QUANTITY_MAX}")));
        }
    }
    if order.shipments_max() == 0 {
        flaws.push(flaw("/max_shipments".into(), "must be at least 1".into()));
    }
    flaws
}

fn flaw(pointer: String, message: String) -> Flaw {
    Flaw { pointer, message }
}

#[cfg(test)]
mod tests;
