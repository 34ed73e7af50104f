use super::*;

type Pairs<'a> = [(&'a str, Option<&'a [u8]>)];

fn page(pairs: &Pairs) -> Vec<u8> {
    let mut out = Vec::new();
    crate::record::array(&mut out, 2 * pairs.len());
    for (name, value) in pairs {
        crate::record::text(&mut out, name);
        match value {
            Some(value) => crate::record::bytes(&mut out, value),
            None => out.push(0xc2),
        }
    }
    out
}

fn books(columns: &[(&str, &Pairs)]) -> Books {
    let mut books = Books::new(0, 1);
    for (column, pairs) in columns {
        books.put(column, &page(pairs)).unwrap();
    }
    books
}

fn kinds(books: &Books) -> Vec<(&'static str, i64, i64)> {
    let found = books.compare(&Bounds::default(), 0, 100);
    assert_eq!(found.differences, found.rows.len());
    found.rows.iter().map(|row| (row.kind, row.expected, row.found)).collect()
}

#[test]
fn cells_that_nobody_holds_balance() {
    let sound = books(&[
        ("free", &[("", Some(b"0")), ("5", Some(b"3")), ("68719476741", Some(b"4"))]),
        ("on_hand", &[("5", Some(b"8"))]),
        ("safety", &[("5", Some(b"1"))]),
    ]);
    assert_eq!(kinds(&sound), []);
    let found = sound.compare(&Bounds::default(), 0, 0);
    assert_eq!((found.cells, found.on_hand, found.free), (1, 8, 7));
}

#[test]
fn a_pool_below_zero_is_named_though_the_sum_agrees() {
    let strange =
        books(&[("free", &[("5", Some(b"10")), ("68719476741", Some(b"-2"))]), ("on_hand", &[("5", Some(b"8"))])]);
    assert_eq!(kinds(&strange), [("negative", 0, -2)]);
}

#[test]
fn pools_that_offer_more_than_there_is_are_named() {
    let strange =
        books(&[("free", &[("5", Some(b"-2")), ("68719476741", Some(b"10"))]), ("on_hand", &[("5", Some(b"8"))])]);
    assert_eq!(kinds(&strange), [("oversold", 8, 10)]);
}

#[test]
fn a_part_and_an_attempt_hold_like_an_order() {
    let part = rmp_serde::to_vec(&(1, [5, 2], [0_u64; 0], [("0:ann", 2)])).unwrap();
    let attempt = rmp_serde::to_vec(&("one", 1, [5, 1], [("0:ann", 1)])).unwrap();
    let held = books(&[
        ("free", &[("5", Some(b"5"))]),
        ("on_hand", &[("5", Some(b"8"))]),
        ("counters", &[("0:ann", Some(b"3"))]),
        ("parts", &[("one", Some(&part))]),
        ("tentative", &[("try", Some(&attempt))]),
        ("leases", &[("try", Some(b"5"))]),
    ]);
    assert_eq!(kinds(&held), []);
    assert_eq!(held.compare(&Bounds::default(), 20_000, 9).rows[0].kind, "lease");
    let bounds = Bounds { purchase_limits: HashMap::from([(0, 2)]), ..Bounds::default() };
    let found = held.compare(&bounds, 0, 9);
    assert_eq!((found.differences, found.rows[0].kind), (0, "beyond"));
}

#[test]
fn what_is_gone_counts_no_more() {
    let mut held = books(&[("counters", &[("0:ann", Some(b"3"))]), ("holds", &[("one", Some(b"5"))])]);
    assert_eq!(kinds(&held), [("limit", 0, 3), ("hold", 0, 5)]);
    held.put("counters", &page(&[("0:ann", None)])).unwrap();
    held.put("holds", &page(&[("one", None)])).unwrap();
    assert_eq!(kinds(&held), []);
}

#[test]
fn a_value_that_cannot_be_read_is_named_until_it_can() {
    let mut torn = books(&[("quarantined", &[("5", Some(b"many"))]), ("inbound", &[("5", Some(b"\xc1"))])]);
    assert_eq!(kinds(&torn), [("unreadable", 0, 0), ("unreadable", 0, 0)]);
    torn.put("quarantined", &page(&[("5", Some(b"1"))])).unwrap();
    torn.put("inbound", &page(&[("5", None)])).unwrap();
    assert_eq!(kinds(&torn), []);
}

#[test]
fn what_is_written_for_a_part_is_read_back() {
    let part = Part { version: 3, held: vec![(5, 2)], shipped: vec![(5, 1)], counters: vec![("0:ann".into(), 3)] };
    assert_eq!(Part::read(&part.bytes()).unwrap(), part);
}

proptest::proptest! {
    #![proptest_config(crate::fixture::cases(500))]

    #[test]
    fn random_pages_and_values_never_panic(noise in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
        let mut books = Books::new(0, 1);
        for column in COLUMNS {
            let _ = books.put(column, &noise);
            books.put(column, &page(&[("5", Some(&noise))])).unwrap();
        }
        let _ = books.compare(&Bounds::default(), 0, 10);
    }
}
