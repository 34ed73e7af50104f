//! Random batches and random replies: what the view holds afterwards, and that no reply is worth a panic.

use proptest::prelude::*;

use super::*;
use crate::record::HEAD_BYTES;

const SKUS: u32 = 3;
const WAREHOUSES: u32 = 3;

/// Lines, customer, whether pending, whether a part will do.
type Wanted = (Vec<(u32, i64)>, Option<u8>, bool, bool);

fn wanted() -> impl Strategy<Value = Vec<Wanted>> {
    let lines = prop::collection::vec((0..SKUS, 1_i64..5), 1..=3);
    prop::collection::vec((lines, prop::option::of(0_u8..2), any::<bool>(), any::<bool>()), 1..=10)
}

fn stock() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(0_i64..12, (SKUS * WAREHOUSES) as usize)
}

/// The last SKU has a purchase limit.
fn network(stock: &[i64]) -> Planner {
    let places = [warehouse(0.0), warehouse(1.0), warehouse(2.0)];
    let rows: Vec<&[i64]> = stock.chunks_exact(WAREHOUSES as usize).collect();
    let mut planner = planner(&places, &rows);
    assert!(planner.catalogue.put_sku(
        SKUS - 1,
        "s2",
        SkuTerms { weight_g: 1, purchase_limit: 4, ..SkuTerms::default() }
    ));
    planner
}

fn orders(wanted: &[Wanted]) -> Vec<Vec<u8>> {
    let fields = wanted.iter().enumerate().map(|(number, (units, customer, pending, partial))| {
        json!({
            "order_id": format!("o{number}"),
            "lines": lines(units),
            "customer": customer.map(|customer| format!("c{customer}")),
            "payment": if *pending { "pending" } else { "cod" },
            "allow_partial": partial,
        })
    });
    fields.map(order).collect()
}

/// Units free, by SKU and then by warehouse.
fn view(planner: &Planner) -> Vec<i64> {
    let cells = (0..SKUS).flat_map(|sku| (0..WAREHOUSES).map(move |warehouse| (sku, warehouse)));
    cells.map(|(sku, warehouse)| planner.view.free(sku, warehouse)).collect()
}

fn at(cell: CellId) -> usize {
    let (sku, warehouse) = split_cell_id(cell).unwrap();
    (sku * WAREHOUSES + warehouse) as usize
}

