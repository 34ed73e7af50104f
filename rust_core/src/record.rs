//! The reservation's record, as the store keeps it. The layout is told once, in the store's function library:
//! `format u8 | status u8 | version u32 | reserved_ms u64 | expires_ms u64 | fingerprint | body`, network byte order;
//! this module packs new ones and reads all of them back, the functions change them.

use rmp::encode;
use serde::Deserialize;

use crate::cost::LocalDay;
use crate::goods::{Goods, StoredGoods};
use crate::ids::{CellId, SHARED, SkuId, WAREHOUSES_MAX, WarehouseId, channel_of, split_cell_id};
use crate::order::FINGERPRINT_BYTES;
use crate::planner::{Plan, Shipment};

/// Bytes before the fingerprint.
pub const HEAD_BYTES: usize = 22;
const FORMAT: u8 = 2;

/// Where a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Held for an order that is not paid yet.
    Reserved = 1,
    /// Held for good.
    Confirmed = 2,
    /// Part of it has left.
    PartiallyShipped = 3,
    /// All of it has left.
    Shipped = 4,
    /// Given back.
    Released = 5,
    /// Given back because its time ran out.
    Expired = 6,
    /// Waits for stock, and holds none.
    Backordered = 7,
}

impl Status {
    const ALL: [Self; 7] = [
        Self::Reserved,
        Self::Confirmed,
        Self::PartiallyShipped,
        Self::Shipped,
        Self::Released,
        Self::Expired,
        Self::Backordered,
    ];

    /// Its name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Confirmed => "confirmed",
            Self::PartiallyShipped => "partially_shipped",
            Self::Shipped => "shipped",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Backordered => "backordered",
        }
    }

    /// Whether its units count as reserved.
    #[must_use]
    pub fn holds_stock(self) -> bool {
        matches!(self, Self::Reserved | Self::Confirmed | Self::PartiallyShipped)
    }
}

/// A reservation as read back.
#[derive(Debug)]
pub struct Record {
    /// Where it stands.
    pub status: Status,
    /// Counts its changes, from 1.
    pub version: u32,
    /// When it was made, by the store's clock, in milliseconds since 1970.
    pub reserved_ms: u64,
    /// When its hold ends; 0 for none.
    pub expires_ms: u64,
    /// What holds stock.
    pub shipments: Vec<Shipment>,
    /// What it goes without.
    pub unfilled: Vec<(SkuId, i64)>,
    /// What comes for bundles and instead of what was ordered.
    pub goods: Goods,
    /// Purchase-limit counters and units.
    pub counters: Vec<(String, i64)>,
    /// Of all its amounts.
    pub currency: String,
    /// The policy it was planned by; see [`crate::policy::Label`].
    pub policy: String,
    /// The order; as it was hashed, unless it was amended.
    pub canonical: Vec<u8>,
    /// Cells and units that have left.
    pub shipped: Vec<(CellId, i64)>,
    /// Ids of the transitions that it went through, the oldest first.
    pub transitions: Vec<String>,
    /// Of the order as it came.
    pub fingerprint: [u8; FINGERPRINT_BYTES],
}

impl Record {
    /// Cells and units that it holds: of its shipments, less what was shipped; nothing once it is over.
    #[must_use]
    pub fn held(&self) -> Vec<(CellId, i64)> {
        if !self.status.holds_stock() {
            return Vec::new();
        }
        let of_shipments = self.shipments.iter().flat_map(Shipment::takes);
        let left = |(cell, quantity): (CellId, i64)| {
            let gone: i64 = self.shipped.iter().filter(|(of, _)| *of == cell).map(|(_, units)| units).sum();
            (cell, quantity.saturating_sub(gone))
        };
        of_shipments.map(left).filter(|&(_, units)| units != 0).collect()
    }
}

/// Packs a head.
#[must_use]
pub fn head(status: Status, version: u32, reserved_ms: u64, expires_ms: u64) -> [u8; HEAD_BYTES] {
    let mut out = [0; HEAD_BYTES];
    (out[0], out[1]) = (FORMAT, status as u8);
    out[2..6].copy_from_slice(&version.to_be_bytes());
    out[6..14].copy_from_slice(&reserved_ms.to_be_bytes());
    out[14..22].copy_from_slice(&expires_ms.to_be_bytes());
    out
}

