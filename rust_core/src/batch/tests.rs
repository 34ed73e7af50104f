//! Rules of batches one by one; `replies` holds random batches against random replies of the store.

mod beside;
mod capacity;
mod goods;
mod pools;
mod refusals;
mod replies;

use serde_json::{Value, json};

use super::*;
use crate::catalogue::{SkuTerms, WarehouseTerms};
use crate::fixture::{fresh, intakes, lines, order, planner, warehouse};
use crate::ids::split_cell_id;
use crate::planner::{LimitedBy, Shortage, SpreadRow};
use crate::view::event_stamp;

/// (place from 0 among cells and then counters, units).
type Takes = Vec<(usize, i64)>;

/// A commit's arguments, read back as the store's function reads them.
struct Commit {
    cells: Vec<CellId>,
    units: Vec<i64>,
    /// Names, limits, units.
    counters: Option<(Vec<String>, Vec<i64>, Vec<i64>)>,
    ids: Vec<String>,
    records: Vec<Vec<u8>>,
    /// Of each order.
    takes: Vec<Takes>,
    /// Places of orders from 0, and milliseconds.
    holds: Vec<(usize, u64)>,
}

impl Commit {
    fn of(batch: &Batch) -> Self {
        let args = batch.commit_args(0, 1_700_000_000_000);
        let cells: Vec<&str> = rmp_serde::from_slice(&args.takes.cells).unwrap();
        let flat: Vec<&[u8]> = rmp_serde::from_slice(&args.records).unwrap();
        let records: Vec<Vec<u8>> = flat.chunks_exact(2).map(|pair| pair[1].to_vec()).collect();
        let (flat, mut takes): (Vec<i64>, _) = (rmp_serde::from_slice(&args.takes.by_order).unwrap(), Vec::new());
        let mut rest = &flat[..];
        while let Some((&count, behind)) = rest.split_first() {
            let (own, behind) = behind.split_at(2 * count as usize);
            takes.push(own.chunks_exact(2).map(|pair| (pair[0] as usize - 1, pair[1])).collect());
            rest = behind;
        }
        let holds: Vec<u64> =
            if args.holds.is_empty() { Vec::new() } else { rmp_serde::from_slice(&args.holds).unwrap() };
        Self {
            cells: cells.iter().map(|cell| cell.parse().unwrap()).collect(),
            units: rmp_serde::from_slice(&args.takes.units).unwrap(),
            counters: (!args.takes.counters.is_empty()).then(|| rmp_serde::from_slice(&args.takes.counters).unwrap()),
            ids: rmp_serde::from_slice(&args.ids).unwrap(),
            records,
            takes,
            holds: holds.chunks_exact(2).map(|pair| (pair[0] as usize - 1, pair[1])).collect(),
        }
    }

    fn counter_units(&self) -> &[i64] {
        self.counters.as_ref().map_or(&[], |(_, _, units)| units)
    }

    /// The record that the store keeps of an order.
    fn record(&self, place: usize) -> Vec<u8> {
        self.records[place].clone()
    }
}

fn reply<'a>(outcomes: &'a [u8], levels: &'a [u8], records: &'a [&'a [u8]]) -> Reply<'a> {
    Reply { partition: 0, now_ms: 1_700_000_000_000, event: b"1700000000000-0", outcomes, levels, records }
}

fn settle(planner: &mut Planner, batch: &mut Batch, reply: &Reply) -> Result<Vec<(u32, Outcome)>, String> {
    planner.settle(batch, std::slice::from_ref(reply)).map(|(outcomes, _)| outcomes)
}

fn packed(levels: &[i64]) -> Vec<u8> {
    rmp_serde::to_vec(levels).unwrap()
}

/// One SKU, 5 units in the nearer warehouse and 2 in the other; a customer may take 4.
fn limited() -> Planner {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[5, 2]]);
    assert!(planner.catalogue.put_sku(0, "s0", SkuTerms { weight_g: 1000, purchase_limit: 4, ..SkuTerms::default() }));
    planner
}

fn wants(id: &str, units: i64) -> Value {
    json!({"order_id": id, "lines": lines(&[(0, units)])})
}

fn by_customer(id: &str, units: i64, customer: &str) -> Vec<u8> {
    let mut fields = wants(id, units);
    fields["customer"] = json!(customer);
    order(fields)
}

