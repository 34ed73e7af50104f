//! Keeps what each order was told, 16 bytes an order, so that a run can be audited. Memory is bounded: beyond that many
//! orders, notes are counted and not kept.

use std::collections::{BTreeMap, HashMap};

use crate::kinds::Kinds;
use crate::producer::Request;
use crate::told::{self, Line, Told};

mod entry;

use entry::is_lost;
pub use entry::{
    ACKNOWLEDGED, CONTRADICTED, Entry, FOR_STOCK, Heard, LOST, REFUSED, STEP_LOST, TURNED_AWAY, UNREADABLE,
};

/// Orders that are kept, over all threads: 128 MB.
pub const ORDERS_MAX: usize = 8_000_000;
/// Bytes of one order, as they go out: digest u32, sent u32, took u32 (milliseconds), status u16, marks u8, state u8.
pub const ENTRY_BYTES: usize = 16;
/// Cells whose units are added up.
const CELLS_MAX: usize = 1_000_000;

/// Units by SKU and warehouse.
pub type Cells = BTreeMap<String, BTreeMap<String, i64>>;

/// One thread's ledger, or that of all.
#[derive(Clone, Default)]
pub struct Ledger {
    kinds: Vec<Vec<Entry>>,
    first: u64,
    step: u64,
    room: usize,
    sums: bool,
    cells: HashMap<String, HashMap<String, i64>>,
    cell_count: usize,
    id: Vec<u8>,
    /// Notes that found no room.
    pub unrecorded: u64,
}

impl Ledger {
    /// Of thread `first` of `step`, for so many kinds; `sums`: units of orders that hold stock are added up, too.
    #[must_use]
    pub fn new(kinds: usize, first: usize, step: usize, sums: bool) -> Self {
        let room = ORDERS_MAX / step.max(1);
        let (first, step) = (first as u64, step as u64);
        Self { kinds: vec![Vec::new(); kinds], first, step, room, sums, ..Self::default() }
    }

    /// Notes what the orders of a request heard, if it has any: sent and done with in nanoseconds, `status` of the answer.
    pub fn enter(&mut self, kinds: &Kinds, request: &Request, times_ns: [u64; 2], status: Option<u16>, body: &[u8]) {
        if !kinds.is_orders(request) {
            return;
        }
        let mut id = std::mem::take(&mut self.id);
        id.clear();
        kinds.write_id(request.of, request.number, &mut id);
        let [sent_ms, done_ms] = times_ns.map(|ns| (ns / 1_000_000).min(u64::from(u32::MAX)) as u32);
        let known = kinds.has_ids(request.of).then_some(&*id);
        let heard = Heard { sent_ms, done_ms, status, body: if status.is_some() { body } else { &[] }, id: known };
        let (kind, number, lines) = (request.of, request.number, kinds.lines_of(request.of));
        if kinds.is_step(request) {
            self.hear_step(kind, number, lines, &heard);
        } else if lines == 0 {
            self.hear(kind, number, lines, &heard);
        } else {
            self.hear_body(kind, number, lines, &heard);
        }
        self.id = id;
    }

    /// Notes what an order heard. `number`: its own, `lines`: orders of one body of its kind.
    pub fn hear(&mut self, kind: usize, number: u64, lines: u64, heard: &Heard<'_>) {
        let Some(mut entry) = self.entry(kind, number, lines) else { return };
        let told = entry.hear(heard);
        if self.sums
            && let Some(told) = &told
        {
            self.add_up(told);
        }
        self.put(kind, number, lines, entry);
    }

    /// Notes what the orders of a body in bulk heard, line by line; `number` is that of the first one. Where the answer as a
    /// whole is none of theirs, all of them heard it; lines that did not come were lost.
    pub fn hear_body(&mut self, kind: usize, number: u64, lines: u64, heard: &Heard<'_>) {
        let is_told = matches!(heard.status, Some(200..300));
        let mut results = heard.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        for line in 0..lines {
            let own = match if is_told { results.next() } else { None } {
                Some(result) => Heard { status: told::line_status(result), body: result, id: None, ..*heard },
                None if is_told => Heard { status: None, body: &[], ..*heard },
                None => Heard { id: None, ..*heard },
            };
            self.hear(kind, number + line, lines, &own);
        }
    }