/// Packs fingerprint and body of an order of which nothing has left; `transitions` are those that it begins with.
pub fn pack(
    fingerprint: &[u8; FINGERPRINT_BYTES],
    plan: &Plan,
    counters: &[(&str, i64)],
    currency: &str,
    canonical: &[u8],
    transitions: &[&str],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(FINGERPRINT_BYTES + 64 + 24 * plan.shipments.len() + canonical.len());
    out.extend_from_slice(fingerprint);
    array(&mut out, parts(&plan.goods));
    array(&mut out, plan.shipments.len());
    for shipment in &plan.shipments {
        let told = (shipment.carrier.as_deref().unwrap_or(""), shipment.promised.unwrap_or(UNKNOWN_DAY));
        begin_shipment(&mut out, shipment.warehouse, shipment.cost, shipment.metres, told);
        array(&mut out, 2 * shipment.takes().count());
        for (cell, quantity) in shipment.takes() {
            uint(&mut out, cell);
            uint(&mut out, quantity.unsigned_abs());
        }
        end_shipment(&mut out, told);
    }
    array(&mut out, 2 * plan.unfilled.len());
    for &(sku, quantity) in &plan.unfilled {
        uint(&mut out, u64::from(sku));
        uint(&mut out, quantity.unsigned_abs());
    }
    array(&mut out, counters.len());
    for &(name, quantity) in counters {
        array(&mut out, 2);
        text(&mut out, name);
        uint(&mut out, quantity.unsigned_abs());
    }
    text(&mut out, currency);
    text(&mut out, &plan.selected.label);
    bytes(&mut out, canonical);
    array(&mut out, 0);
    array(&mut out, transitions.len());
    transitions.iter().for_each(|id| text(&mut out, id));
    if !plan.goods.is_empty() {
        plan.goods.pack(&mut out);
    }
    out
}

/// Stands for a day that is not known, as no day of a sale does.
pub(crate) const UNKNOWN_DAY: LocalDay = 0;

/// Begins a shipment: all that stands before its cells. Of carrier and promised day nothing is kept where neither is known,
/// as in records of releases that knew neither.
pub fn begin_shipment(out: &mut Vec<u8>, warehouse: WarehouseId, cost: i64, metres: u32, told: (&str, LocalDay)) {
    array(out, if told == ("", UNKNOWN_DAY) { 4 } else { 6 });
    uint(out, u64::from(warehouse));
    uint(out, cost.unsigned_abs());
    uint(out, u64::from(metres));
}

/// Ends a shipment behind its cells.
pub fn end_shipment(out: &mut Vec<u8>, told: (&str, LocalDay)) {
    if told != ("", UNKNOWN_DAY) {
        text(out, told.0);
        let _ = encode::write_sint(out, i64::from(told.1));
    }
}

/// Parts of a body: the last one only where it says anything, as there was none at first.
#[must_use]
pub fn parts(goods: &Goods) -> usize {
    if goods.is_empty() { 8 } else { 9 }
}