proptest! {
    #![proptest_config(crate::fixture::cases(600))]

    /// The arguments, the records in them and the view say the same.
    #[test]
    fn arguments_decode_to_what_was_planned(stock in stock(), wanted in wanted()) {
        let mut planner = network(&stock);
        let orders = orders(&wanted);
        let (batch, decided) = planner.plan_batch(&intakes(&orders));
        let commit = Commit::of(&batch);
        prop_assert_eq!(batch.sent.len() + batch.waiting.len() + decided.len(), orders.len());
        let counter_units = commit.counter_units();
        let mut taken = vec![0; commit.cells.len() + counter_units.len()];
        for (place, (takes, sent)) in commit.takes.iter().zip(&batch.sent).enumerate() {
            let record = record::unpack(&commit.record(place)).unwrap();
            let canonical = &orders[sent.index as usize];
            prop_assert_eq!(&record.canonical, canonical);
            prop_assert_eq!(&commit.records[place][HEAD_BYTES..HEAD_BYTES + 16], &fingerprint(canonical)[..]);
            let order = Order::decode(canonical).unwrap();
            prop_assert_eq!(&commit.ids[place], order.order_id);
            let hold = commit.holds.iter().find(|hold| hold.0 == place).map(|hold| hold.1);
            prop_assert_eq!(hold, order.hold_ms());
            let shipped = record.shipments.iter().flat_map(|shipment| {
                shipment.lines.iter().map(|&(sku, units)| (cell_id(sku, shipment.warehouse), units))
            });
            let (cells, counters): (Takes, Takes) = takes.iter().copied().partition(|take| take.0 < commit.cells.len());
            prop_assert!(shipped.eq(cells.iter().map(|take| (commit.cells[take.0], take.1))));
            let counted = counters.iter().map(|take| (batch.counters[take.0 - commit.cells.len()].name.clone(), take.1));
            prop_assert!(record.counters.iter().cloned().eq(counted));
            takes.iter().for_each(|take| taken[take.0] += take.1);
        }
        prop_assert!(taken.iter().eq(commit.units.iter().chain(counter_units)));
        let mut left = stock.clone();
        commit.cells.iter().zip(&commit.units).for_each(|(&cell, &units)| left[at(cell)] -= units);
        prop_assert!(left.iter().all(|&free| free >= 0));
        prop_assert_eq!(view(&planner), left);
    }

    #[test]
    fn accepted_orders_stay_taken_and_an_abandoned_batch_is_given_back(stock in stock(), wanted in wanted()) {
        let mut planner = network(&stock);
        let orders = orders(&wanted);
        let (batch, _) = planner.plan_batch(&intakes(&orders));
        planner.abandon(&batch);
        prop_assert_eq!(view(&planner), stock.clone());
        let (mut batch, _) = planner.plan_batch(&intakes(&orders));
        let planned = view(&planner);
        // Without levels, where the batch did not ask for them.
        if !batch.wants_levels {
            let settled = settle(&mut planner, &mut batch, &reply(b"", b"", &[])).unwrap();
            prop_assert!(settled.iter().all(|(_, outcome)| matches!(outcome, Outcome::Reserved(_))));
        }
        prop_assert_eq!(view(&planner), planned);
    }

    /// Whatever mix of letters: each order gets its outcome, and the view ends with the store's levels.
    #[test]
    fn every_letter_has_its_outcome_and_levels_are_the_stores(
        stock in stock(), wanted in wanted(), draws in prop::collection::vec((0_usize..5, -3_i64..20), 60)
    ) {
        let mut planner = network(&stock);
        let orders = orders(&wanted);
        let (mut batch, _) = planner.plan_batch(&intakes(&orders));
        let commit = Commit::of(&batch);
        let letters: Vec<u8> = batch.sent.iter().zip(&draws).map(|(sent, draw)| match b"ARCSL"[draw.0] {
            b'L' if sent.counters.is_empty() => b'S',
            letter => letter,
        }).collect();
        let records: Vec<Vec<u8>> =
            (0..letters.len()).filter(|&place| letters[place] == b'R').map(|place| commit.record(place)).collect();
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        let counters = commit.counter_units().len();
        let levels: Vec<i64> = draws[..commit.cells.len() + counters].iter().map(|draw| draw.1).collect();
        let settled = settle(&mut planner, &mut batch, &reply(&letters, &packed(&levels), &records)).unwrap();
        prop_assert_eq!(settled.len(), letters.len() + batch.waiting.len());
        for (place, (index, outcome)) in settled.iter().enumerate() {
            let Some(letter) = letters.get(place) else {
                let again = matches!(outcome, Outcome::Again { fresh: true });
                prop_assert!(again && batch.waiting.contains(index));
                continue;
            };
            prop_assert_eq!(*index, batch.sent[place].index);
            let fits = match letter {
                b'A' => matches!(outcome, Outcome::Reserved(_)),
                b'R' => match outcome {
                    Outcome::Replayed(json) => {
                        let answer: Value = serde_json::from_slice(json).unwrap();
                        let held = commit.holds.iter().any(|hold| hold.0 == place);
                        let status = if held { "reserved" } else { "confirmed" };
                        answer["order_id"] == commit.ids[place] && answer["status"] == status
                    }
                    _ => false,
                },
                b'C' => matches!(outcome, Outcome::Conflict),
                b'L' => matches!(outcome, Outcome::Limit(_)),
                _ => matches!(outcome, Outcome::Again { fresh: false }),
            };
            prop_assert!(fits, "{}: {:?}", char::from(*letter), outcome);
        }
        let mut expected = stock.clone();
        commit.cells.iter().zip(&levels).for_each(|(&cell, &level)| expected[at(cell)] = level);
        prop_assert_eq!(view(&planner), expected);
    }

    /// Random bytes instead of a reply, or of one part of it: an error gives everything back, nothing panics.
    #[test]
    fn no_reply_is_worth_a_panic(
        stock in stock(), wanted in wanted(), part in 0_usize..5,
        noise in prop::collection::vec(any::<u8>(), 0..80), now_ms in any::<u64>()
    ) {
        let mut planner = network(&stock);
        let orders = orders(&wanted);
        let (mut batch, _) = planner.plan_batch(&intakes(&orders));
        let commit = Commit::of(&batch);
        let letters = vec![b'R'; batch.len()];
        let records: Vec<Vec<u8>> = (0..batch.len()).map(|place| commit.record(place)).collect();
        let mut records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        let levels = packed(&vec![7; commit.cells.len() + commit.counter_units().len()]);
        let mut reply = Reply { now_ms, ..reply(&letters, &levels, &[]) };
        match part {
            0 => reply.outcomes = &noise,
            1 => reply.levels = &noise,
            2 => reply.event = &noise,
            3 => records.fill(&noise),
            _ => records.push(&noise),
        }
        reply.records = &records;
        if settle(&mut planner, &mut batch, &reply).is_err() {
            prop_assert_eq!(view(&planner), stock);
        }
    }

    /// Random bytes, and orders with some bytes changed, are planned or invalid.
    #[test]
    fn no_order_is_worth_a_panic(
        wanted in wanted(), noise in prop::collection::vec(any::<u8>(), 0..120),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let mut planner = network(&[5; 9]);
        let mut orders = orders(&wanted);
        for order in &mut orders {
            changes.iter().for_each(|(place, byte)| *place.get_mut(order) = *byte);
        }
        orders.push(noise);
        let (batch, decided) = planner.plan_batch(&intakes(&orders));
        prop_assert_eq!(batch.sent.len() + batch.waiting.len() + decided.len(), orders.len());
        prop_assert!(view(&planner).iter().all(|&free| (0..=5).contains(&free)));
    }
}

