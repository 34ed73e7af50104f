//! Orders that a warehouse serves on a day: who is planned where, and who hears no.

use proptest::prelude::*;

use super::*;
use crate::capacity::Day;

const DAY: Day = 20_000;

/// Warehouses w0, w1, ... the nearer the cheaper, with capacities; 99 units of s0 in each.
fn network(capacities: &[Option<i64>]) -> Planner {
    let places: Vec<WarehouseTerms> = (0..)
        .zip(capacities)
        .map(|(at, &capacity)| WarehouseTerms { capacity, fixed_cost: at, ..warehouse(at as f64) })
        .collect();
    let mut planner = planner(&places, &[&vec![99; capacities.len()]]);
    planner.capacity.set_day(Some(DAY));
    planner
}

fn orders(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| order(wants(&format!("o{number}"), 1))).collect()
}

fn warehouses(batch: &Batch) -> Vec<u32> {
    batch.sent.iter().flat_map(|sent| sent.plan.shipments.iter().map(|shipment| shipment.warehouse)).collect()
}

#[test]
fn the_next_warehouse_takes_over_within_a_batch() {
    let mut planner = network(&[Some(2), Some(1), None]);
    let orders = orders(5);
    let (batch, _) = planner.plan_batch(&intakes(&orders));
    assert_eq!(warehouses(&batch), [0, 0, 1, 2, 2]);
    let commit = Commit::of(&batch);
    let names = ["@0:20000", "@1:20000"].map(str::to_owned).to_vec();
    assert_eq!(commit.counters, Some((names, vec![2, 1], vec![2, 1])));
    let record = record::unpack(&commit.record(0)).unwrap();
    assert_eq!(record.counters, [("@0:20000".to_owned(), 1)]);
    // A batch that is given back leaves the capacity free.
    planner.abandon(&batch);
    let (batch, _) = planner.plan_batch(&intakes(&orders));
    assert_eq!(warehouses(&batch), [0, 0, 1, 2, 2]);
}

#[test]
fn an_order_that_finds_its_warehouse_full_is_planned_without_it() {
    let mut planner = network(&[Some(2), None]);
    let one = orders(1);
    let (mut batch, _) = planner.plan_batch(&intakes(&one));
    // 98 left in the cell, and another process has used the capacity.
    let settled = settle(&mut planner, &mut batch, &reply(b"S", &packed(&[99, 0]), &[])).unwrap();
    assert!(matches!(settled[..], [(0, Outcome::Again { fresh: false })]), "{settled:?}");
    let (batch, _) = planner.plan_batch(&intakes(&one));
    assert_eq!(warehouses(&batch), [1]);
}

#[test]
fn nobody_hears_that_all_are_at_capacity_before_the_counters_were_read() {
    let mut planner = network(&[Some(1), Some(1)]);
    planner.capacity.set(DAY, 0, 1, 0);
    planner.capacity.set(DAY, 1, 1, 0);
    let one = orders(1);
    let (mut batch, decided) = planner.plan_batch(&intakes(&one));
    assert!(decided.is_empty() && batch.sent.is_empty() && batch.wants_levels);
    assert_eq!(Commit::of(&batch).counter_units(), [0, 0]);
    let settled = settle(&mut planner, &mut batch, &reply(b"", &packed(&[99, 99, 0, 0]), &[])).unwrap();
    assert!(matches!(settled[..], [(0, Outcome::Again { fresh: true })]));
    let (_, decided) = planner.plan_batch(&fresh(&one));
    let [(0, Outcome::Refused(Refusal::AtCapacity(short)))] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(*short, [Shortage { sku: 0, requested: 1, available: 0 }]);
    // An order has ended elsewhere.
    let (mut batch, _) = planner.plan_batch(&intakes(&one));
    settle(&mut planner, &mut batch, &reply(b"", &packed(&[99, 99, 0, 1]), &[])).unwrap();
    let (batch, _) = planner.plan_batch(&fresh(&one));
    assert_eq!(warehouses(&batch), [1]);
}

/// The store may yet refuse the order that took the last of the capacity.
#[test]
fn nobody_hears_no_because_of_the_batchs_own_orders() {
    let mut planner = network(&[Some(1)]);
    let two = orders(2);
    let (mut batch, decided) = planner.plan_batch(&fresh(&two));
    assert!(decided.is_empty());
    assert_eq!((batch.sent.len(), batch.waiting.as_slice()), (1, &[1][..]));
    settle(&mut planner, &mut batch, &reply(b"A", &packed(&[98, 0]), &[])).unwrap();
    let (_, decided) = planner.plan_batch(&fresh(&two[1..]));
    assert!(matches!(decided[..], [(0, Outcome::Refused(Refusal::AtCapacity(_)))]), "{decided:?}");
}

#[test]
fn a_shortage_of_stock_is_none_of_capacity() {
    let mut planner = network(&[Some(0), None]);
    let fields = |units, partial| json!({"lines": lines(&[(0, units)]), "allow_partial": partial});
    let outcome = |planner: &mut Planner, fields: Value| planner.plan_batch(&fresh(&[order(fields)])).1;
    let decided = outcome(&mut planner, fields(199, false));
    let [(0, Outcome::Refused(Refusal::Short(short)))] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(short[0].available, 198);
    assert!(matches!(outcome(&mut planner, fields(198, false))[..], [(0, Outcome::Refused(Refusal::AtCapacity(_)))]));
    let at = json!({"lines": lines(&[(0, 1)]), "pickup_at": "w0"});
    assert!(matches!(outcome(&mut planner, at)[..], [(0, Outcome::Refused(Refusal::AtCapacity(_)))]));
    // A part that a full warehouse has is left out, once its counter was read.
    let part = order(fields(120, true));
    let (batch, _) = planner.plan_batch(&intakes(std::slice::from_ref(&part)));
    assert_eq!((batch.sent.len(), Commit::of(&batch).counter_units()), (0, &[0][..]));
    let (batch, _) = planner.plan_batch(&fresh(std::slice::from_ref(&part)));
    assert_eq!(batch.sent[0].plan.unfilled, [(0, 21)]);
}