/// Reads a record; the message says what is wrong with it.
pub fn unpack(record: &[u8]) -> Result<Record, String> {
    let wrong = |what: &str| Err(format!("reservation record: {what}"));
    let Some((head, rest)) = record.split_at_checked(HEAD_BYTES) else {
        return wrong("shorter than its head");
    };
    let Some((fingerprint, body)) = rest.split_first_chunk::<FINGERPRINT_BYTES>() else {
        return wrong("shorter than its fingerprint");
    };
    if head[0] != FORMAT {
        return wrong(&format!("format {} is not known, only {FORMAT}", head[0]));
    }
    let Some(status) = Status::ALL.into_iter().find(|status| *status as u8 == head[1]) else {
        return wrong(&format!("status {} is not known", head[1]));
    };
    let body: Body = rmp_serde::from_slice(body).map_err(|error| format!("reservation record: {error}"))?;
    let mut shipments = Vec::with_capacity(body.0.len());
    for StoredShipment(warehouse, cost, metres, cells, carrier, promised) in body.0 {
        if warehouse >= WAREHOUSES_MAX {
            return wrong("a warehouse number is out of range");
        }
        if cells.len() % 2 == 1 {
            return wrong("a cell without its units");
        }
        let pooled = cells.chunks_exact(2).any(|pair| channel_of(pair[0]) != SHARED);
        let mut lines: Vec<(SkuId, i64)> = Vec::with_capacity(cells.len() / 2);
        let mut takes = Vec::with_capacity(if pooled { cells.len() / 2 } else { 0 });
        for pair in cells.chunks_exact(2) {
            let (sku, quantity) = match (split_cell_id(pair[0]), i64::try_from(pair[1])) {
                (Some((sku, of)), Ok(quantity)) if of == warehouse => (sku, quantity),
                _ => return wrong("a cell number or its units are out of range, or a cell is of another warehouse"),
            };
            if pooled {
                takes.push((pair[0], quantity));
            }
            match lines.iter_mut().find(|(of, _)| pooled && *of == sku) {
                Some((_, units)) => *units = units.saturating_add(quantity),
                None => lines.push((sku, quantity)),
            }
        }
        let carrier = (!carrier.is_empty()).then(|| carrier.into());
        let promised = (promised != UNKNOWN_DAY).then_some(promised);
        shipments.push(Shipment { warehouse, cost, metres, lines, cells: takes, carrier, promised });
    }
    if body.1.len() % 2 == 1 {
        return wrong("an unfilled SKU without its units");
    }
    let mut unfilled = Vec::with_capacity(body.1.len() / 2);
    for pair in body.1.chunks_exact(2) {
        let Ok(sku) = SkuId::try_from(pair[0]) else {
            return wrong("a SKU number is out of range");
        };
        unfilled.push((sku, pair[1]));
    }
    if body.6.len() % 2 == 1 {
        return wrong("a shipped cell without its units");
    }
    let mut shipped = Vec::with_capacity(body.6.len() / 2);
    for pair in body.6.chunks_exact(2) {
        match (split_cell_id(pair[0]), i64::try_from(pair[1])) {
            (Some(_), Ok(units)) => shipped.push((pair[0], units)),
            _ => return wrong("a shipped cell number or its units are out of range"),
        }
    }
    let goods = Goods::try_from(body.8).map_err(|error| format!("reservation record: {error}"))?;
    Ok(Record {
        status,
        version: big_endian(&head[2..6]) as u32,
        reserved_ms: big_endian(&head[6..14]),
        expires_ms: big_endian(&head[14..22]),
        shipments,
        unfilled,
        goods,
        counters: body.2.into_iter().map(|(name, quantity)| (name.to_owned(), quantity)).collect(),
        currency: body.3.to_owned(),
        policy: body.4.to_owned(),
        canonical: body.5.to_vec(),
        shipped,
        transitions: body.7.into_iter().map(str::to_owned).collect(),
        fingerprint: *fingerprint,
    })
}

/// The body's MessagePack array, in its order.
#[derive(Deserialize)]
struct Body<'a>(
    #[serde(borrow)] Vec<StoredShipment<'a>>,
    Vec<i64>,
    #[serde(borrow)] Vec<(&'a str, i64)>,
    &'a str,
    &'a str,
    &'a [u8],
    Vec<CellId>,
    #[serde(borrow)] Vec<&'a str>,
    #[serde(default)] StoredGoods,
);

/// Warehouse, cost, metres, then cell and quantity by turns; carrier and promised day, where either is known.
#[derive(Deserialize)]
struct StoredShipment<'a>(
    WarehouseId,
    i64,
    u32,
    Vec<CellId>,
    #[serde(default, borrow)] &'a str,
    #[serde(default)] LocalDay,
);

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

// Writing to a Vec cannot fail, so the results of these carry nothing.

/// Begins a MessagePack array.
pub fn array(out: &mut Vec<u8>, len: usize) {
    let _ = encode::write_array_len(out, len as u32);
}

/// Writes a MessagePack unsigned integer.
pub fn uint(out: &mut Vec<u8>, value: u64) {
    let _ = encode::write_uint(out, value);
}

/// Writes a MessagePack string.
pub fn text(out: &mut Vec<u8>, value: &str) {
    let _ = encode::write_str(out, value);
}