#[test]
fn orders_of_one_batch_do_not_plan_with_the_same_units() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[3, 9]]);
    let orders = [order(wants("a", 3)), order(wants("b", 3))];
    let (batch, decided) = planner.plan_batch(&intakes(&orders));
    assert!(decided.is_empty());
    let commit = Commit::of(&batch);
    assert_eq!(commit.cells, [cell_id(0, 0), cell_id(0, 1)]);
    assert_eq!(commit.takes, [[(0, 3)], [(1, 3)]]);
    assert_eq!((planner.view.free(0, 0), planner.view.free(0, 1)), (0, 6));
}

#[test]
fn one_customers_orders_share_a_counter() {
    let mut planner = limited();
    let orders = [by_customer("a", 2, "ann"), by_customer("b", 1, "ann"), by_customer("c", 1, "bob")];
    let (batch, decided) = planner.plan_batch(&intakes(&orders));
    assert!(decided.is_empty());
    let commit = Commit::of(&batch);
    let names = ["0:ann", "0:bob"].map(str::to_owned).to_vec();
    assert_eq!(commit.counters, Some((names, vec![4, 4], vec![3, 1])));
    // Counters are numbered behind the one cell.
    assert_eq!(commit.takes, [[(0, 2), (1, 2)], [(0, 1), (1, 1)], [(0, 1), (2, 1)]]);
}

#[test]
fn a_limit_is_told_with_what_is_left_of_it() {
    let mut planner = limited();
    let (mut batch, _) = planner.plan_batch(&intakes(&[by_customer("a", 2, "ann")]));
    let settled = settle(&mut planner, &mut batch, &reply(b"L", &packed(&[5, -1]), &[])).unwrap();
    let [(0, Outcome::Limit(exceeded))] = &settled[..] else { panic!("{settled:?}") };
    assert_eq!(*exceeded, [Exceeded { sku: 0, requested: 2, limit: 4, remaining: 0 }]);
}

#[test]
fn an_order_beyond_a_limit_by_itself_goes_no_further_whoever_sent_it() {
    let mut planner = limited();
    // Each line is within the limit, the SKU is not.
    let twice = order(json!({"lines": lines(&[(0, 3), (0, 2)])}));
    let (batch, decided) = planner.plan_batch(&intakes(&[twice]));
    assert!(batch.is_empty());
    let [(0, Outcome::Limit(exceeded))] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(*exceeded, [Exceeded { sku: 0, requested: 5, limit: 4, remaining: 4 }]);
}

/// A part left out is a part refused, and a refusal must be certain.
#[test]
fn a_partial_order_waits_for_levels_before_it_goes_without() {
    let mut planner = limited();
    planner.view.set(cell_id(0, 0), 1, 1);
    let mut fields = wants("a", 4);
    fields["allow_partial"] = json!(true);
    let orders = [order(fields), order(wants("b", 1))];
    let (batch, decided) = planner.plan_batch(&intakes(&orders));
    assert!(decided.is_empty());
    assert_eq!((batch.waiting.as_slice(), batch.sent.len()), (&[0][..], 1));
    // Fresh, but a neighbour wants the same cell: the store may refuse that one yet.
    planner.abandon(&batch);
    let neighbours = [orders[1].clone(), orders[0].clone()];
    let (batch, _) = planner.plan_batch(&fresh(&neighbours));
    assert_eq!((batch.waiting.as_slice(), batch.sent.len()), (&[1][..], 1));
}

/// Orders that take long to plan are not planned all at once, however many there are; none of them is lost.
#[test]
fn a_batch_of_hard_orders_is_planned_in_parts() {
    let rows: Vec<Vec<i64>> = (0..10).map(|sku| (0..120).map(|at| (at * 7 + sku * 3) % 10).collect()).collect();
    let stock: Vec<&[i64]> = rows.iter().map(Vec::as_slice).collect();
    let dear = |at: u32| WarehouseTerms { fixed_cost: 100 + i64::from(at * 37 % 50), ..warehouse(f64::from(at) / 9.0) };
    let warehouses: Vec<WarehouseTerms> = (0..120).map(dear).collect();
    let mut planner = planner(&warehouses, &stock);
    let wanted: Vec<(u32, i64)> = (0..10).map(|sku| (sku, 40)).collect();
    let orders: Vec<Vec<u8>> =
        (0..100).map(|_| order(json!({"lines": lines(&wanted), "allow_partial": true}))).collect();
    let (batch, decided) = planner.plan_batch(&intakes(&orders));
    assert_eq!((decided.len(), batch.is_empty()), (0, false));
    let places = batch.sent.iter().map(|sent| sent.index).chain(batch.waiting.iter().copied());
    assert!(!batch.postponed.is_empty());
    assert_eq!(places.count() + batch.postponed.len(), orders.len());
}

