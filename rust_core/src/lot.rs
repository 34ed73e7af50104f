//! A lot: orders that came together, a line of JSON each, and what becomes of each of them. The commonest answer, that
//! stock is held, is written here; all else is told outside.

use std::ops::Range;

use crate::order::Order;
use crate::order_json::canonical;

/// Bytes of an order's line: `engine.model.limits.ORDER_BYTES_MAX`.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// An order of a lot.
#[derive(Debug, Default)]
struct Row {
    /// Its line in the text, without what ends it.
    line: Range<usize>,
    /// Its canonical bytes; empty while it has none.
    canonical: Range<usize>,
    home: u32,
    /// The answer; empty while there is none.
    answer: Range<usize>,
}

/// Orders that came together. The text holds whole lines; empty ones are no orders.
#[derive(Debug, Default)]
pub struct Lot {
    rows: Vec<Row>,
    canonical: Vec<u8>,
    answers: Vec<u8>,
    partitions: u32,
    reserved: usize,
}

impl Lot {
    /// Reads lines of text, their ends left out or not; of one channel, if one is given: orders that do not name it are
    /// declined.
    #[must_use]
    pub fn read(lines: &[u8], partitions: u32, channel: Option<&str>) -> Self {
        let mut lot = Self { partitions: partitions.max(1), ..Self::default() };
        lot.canonical.reserve(lines.len());
        // Once for all: a line of text that is all text is text.
        let text = std::str::from_utf8(lines).ok();
        let mut from = 0;
        while from < lines.len() {
            let end = lines[from..].iter().position(|&byte| byte == b'\n').map_or(lines.len(), |length| from + length);
            let line = from..end;
            from = end + 1;
            if lines[line.clone()].trim_ascii().is_empty() {
                continue;
            }
            let start = lot.canonical.len();
            let one = match text {
                Some(text) => text.get(line.clone()),
                None => std::str::from_utf8(&lines[line.clone()]).ok(),
            };
            let order_id = one
                .filter(|one| one.len() <= LINE_BYTES_MAX)
                .and_then(|one| canonical(one, channel, &mut lot.canonical));
            let home = order_id.map_or(0, |order_id| home_of(order_id, lot.partitions));
            lot.rows.push(Row { line, canonical: start..lot.canonical.len(), home, answer: 0..0 });
        }
        lot
    }

    /// How many orders.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Places and lines of what could not be read as it stands.
    pub fn declined(&self) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
        let declined = |(_, row): &(usize, &Row)| row.canonical.is_empty();
        self.rows.iter().enumerate().filter(declined).map(|(place, row)| (place, row.line.clone()))
    }

    /// Gives an order its canonical bytes, read elsewhere; whether there is such a place.
    pub fn put(&mut self, place: usize, canonical: &[u8]) -> bool {
        let Ok(order) = Order::decode(canonical) else { return false };
        let home = home_of(order.order_id, self.partitions);
        let Some(row) = self.rows.get_mut(place) else { return false };
        row.canonical = self.canonical.len()..self.canonical.len() + canonical.len();
        row.home = home;
        self.canonical.extend_from_slice(canonical);
        true
    }

    /// Canonical bytes and home of an order; `None` where there is none, or nothing to plan.
    #[must_use]
    pub fn order(&self, place: usize) -> Option<(&[u8], u32)> {
        let row = self.rows.get(place).filter(|row| !row.canonical.is_empty())?;
        Some((&self.canonical[row.canonical.clone()], row.home))
    }

    /// The id of an order; `None` where there is none, or nothing to plan.
    #[must_use]
    pub fn order_id(&self, place: usize) -> Option<&str> {
        self.order(place).and_then(|(canonical, _)| Order::decode(canonical).ok()).map(|order| order.order_id)
    }

    /// Of the orders from one place to another, those that are no more than so many, nor begin beyond so many bytes: the
    /// place after them, and their bytes.
    #[must_use]
    pub fn end_of(&self, from: usize, to: usize, orders_max: usize, bytes_max: usize) -> (usize, usize) {
        let (mut end, mut bytes) = (from, 0);
        while end < to.min(self.rows.len()) && end - from < orders_max && bytes < bytes_max {
            bytes += self.rows[end].canonical.len();
            end += 1;
        }
        (end, bytes)
    }

    /// Notes that an order's stock is held: its Allocation as JSON.
    pub fn reserved(&mut self, place: usize, allocation: &[u8]) {
        if let Some(row) = self.rows.get_mut(place).filter(|row| row.answer.is_empty()) {
            let start = self.answers.len();
            self.answers.extend_from_slice(b"{\"outcome\":\"reserved\",");
            self.answers.extend_from_slice(allocation.get(1..).unwrap_or_default());
            self.answers.push(b'\n');
            row.answer = start..self.answers.len();
            self.reserved += 1;
        }
    }

    /// How many orders' stock is known to be held.
    #[must_use]
    pub fn reserved_count(&self) -> usize {
        self.reserved
    }

    /// The line of an order whose stock is held; empty where it is not.
    #[must_use]
    pub fn answer(&self, place: usize) -> &[u8] {
        self.rows.get(place).map_or(&[], |row| &self.answers[row.answer.clone()])
    }

    /// Whether an order's stock is known to be held.
    #[must_use]
    pub fn is_reserved(&self, place: usize) -> bool {
        !self.answer(place).is_empty()
    }

    /// The answers as lines in the order of the lot; `told`, by rising place, are those that were written outside.
    #[must_use]
    pub fn answers(&self, told: &[(usize, &[u8])]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.answers.len() + told.iter().map(|(_, line)| line.len()).sum::<usize>());
        let mut told = told.iter().peekable();
        for (place, row) in self.rows.iter().enumerate() {
            match told.next_if(|(at, _)| *at == place) {
                Some((_, line)) => out.extend_from_slice(line),
                None => out.extend_from_slice(&self.answers[row.answer.clone()]),
            }
        }
        out
    }
}