#[test]
fn a_limit_is_final_and_a_capacity_is_not() {
    let mut planner = network(&[Some(5)]);
    let (mut batch, _) = planner.plan_batch(&intakes(&orders(1)));
    let error = settle(&mut planner, &mut batch, &reply(b"L", &packed(&[99, 0]), &[])).unwrap_err();
    assert!(error.contains("outcome 'L'"));
}

#[test]
fn what_looks_full_is_asked_about_once_orders_have_ended() {
    let mut planner = network(&[Some(1), None]);
    planner.capacity.set(DAY, 0, 1, 0);
    let (batch, _) = planner.plan_batch(&intakes(&orders(1)));
    assert!(!batch.wants_levels);
    planner.abandon(&batch);
    planner.capacity.doubt();
    let (mut batch, _) = planner.plan_batch(&intakes(&orders(1)));
    assert_eq!((warehouses(&batch), batch.wants_levels, Commit::of(&batch).counter_units()), (vec![1], true, &[0][..]));
    settle(&mut planner, &mut batch, &reply(b"", &packed(&[98, 1]), &[])).unwrap();
    let (batch, _) = planner.plan_batch(&intakes(&orders(1)));
    assert_eq!(warehouses(&batch), [0]);
}

#[test]
fn without_a_day_nothing_is_bounded_or_counted() {
    let mut planner = network(&[Some(0)]);
    planner.capacity.set_day(None);
    let (batch, _) = planner.plan_batch(&intakes(&orders(2)));
    assert_eq!((warehouses(&batch), Commit::of(&batch).counters), (vec![0, 0], None));
}

/// A warehouse's counter is where the warehouse's number says, which need not be its orders' home.
#[test]
fn a_counter_of_another_partition_is_prepared_and_read_there() {
    let mut planner = network(&[None, Some(1)]);
    planner.partitions = 3;
    let at = order(json!({"lines": lines(&[(0, 1)]), "pickup_at": "w1"}));
    let (batch, _) = planner.plan_batch(&intakes(std::slice::from_ref(&at)));
    assert_eq!((batch.prepares(), batch.commits()), (vec![1], vec![0]));
    planner.abandon(&batch);
    planner.capacity.set(DAY, 1, 1, 0);
    let (batch, _) = planner.plan_batch(&intakes(&[at]));
    assert_eq!((batch.prepares(), batch.commits()), (vec![], vec![0, 1]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever was used before and whatever the orders want: no warehouse gets more than it may serve, nobody hears no
    /// while a warehouse with room has everything, and the record names each capacity that it uses.
    #[test]
    fn no_batch_goes_beyond_a_capacity(
        capacities in prop::collection::vec(prop::option::of(0_i64..6), 3), used in prop::collection::vec(0_i64..4, 3),
        wanted in prop::collection::vec((1_i64..150, any::<bool>()), 1..14),
    ) {
        let mut planner = network(&capacities);
        for (at, &orders) in (0..).zip(&used) {
            planner.capacity.set(DAY, at, orders, 0);
        }
        let orders: Vec<Vec<u8>> = wanted.iter().enumerate().map(|(number, &(units, partial))| {
            order(json!({"order_id": format!("o{number}"), "lines": lines(&[(0, units)]), "allow_partial": partial}))
        }).collect();
        let (batch, decided) = planner.plan_batch(&fresh(&orders));
        let served = warehouses(&batch);
        let commit = Commit::of(&batch);
        for at in 0..3_usize {
            let orders = served.iter().filter(|&&warehouse| warehouse as usize == at).count() as i64;
            if let Some(capacity) = capacities[at] {
                prop_assert!(orders == 0 || orders + used[at] <= capacity);
                let counted = batch.orders_of_warehouse(at as u32);
                prop_assert_eq!(counted, orders);
            }
        }
        for (place, sent) in batch.sent.iter().enumerate() {
            let record = record::unpack(&commit.record(place)).unwrap();
            let capped = sent.plan.shipments.iter().filter(|one| capacities[one.warehouse as usize].is_some());
            let names: Vec<String> = capped.map(|one| format!("@{}:{DAY}", one.warehouse)).collect();
            prop_assert!(record.counters.iter().map(|(name, _)| name).eq(&names));
        }
        let full = |at: usize| capacities[at].is_some_and(|capacity| used[at] >= capacity);
        let room: i64 = (0..3).filter(|&at| !full(at)).count() as i64 * 99;
        for (place, outcome) in &decided {
            let units = wanted[*place as usize].0;
            match outcome {
                Outcome::Refused(Refusal::AtCapacity(_)) => prop_assert!(room < units || (wanted[*place as usize].1 && room == 0)),
                Outcome::Refused(Refusal::Short(_)) => prop_assert!(units > 3 * 99),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(batch.sent.len() + batch.waiting.len() + decided.len(), orders.len());
    }
}