/// However many wait, the store is not kept long: the others read in a later batch, and the first always may.
#[test]
fn cells_read_for_those_who_wait_are_bounded() {
    let stock = [&[5_i64, 2][..]; 10];
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &stock);
    for number in 2..4_000 {
        assert!(planner.put_warehouse(number, &format!("w{number}"), warehouse(1.0)));
    }
    // Two orders a SKU: the second of them reads nothing new. Five SKUs fill the bound.
    let orders: Vec<Vec<u8>> = (0..20).map(|number| order(json!({"lines": lines(&[(number / 2, 9)])}))).collect();
    let (mut batch, decided) = planner.plan_batch(&intakes(&orders));
    assert!(decided.is_empty());
    assert_eq!((batch.waiting.len(), batch.postponed.len(), batch.cells.len()), (9, 11, CELLS_READ_MAX));
    let settled = settle(&mut planner, &mut batch, &reply(b"", &packed(&[0; CELLS_READ_MAX]), &[])).unwrap();
    let (read, put_off) = settled.split_at(9);
    assert!(read.iter().all(|(_, outcome)| matches!(outcome, Outcome::Again { fresh: true })));
    assert!(put_off.iter().all(|(_, outcome)| matches!(outcome, Outcome::Postponed)));
    assert!(put_off.iter().map(|(index, _)| *index).eq(9..20));
}

/// Warehouses that are disabled or not allowed are not asked; where none is left, there is nothing to wait for.
#[test]
fn only_warehouses_that_may_serve_are_asked() {
    let off = WarehouseTerms { enabled: false, ..warehouse(2.0) };
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0), off], &[&[3, 3, 9], &[3, 3, 9]]);
    let asked = |planner: &mut Planner, only: Value| {
        let fields =
            json!({"lines": lines(&[(0, 7), (1, 1)]), "warehouses": only["warehouses"], "pickup_at": only["at"]});
        let (batch, decided) = planner.plan_batch(&intakes(&[order(fields)]));
        (Commit::of(&batch).cells, decided)
    };
    let (cells, _) = asked(&mut planner, json!({}));
    assert_eq!(cells, [cell_id(0, 0), cell_id(0, 1), cell_id(1, 0), cell_id(1, 1)]);
    let (cells, _) = asked(&mut planner, json!({"warehouses": ["w2", "w1"]}));
    assert_eq!(cells, [cell_id(0, 1), cell_id(1, 1)]);
    let (cells, _) = asked(&mut planner, json!({"at": "w0"}));
    assert_eq!(cells, [cell_id(0, 0), cell_id(1, 0)]);
    let (cells, decided) = asked(&mut planner, json!({"at": "w2"}));
    assert!(cells.is_empty() && matches!(decided[..], [(0, Outcome::Refused(Refusal::Short(_)))]), "{decided:?}");
}

/// What a quote is refused for is what the order is refused for.
#[test]
fn nothing_beyond_a_limit_is_admitted_to_be_planned_or_quoted() {
    let planner = limited();
    assert!(planner.admit(&order(wants("a", 4))).is_ok());
    let beyond = order(wants("a", 10));
    let Err(Outcome::Limit(exceeded)) = planner.admit(&beyond) else { panic!() };
    assert_eq!(exceeded, [Exceeded { sku: 0, requested: 10, limit: 4, remaining: 4 }]);
    assert!(matches!(planner.admit(b"\xc1"), Err(Outcome::Invalid(_))));
}

#[test]
fn a_partial_order_counts_only_what_it_gets() {
    let mut planner = limited();
    planner.view.set(cell_id(0, 0), 1, 1);
    let mut fields = wants("a", 4);
    fields["customer"] = json!("ann");
    fields["allow_partial"] = json!(true);
    let orders = [order(fields)];
    let (batch, _) = planner.plan_batch(&fresh(&orders));
    let commit = Commit::of(&batch);
    assert_eq!(commit.counter_units(), [3]);
    let record = record::unpack(&commit.record(0)).unwrap();
    assert_eq!(record.counters, [("0:ann".to_owned(), 3)]);
    assert_eq!(record.unfilled, [(0, 1)]);
}