    /// Notes what was heard of a change of an order.
    pub fn hear_step(&mut self, kind: usize, number: u64, lines: u64, heard: &Heard<'_>) {
        let Some(mut entry) = self.entry(kind, number, lines) else { return };
        match (heard.status, told::read(heard.body, heard.id)) {
            (Some(200..300), Some(told)) => {
                entry.state = entry.state.max(told.state());
                if entry.marks & ACKNOWLEDGED > 0 && told.digest() != entry.digest {
                    entry.marks |= CONTRADICTED;
                }
            }
            (Some(status), _) if !is_lost(status, heard.body) => {}
            _ => entry.marks |= STEP_LOST,
        }
        self.put(kind, number, lines, entry);
    }

    fn place(&self, number: u64, lines: u64) -> usize {
        let lines = lines.max(1);
        (((number / lines).saturating_sub(self.first) / self.step.max(1)) * lines + number % lines) as usize
    }

    fn entry(&mut self, kind: usize, number: u64, lines: u64) -> Option<Entry> {
        let place = self.place(number, lines);
        let entries = &mut self.kinds[kind];
        if place >= entries.len() {
            let more = place + 1 - entries.len();
            if more > self.room {
                self.unrecorded += 1;
                return None;
            }
            self.room -= more;
            entries.resize(place + 1, Entry::default());
        }
        Some(entries[place])
    }

    fn put(&mut self, kind: usize, number: u64, lines: u64, entry: Entry) {
        let place = self.place(number, lines);
        self.kinds[kind][place] = entry;
    }

    fn add_up(&mut self, told: &Told<'_>) {
        if !told.holds() {
            return;
        }
        for shipment in &told.shipments {
            let mut add = |line: &Line<'_>, sign: i64| {
                if !self.cells.contains_key(&*line.sku) {
                    self.cells.insert(line.sku.clone().into_owned(), HashMap::new());
                }
                let Some(of_sku) = self.cells.get_mut(&*line.sku) else { return };
                match of_sku.get_mut(&*shipment.warehouse) {
                    Some(units) => *units += sign * line.quantity,
                    None if self.cell_count >= CELLS_MAX => self.unrecorded += 1,
                    None => {
                        self.cell_count += 1;
                        of_sku.insert(shipment.warehouse.clone().into_owned(), sign * line.quantity);
                    }
                }
            };
            shipment.lines.iter().for_each(|line| add(line, 1));
            shipment.shipped.iter().for_each(|line| add(line, -1));
        }
    }

    /// Of all threads: orders in the order of their numbers. `lines`: by kind.
    #[must_use]
    pub fn joined(parts: &[Self], lines: &[u64]) -> Self {
        let mut whole = Self { step: 1, kinds: vec![Vec::new(); lines.len()], ..Self::default() };
        for part in parts {
            whole.unrecorded += part.unrecorded;
            for (kind, entries) in part.kinds.iter().enumerate() {
                let each = lines[kind].max(1) as usize;
                for (place, entry) in entries.iter().enumerate() {
                    let number = ((place / each) * part.step as usize + part.first as usize) * each + place % each;
                    if number >= whole.kinds[kind].len() {
                        whole.kinds[kind].resize(number + 1, Entry::default());
                    }
                    whole.kinds[kind][number] = *entry;
                }
            }
            for (sku, of_sku) in &part.cells {
                let sums = whole.cells.entry(sku.clone()).or_default();
                of_sku.iter().for_each(|(warehouse, units)| *sums.entry(warehouse.clone()).or_default() += units);
            }
        }
        whole
    }

    /// The orders of a kind by number, `ENTRY_BYTES` each, least byte first.
    #[must_use]
    pub fn bytes(&self, kind: usize) -> Vec<u8> {
        let entries = self.kinds.get(kind).map_or(&[][..], Vec::as_slice);
        let mut out = Vec::with_capacity(entries.len() * ENTRY_BYTES);
        for entry in entries {
            for number in [entry.digest, entry.sent_ms, entry.took_ms] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            out.extend_from_slice(&entry.status.to_le_bytes());
            out.extend_from_slice(&[entry.marks, entry.state]);
        }
        out
    }

    /// Units of the orders that hold stock, where they were added up.
    #[must_use]
    pub fn cells(&self) -> Cells {
        let of_sku = |units: &HashMap<String, i64>| units.iter().map(|(name, units)| (name.clone(), *units)).collect();
        self.cells.iter().map(|(sku, units)| (sku.clone(), of_sku(units))).collect()
    }
}

#[cfg(test)]
mod tests;
