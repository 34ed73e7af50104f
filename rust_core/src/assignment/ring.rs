//! One SKU around one line: what it costs to make room in each of its cells, and what others save by taking the line's own.
//!
//! Nodes are the SKU's cells, and one for what is not served; the arc between two is the line of another order that moves
//! most cheaply from one to the other, its order's other lines left where they are. Room in a full cell is made along a
//! path of arcs that ends in a cell with something left: an ejection chain. Only lines of as many units move.

use super::books::Books;
use super::network::{SPLIT, UNSERVED};
use crate::kernel::UNSERVABLE;

/// Lines that move in one chain, at the most.
const STEPS: usize = 4;

/// Lines of a SKU that are looked at for one ring: a window that moves from round to round.
const WINDOW: usize = 48;

/// Cells of one ring, at the most: the cheapest for the line.
const NODES_MAX: usize = 24;

/// Orders of more lines than this do not move for others: their costs take too long.
const MOVED_LINES_MAX: usize = 12;

const NOBODY: u32 = u32::MAX;

/// Marks warehouses, and forgets them all at once.
#[derive(Debug)]
pub(super) struct Stamps {
    mark: Vec<u32>,
    epoch: u32,
}

impl Stamps {
    pub(super) fn new(warehouses: usize) -> Self {
        Self { mark: vec![0; warehouses], epoch: 0 }
    }

    fn forget(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.mark.fill(0);
            self.epoch = 1;
        }
    }

    /// Whether it is new.
    fn set(&mut self, warehouse: u32) -> bool {
        let mark = &mut self.mark[warehouse as usize];
        std::mem::replace(mark, self.epoch) != self.epoch
    }

    fn has(&self, warehouse: u32) -> bool {
        self.mark[warehouse as usize] == self.epoch
    }
}

/// The ring of one line.
#[derive(Debug, Default)]
pub(super) struct Ring {
    pub(super) cells: Vec<u32>,
    /// Where the line is: a node.
    pub(super) own: usize,
    arc: Vec<(i64, u32)>,
    /// For each number of steps and each node: what room there costs, and the node to which a line moves.
    room: Vec<(i64, u32)>,
    /// The same for what is saved when the node has become free, and from where a line moves.
    pull: Vec<(i64, u32)>,
}

impl Ring {
    fn nodes(&self) -> usize {
        self.cells.len() + 1
    }

    /// What room in a node costs beside what the line itself costs there: what others would save if it is its own.
    pub(super) fn charge(&self, node: usize) -> i64 {
        if node == self.own { self.keep() } else { self.room[STEPS * self.nodes() + node].0 }
    }

    /// What others would save by the line's own place.
    pub(super) fn keep(&self) -> i64 {
        -self.pull[STEPS * self.nodes() + self.own].0
    }

    pub(super) fn node_of(&self, cell: u32) -> usize {
        if cell == UNSERVED { self.cells.len() } else { self.find(cell).unwrap_or(self.cells.len()) }
    }

    fn find(&self, cell: u32) -> Option<usize> {
        let first = *self.cells.first()?;
        let guess = cell.wrapping_sub(first) as usize;
        if self.cells.get(guess) == Some(&cell) { Some(guess) } else { self.cells.iter().position(|&at| at == cell) }
    }

    /// Looks around a line that is whole somewhere, or not served.
    pub(super) fn load(&mut self, books: &Books, line: usize, salt: usize, stamps: &mut Stamps) {
        self.choose_cells(books, line);
        let nodes = self.nodes();
        self.own = self.node_of(books.choice[line]);
        self.arc.clear();
        self.arc.resize(nodes * nodes, (UNSERVABLE, NOBODY));
        let lines = books.network.lines_in(books.network.line_row[line] as usize);
        let window = lines.len().min(WINDOW);
        let first = if window < lines.len() { salt % lines.len() } else { 0 };
        for at in first..first + window {
            let other = lines[if at < lines.len() { at } else { at - lines.len() }] as usize;
            if other != line && books.network.units[other] == books.network.units[line] {
                self.add_arcs(books, other, stamps);
            }
        }
        self.follow_pulls();
        self.follow_room(books, i64::from(books.network.units[line]));
    }

    fn choose_cells(&mut self, books: &Books, line: usize) {
        let network = books.network;
        self.cells.clear();
        self.cells.extend(network.cells_for(line).map(|cell| cell as u32));
        if self.cells.len() > NODES_MAX {
            let order = network.line_order[line] as usize;
            let row = network.unit_row(order);
            let own = books.choice[line];
            let key = |&cell: &u32| {
                let warehouse = network.cell_warehouse[cell as usize] as usize;
                (cell != own, network.fixed[warehouse] + row[warehouse], cell)
            };
            self.cells.sort_unstable_by_key(key);
            self.cells.truncate(NODES_MAX);
            self.cells.sort_unstable();
        }
    }