#[test]
fn a_pending_order_ends_when_its_hold_does() {
    let mut planner = planner(&[warehouse(0.0)], &[&[9]]);
    let pending = |id: &str, hold: Value| {
        order(json!({"order_id": id, "lines": lines(&[(0, 1)]), "payment": "pending", "hold_seconds": hold}))
    };
    let orders = [order(wants("paid", 1)), pending("a", json!(60)), pending("b", Value::Null)];
    let (mut batch, _) = planner.plan_batch(&intakes(&orders));
    assert_eq!(Commit::of(&batch).holds, [(1, 60_000), (2, 900_000)]);
    let settled = settle(&mut planner, &mut batch, &reply(b"", b"", &[])).unwrap();
    let answers: Vec<Value> = settled
        .iter()
        .map(|(_, outcome)| match outcome {
            Outcome::Reserved(json) => serde_json::from_slice(json).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((&answers[0]["status"], answers[0].get("expires_at")), (&json!("confirmed"), None));
    assert_eq!(
        (&answers[1]["status"], &answers[1]["expires_at"]),
        (&json!("reserved"), &json!("2023-11-14T22:14:20Z"))
    );
    // A clock beyond all reason is no reason to panic.
    let (mut batch, _) = planner.plan_batch(&intakes(&orders[1..2]));
    let late = Reply { partition: 0, now_ms: u64::MAX, ..reply(b"", b"", &[]) };
    assert!(settle(&mut planner, &mut batch, &late).is_ok());
}

#[test]
fn nobody_hears_no_before_the_levels_were_read() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[3]]);
    let short = [order(wants("a", 4))];
    let (mut batch, decided) = planner.plan_batch(&intakes(&short));
    assert!(decided.is_empty() && batch.sent.is_empty() && !batch.is_empty());
    let args = batch.commit_args(0, 1_700_000_000_000);
    assert!(args.wants_levels);
    // Every warehouse is asked, also the one of which no level is known; nothing is taken.
    assert_eq!((Commit::of(&batch).cells, Commit::of(&batch).units), (vec![cell_id(0, 0), cell_id(0, 1)], vec![0, 0]));
    let settled = settle(&mut planner, &mut batch, &reply(b"", &packed(&[3, 0]), &[])).unwrap();
    assert!(matches!(settled[..], [(0, Outcome::Again { fresh: true })]), "{settled:?}");

    let fresh = Intake { canonical: &short[0], home: 0, attempts: 1, fresh: true, expected_day: None };
    let (batch, decided) = planner.plan_batch(&[fresh]);
    assert!(batch.is_empty());
    let [(0, Outcome::Refused(Refusal::Short(shortages)))] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(*shortages, [Shortage { sku: 0, requested: 4, available: 3 }]);
}

#[test]
fn nobody_hears_no_because_of_what_the_batch_itself_wants() {
    let mut planner = planner(&[warehouse(0.0)], &[&[3], &[3]]);
    let (first, second) = (order(wants("a", 2)), order(wants("b", 2)));
    let other_sku = order(json!({"order_id": "c", "lines": lines(&[(1, 4)])}));
    let fresh = |canonical| Intake { canonical, home: 0, attempts: 1, fresh: true, expected_day: None };
    let (mut batch, decided) = planner.plan_batch(&[fresh(&first), fresh(&second), fresh(&other_sku)]);
    // The store may yet refuse the first, so the second waits; the third wants nothing that another one does.
    assert!(matches!(decided[..], [(2, Outcome::Refused(Refusal::Short(_)))]), "{decided:?}");
    let settled = settle(&mut planner, &mut batch, &reply(b"A", &packed(&[1]), &[])).unwrap();
    assert!(matches!(settled[..], [(0, Outcome::Reserved(_)), (1, Outcome::Again { fresh: true })]), "{settled:?}");
}