/// Writes bytes as a MessagePack string: the store's Lua reads no binary, and its strings are bytes.
pub fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    let _ = encode::write_str_len(out, value.len() as u32);
    out.extend_from_slice(value);
}

/// As `bytes`, of parts one behind the other.
pub fn bytes_of(out: &mut Vec<u8>, parts: &[&[u8]]) {
    let _ = encode::write_str_len(out, parts.iter().map(|part| part.len() as u32).sum());
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goods::Substitution;
    use crate::ids::{cell_id, pool_id};
    use crate::policy::Book;

    fn stored(plan: &Plan) -> Vec<u8> {
        let mut record = vec![FORMAT, 2];
        record.extend_from_slice(&7_u32.to_be_bytes());
        record.extend_from_slice(&1_700_000_000_123_u64.to_be_bytes());
        record.extend_from_slice(&0_u64.to_be_bytes());
        record.extend(pack(&[9; 16], plan, &[("3:ann", 2)], "CNY", b"canonical", &["first"]));
        record
    }

    fn plan() -> Plan {
        Plan {
            shipments: vec![
                Shipment {
                    warehouse: 4000,
                    cost: 1_234,
                    metres: 1_068_472,
                    lines: vec![(3, 2), (70_000, 1)],
                    carrier: Some("east post".into()),
                    promised: Some(20_770),
                    ..Shipment::default()
                },
                Shipment { warehouse: 1, lines: vec![(3, 1_000_000)], ..Shipment::default() },
                Shipment { warehouse: 2, lines: vec![(3, 1)], promised: Some(-1), ..Shipment::default() },
            ],
            unfilled: vec![(8, 5)],
            goods: Goods::default(),
            selected: Book::default().named("nearest").unwrap().clone(),
            proven: false,
        }
    }

    #[test]
    fn what_was_packed_is_read_back() {
        let record = unpack(&stored(&plan())).unwrap();
        assert_eq!(record.status, Status::Confirmed);
        assert_eq!((record.version, record.reserved_ms, record.expires_ms), (7, 1_700_000_000_123, 0));
        assert_eq!(record.shipments, plan().shipments);
        assert_eq!(record.unfilled, plan().unfilled);
        assert_eq!(record.counters, [("3:ann".to_owned(), 2)]);
        assert_eq!((record.currency.as_str(), record.policy.as_str()), ("CNY", "nearest@built-in"));
        assert_eq!(record.canonical, b"canonical");
        assert_eq!((record.shipped.len(), record.transitions.as_slice()), (0, &["first".to_owned()][..]));
        assert_eq!(record.fingerprint, [9; 16]);
    }

    /// Releases that knew neither carriers nor promises wrote four parts, and this one does where it knows neither.
    #[test]
    fn a_shipment_without_carrier_and_day_is_as_it_always_was() {
        let mut old = Vec::new();
        begin_shipment(&mut old, 1, 7, 9, ("", UNKNOWN_DAY));
        array(&mut old, 0);
        end_shipment(&mut old, ("", UNKNOWN_DAY));
        assert_eq!(old, rmp_serde::to_vec(&(1, 7, 9, [0_u64; 0])).unwrap());
        let four: StoredShipment = rmp_serde::from_slice(&old).unwrap();
        assert_eq!((four.4, four.5), ("", UNKNOWN_DAY));
    }

    /// Orders that it says nothing of are kept as they always were.
    #[test]
    fn what_comes_instead_is_a_part_of_its_own() {
        let instead = Substitution { sku: 1, by: 3, units: 2 };
        let goods = Goods { substitutions: vec![instead], expected_day: 9, ..Goods::default() };
        let with = stored(&Plan { goods: goods.clone(), ..plan() });
        let plain = stored(&plan());
        let parts = HEAD_BYTES + FINGERPRINT_BYTES;
        assert_eq!((plain[parts], with[parts]), (0x98, 0x99));
        assert_eq!(with[parts + 1..plain.len()], plain[parts + 1..]);
        assert_eq!(unpack(&with).unwrap().goods, goods);
        assert!(unpack(&plain).unwrap().goods.is_empty());
        for length in plain.len()..with.len() {
            assert!(unpack(&with[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn an_order_that_waits_holds_nothing() {
        let mut record = unpack(&stored(&plan())).unwrap();
        assert_eq!(record.held().len(), 4);
        record.status = Status::Backordered;
        assert!(record.held().is_empty());
    }

    #[test]
    fn a_line_from_pool_and_rest_is_one_line_and_two_cells() {
        let cells = vec![(pool_id(3, 5, 1), 2), (cell_id(5, 1), 4), (cell_id(6, 1), 1)];
        let lines = vec![(5, 6), (6, 1)];
        let shipment = Shipment { warehouse: 1, cost: 9, lines, cells: cells.clone(), ..Shipment::default() };
        let mut record = unpack(&stored(&Plan { shipments: vec![shipment.clone()], ..plan() })).unwrap();
        assert_eq!(record.shipments, [shipment]);
        assert_eq!(record.held(), cells);
        record.shipped = vec![(pool_id(3, 5, 1), 2), (cell_id(5, 1), 1)];
        assert_eq!(record.held(), [(cell_id(5, 1), 3), (cell_id(6, 1), 1)]);
    }

    #[test]
    fn every_torn_or_strange_record_is_an_error_and_no_panic() {
        let whole = stored(&plan());
        for length in 0..whole.len() {
            assert!(unpack(&whole[..length]).is_err(), "{length} bytes");
        }
        let mut strange = whole.clone();
        strange[0] = 9;
        assert!(unpack(&strange).unwrap_err().contains("format 9"));
        let mut strange = whole;
        strange[1] = 0;
        assert!(unpack(&strange).unwrap_err().contains("status 0"));
    }

    /// A record of one shipment and of unfilled lines with these numbers in it.
    fn with_numbers(warehouse: u32, cells: &[u64], unfilled: &[i64]) -> Result<Record, String> {
        let mut record = vec![0; HEAD_BYTES + FINGERPRINT_BYTES];
        (record[0], record[1]) = (FORMAT, 2);
        let none: [(&str, i64); 0] = [];
        let (shipped, transitions): ([u64; 0], [&str; 0]) = ([], []);
        let body = ([(warehouse, 0, 0, cells)], unfilled, none, "CNY", "cheapest", "", shipped, transitions);
        record.extend(rmp_serde::to_vec(&body).unwrap());
        unpack(&record)
    }

    #[test]
    fn numbers_that_do_not_fit_together_are_an_error() {
        let cell = cell_id(3, 1);
        let whole = with_numbers(1, &[cell, 2], &[8, 5]).unwrap().shipments.remove(0);
        assert_eq!((whole.lines, whole.cells), (vec![(3, 2)], Vec::new()));
        for (warehouse, cells, unfilled, message) in [
            (1, &[cell][..], &[][..], "a cell without its units"),
            (1, &[u64::MAX, 2], &[], "a cell number or its units are out of range"),
            (1, &[pool_id(2, 3, 0), 2], &[], "a cell is of another warehouse"),
            (1, &[cell, u64::MAX], &[], "a cell number or its units are out of range"),
            (1, &[cell, 2], &[8], "an unfilled SKU without its units"),
            (1, &[cell, 2], &[-1, 5], "a SKU number is out of range"),
            (WAREHOUSES_MAX, &[cell, 2], &[], "a warehouse number is out of range"),
        ] {
            let error = with_numbers(warehouse, cells, unfilled).unwrap_err();
            assert!(error.contains(message), "{error} is not {message}");
        }
    }

    proptest::proptest! {
        #![proptest_config(crate::fixture::cases(500))]

        #[test]
        fn random_bodies_and_flipped_bytes_never_panic(
            noise in proptest::collection::vec(proptest::num::u8::ANY, 0..200), place: proptest::sample::Index
        ) {
            let mut record = stored(&plan());
            *place.get_mut(&mut record) = noise.first().copied().unwrap_or_default();
            let _ = unpack(&record);
            record.truncate(HEAD_BYTES + FINGERPRINT_BYTES);
            (record[0], record[1]) = (FORMAT, 2);
            record.extend(&noise);
            proptest::prop_assert!(unpack(&record).is_err());
        }
    }
}