/// What does not fit the batch is refused part by part, and the view is as before.
#[test]
fn a_reply_to_another_batch_is_an_error_that_gives_everything_back() {
    let mut planner = limited();
    let orders = [by_customer("a", 2, "ann"), order(wants("b", 1))];
    let (batch, _) = planner.plan_batch(&intakes(&orders));
    planner.abandon(&batch);
    let (levels, record) = (packed(&[1, 2]), Commit::of(&batch).record(0));
    let known: &[&[u8]] = &[&record];
    let mut elsewhere = record.clone();
    elsewhere[0] = 9;
    let (one, three, strange): (_, _, &[&[u8]]) = (packed(&[1]), packed(&[1, 2, 3]), &[&elsewhere]);
    let wrong: [(&str, Reply); 11] = [
        ("1 outcomes for 2 orders", reply(b"A", &levels, &[])),
        ("3 outcomes for 2 orders", reply(b"AAA", &levels, &[])),
        ("no levels", reply(b"AS", b"", &[])),
        ("1 levels for 1 cells and 1 counters", reply(b"AS", &one, &[])),
        ("3 levels for 1 cells and 1 counters", reply(b"", &three, &[])),
        ("levels: ", reply(b"AS", b"\xc1", &[])),
        ("without an event id", Reply { event: b"", ..reply(b"AS", &levels, &[]) }),
        ("without an event id", Reply { event: b"1", ..reply(b"", &levels, &[]) }),
        ("0 records for 1 known", reply(b"RS", &levels, &[])),
        ("1 records for 0 known", reply(b"", b"", known)),
        ("outcome 'Z' for order \"a\"", reply(b"ZA", &levels, &[])),
    ];
    for (message, reply) in wrong {
        let (mut batch, _) = planner.plan_batch(&intakes(&orders));
        let error = settle(&mut planner, &mut batch, &reply).unwrap_err();
        assert!(error.starts_with("commit reply: ") && error.contains(message), "{error} is not {message}");
        assert_eq!((planner.view.free(0, 0), planner.view.free(0, 1)), (5, 2), "{message}");
    }
    // A record that cannot be read is that order's trouble alone.
    let (mut batch, _) = planner.plan_batch(&intakes(&orders));
    let settled = settle(&mut planner, &mut batch, &reply(b"RS", &levels, strange)).unwrap();
    let [(0, Outcome::Unreadable(message)), (1, Outcome::Again { fresh: false })] = &settled[..] else {
        panic!("{settled:?}")
    };
    assert!(message.contains("format 9"));
    // Only "a" has a counter.
    let (mut batch, _) = planner.plan_batch(&intakes(&orders));
    assert!(
        settle(&mut planner, &mut batch, &reply(b"AL", &levels, &[]))
            .unwrap_err()
            .contains("outcome 'L' for order \"b\"")
    );
}