/// A restock's event may overtake the reply of a commit that the store ran before it.
#[test]
fn settling_does_not_undo_an_event_that_came_first() {
    let mut planner = planner(&[warehouse(0.0)], &[&[3]]);
    let (mut batch, _) = planner.plan_batch(&intakes(&[order(wants("a", 2)), order(wants("b", 4))]));
    planner.view.apply(cell_id(0, 0), -20, event_stamp(b"1700000000000-1").unwrap());
    settle(&mut planner, &mut batch, &reply(b"", &packed(&[1]), &[])).unwrap();
    assert_eq!(planner.view.free(0, 0), 21);
}

#[test]
fn too_many_shipments_are_told_apart_from_too_little_stock() {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[&[1, 1]]);
    let whole = order(json!({"lines": lines(&[(0, 2)]), "allow_split": false}));
    let (_, decided) =
        planner.plan_batch(&[Intake { canonical: &whole, home: 0, attempts: 0, fresh: true, expected_day: None }]);
    let [(0, Outcome::Refused(Refusal::TooSpread(spread)))] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(spread.rows, [SpreadRow { sku: 0, requested: 2, available: 2, within: 1 }]);
    assert_eq!((spread.by, spread.shipments_max), (LimitedBy::AllowSplit, 1));
}

/// Both ways round: the view finds a shortage each time, or the store refuses each time what the view has.
#[test]
fn planning_anew_has_an_end() {
    let mut planner = planner(&[warehouse(0.0)], &[&[3]]);
    let (short, refused) = (order(wants("a", 4)), order(wants("b", 2)));
    let at = |canonical, attempts| Intake { canonical, home: 0, attempts, fresh: false, expected_day: None };
    let (batch, decided) = planner.plan_batch(&[at(&short, ATTEMPTS_MAX - 1), at(&short, ATTEMPTS_MAX)]);
    assert!(matches!(decided[..], [(1, Outcome::Contended)]), "{decided:?}");
    planner.abandon(&batch);
    for (attempts, contended) in [(ATTEMPTS_MAX - 1, false), (ATTEMPTS_MAX, true)] {
        let (mut batch, _) = planner.plan_batch(&[at(&refused, attempts)]);
        let settled = settle(&mut planner, &mut batch, &reply(b"S", &packed(&[3]), &[])).unwrap();
        assert_eq!(matches!(settled[..], [(0, Outcome::Contended)]), contended, "{settled:?}");
    }
}

/// Two partitions, SKU s1 in the second: what that one refuses to prepare is given back once, and its levels stand, less
/// what orders want of it that are at home there.
#[test]
fn levels_of_a_partition_that_refuses_to_prepare_are_kept() {
    let mut planner = planner(&[warehouse(0.0)], &[&[9], &[9]]);
    planner.partitions = 2;
    let orders = [
        order(json!({"order_id": "a", "lines": lines(&[(0, 2), (1, 3)])})),
        order(json!({"order_id": "b", "lines": lines(&[(1, 4)])})),
    ];
    let of = |canonical, home| Intake { canonical, home, attempts: 0, fresh: false, expected_day: None };
    let (mut batch, _) = planner.plan_batch(&[of(&orders[0], 0), of(&orders[1], 1)]);
    assert_eq!((batch.prepares(), batch.commits()), (vec![1], vec![0, 1]));
    let two = packed(&[2]);
    let refused = Reply { partition: 1, ..reply(b"S", &two, &[]) };
    planner.settle_prepare(&mut batch, &refused, None).unwrap();
    assert_eq!((planner.view.free(0, 0), planner.view.free(1, 0)), (7, -2));
    let (settled, _) = planner.settle(&mut batch, &[refused]).unwrap();
    assert!(settled.iter().all(|(_, outcome)| matches!(outcome, Outcome::Again { fresh: false })), "{settled:?}");
    assert_eq!((settled.len(), planner.view.free(0, 0), planner.view.free(1, 0)), (2, 9, 2));
}

#[test]
fn bytes_that_are_no_order_are_invalid_and_stop_no_other() {
    let mut planner = planner(&[warehouse(0.0)], &[&[3]]);
    let orders = [b"\xc1".to_vec(), order(wants("a", 1)), order(json!({"lines": lines(&[(7, 1)])})), Vec::new()];
    let (batch, decided) = planner.plan_batch(&intakes(&orders));
    assert_eq!(batch.len(), 1);
    let places: Vec<u32> = decided.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [0, 2, 3]);
    assert!(decided.iter().all(|(_, outcome)| matches!(outcome, Outcome::Invalid(flaws) if flaws.len() == 1)));
}