/// The partition that decides about an order, as `engine/store/keys.py` has it: CRC-32 of the name before the first slash.
fn home_of(order_id: &str, partitions: u32) -> u32 {
    if partitions == 1 {
        return 0;
    }
    let name = order_id.split('/').next().unwrap_or_default();
    let mut crc = u32::MAX;
    for byte in name.bytes() {
        crc = CRC_32[((crc ^ u32::from(byte)) & 0xff) as usize] ^ (crc >> 8);
    }
    !crc % partitions
}

const CRC_32: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut value, mut bit) = (byte as u32, 0);
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn order(order_id: &str) -> String {
        format!(r#"{{"order_id":"{order_id}","ship_to":{{"lat":1,"lon":2}},"lines":[{{"sku":"s","quantity":1}}]}}"#)
    }

    #[test]
    fn a_bad_line_spoils_itself_alone_and_empty_lines_nothing() {
        let mut text = format!("{}\n\n \r\n{{\n", order("a")).into_bytes();
        text.extend([0xff, b'\n']);
        text.extend(order("b").into_bytes());
        let lot = Lot::read(&text, 1, None);
        assert_eq!(lot.len(), 4);
        assert_eq!(lot.declined().map(|(place, _)| place).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(&text[lot.declined().next().unwrap().1], b"{");
        let id = |place| lot.order(place).map(|(bytes, _)| Order::decode(bytes).unwrap().order_id.to_owned());
        assert_eq!([id(0), id(1), id(2), id(3), id(4)], [Some("a".into()), None, None, Some("b".into()), None]);
    }

    #[test]
    fn answers_come_in_the_order_of_the_lines() {
        let mut lot = Lot::read(format!("{}\nx\n{}\n", order("a"), order("b")).as_bytes(), 1, None);
        lot.reserved(2, br#"{"order_id":"b"}"#);
        lot.reserved(0, br#"{"order_id":"a"}"#);
        assert!(lot.is_reserved(0) && !lot.is_reserved(1) && !lot.is_reserved(9));
        let lines = lot.answers(&[(1, b"bad\n")]);
        let expected =
            "{\"outcome\":\"reserved\",\"order_id\":\"a\"}\nbad\n{\"outcome\":\"reserved\",\"order_id\":\"b\"}\n";
        assert_eq!(String::from_utf8(lines).unwrap(), expected);
    }

    #[test]
    fn what_was_read_elsewhere_takes_its_place() {
        let mut lot = Lot::read(b"{\n", 7, None);
        let other = Lot::read(order("a/b").as_bytes(), 7, None);
        let (bytes, home) = other.order(0).unwrap();
        assert!(lot.put(0, bytes) && !lot.put(1, bytes) && !lot.put(0, b"strange"));
        assert_eq!(lot.order(0), Some((bytes, home)));
        assert_eq!(lot.declined().count(), 0);
    }

    #[test]
    fn an_order_is_at_home_where_its_parent_is() {
        // As zlib.crc32 has them.
        assert_eq!((!0_u32 ^ u32::MAX, home_of("123456789", u32::MAX)), (0, 0xcbf4_3926));
        assert_eq!(home_of("123456789/x", u32::MAX), 0xcbf4_3926);
        assert_eq!(home_of("a", 1), 0);
    }

    #[test]
    fn a_share_of_a_lot_is_bounded_in_orders_and_bytes() {
        let text: String = (0..10).map(|number| order(&number.to_string()) + "\n").collect();
        let lot = Lot::read(text.as_bytes(), 1, None);
        let each = lot.order(0).unwrap().0.len();
        let all = usize::MAX;
        assert_eq!((lot.end_of(0, 10, 3, all), lot.end_of(8, 10, 3, all)), ((3, 3 * each), (10, 2 * each)));
        assert_eq!((lot.end_of(2, 10, 9, 1), lot.end_of(2, 10, 9, each + 1)), ((3, each), (4, 2 * each)));
        assert_eq!((lot.end_of(4, 5, all, all), lot.end_of(10, 10, 3, 1)), ((5, each), (10, 0)));
    }
}