    /// What it costs to move another line from where it is to each other node.
    fn add_arcs(&mut self, books: &Books, line: usize, stamps: &mut Stamps) {
        let network = books.network;
        let here = books.choice[line];
        let from = match here {
            SPLIT => return,
            UNSERVED => self.cells.len(),
            cell => match self.find(cell) {
                Some(node) => node,
                None => return,
            },
        };
        let order = network.line_order[line] as usize;
        let others = network.lines_of(order);
        if others.len() > MOVED_LINES_MAX {
            return;
        }
        stamps.forget();
        let (mut shipments, mut other_unserved) = (0, false);
        for other in others.filter(|&other| other != line) {
            match books.choice[other] {
                SPLIT => return,
                UNSERVED => other_unserved = true,
                cell => shipments += usize::from(stamps.set(network.cell_warehouse[cell as usize])),
            }
        }
        for &at in network.paid_of(order) {
            shipments += usize::from(stamps.set(at));
        }
        let row = network.unit_row(order);
        let units = i64::from(network.units[line]);
        let unserved =
            units * network.unserved_unit(order, line) + if other_unserved { 0 } else { network.unserved_fixed(order) };
        let opening = |warehouse: u32| if stamps.has(warehouse) { 0 } else { network.fixed[warehouse as usize] };
        let cost_at = |warehouse: u32| units * network.unit_cost(line, row, warehouse as usize) + opening(warehouse);
        let now = if here == UNSERVED { unserved } else { cost_at(network.cell_warehouse[here as usize]) };
        let full = shipments >= network.shipments_max(order);
        let nodes = self.nodes();
        let arcs = &mut self.arc[from * nodes..(from + 1) * nodes];
        for (arc, &cell) in arcs.iter_mut().zip(&self.cells) {
            let warehouse = network.cell_warehouse[cell as usize];
            let more = cost_at(warehouse) - now;
            let closed = || full || books.places.get(warehouse as usize).is_some_and(|&places| places <= 0);
            if more < arc.0 && cell != here && (stamps.has(warehouse) || !closed()) {
                *arc = (more, line as u32);
            }
        }
        if here != UNSERVED && unserved - now < arcs[nodes - 1].0 {
            arcs[nodes - 1] = (unserved - now, line as u32);
        }
    }

    fn follow_pulls(&mut self) {
        let nodes = self.nodes();
        self.pull.clear();
        self.pull.resize((STEPS + 1) * nodes, (0, NOBODY));
        for step in 1..=STEPS {
            let (before, now) = self.pull.split_at_mut(step * nodes);
            let before = &before[(step - 1) * nodes..];
            // What is not served leaves nothing behind that anybody could want.
            for node in 0..nodes - 1 {
                let mut best = (before[node].0, NOBODY);
                for (from, &(saved, _)) in before.iter().enumerate() {
                    let sum = self.arc[from * nodes + node].0 + saved;
                    if sum < best.0 {
                        best = (sum, from as u32);
                    }
                }
                now[node] = best;
            }
        }
    }

    fn follow_room(&mut self, books: &Books, units: i64) {
        let nodes = self.nodes();
        let keep = self.keep();
        self.room.clear();
        self.room.resize((STEPS + 1) * nodes, (UNSERVABLE, NOBODY));
        for (node, &cell) in self.cells.iter().enumerate() {
            if books.free(cell as usize) >= units {
                self.room[node].0 = 0;
            } else if node == self.own {
                self.room[node].0 = keep;
            }
        }
        self.room[nodes - 1].0 = 0;
        for step in 1..=STEPS {
            let (before, now) = self.room.split_at_mut(step * nodes);
            let before = &before[(step - 1) * nodes..];
            for node in 0..nodes {
                let mut best = (before[node].0, NOBODY);
                if node + 1 < nodes {
                    for (to, &(cost, _)) in before.iter().enumerate() {
                        let sum = self.arc[node * nodes + to].0 + cost;
                        if sum < best.0 {
                            best = (sum, to as u32);
                        }
                    }
                }
                now[node] = best;
            }
        }
    }

    fn cell_at(&self, node: usize) -> u32 {
        self.cells.get(node).copied().unwrap_or(UNSERVED)
    }

    /// Adds the lines that make room in a node, and those that take the line's own place if that becomes free.
    pub(super) fn add_chains(&self, node: usize, moves: &mut Vec<(u32, u32)>) {
        let nodes = self.nodes();
        let mut at = node;
        for step in (1..=STEPS).rev() {
            let to = self.room[step * nodes + at].1;
            if to != NOBODY {
                moves.push((self.arc[at * nodes + to as usize].1, self.cell_at(to as usize)));
                at = to as usize;
            }
        }
        if at == self.own && node != self.own {
            return;
        }
        at = self.own;
        for step in (1..=STEPS).rev() {
            let from = self.pull[step * nodes + at].1;
            if from != NOBODY {
                moves.push((self.arc[from as usize * nodes + at].1, self.cell_at(at)));
                at = from as usize;
            }
        }
    }
}
