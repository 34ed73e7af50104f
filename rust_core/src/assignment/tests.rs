//! The rules of an assignment; the optimum by brute force over every unit.

mod hostile;
mod owned;
mod pools;

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::*;
use crate::fixture::cases;
use owned::{Owned, batch, tiny};

pub(super) fn effort(threads: usize) -> Effort {
    Effort { time_limit: Duration::from_secs(600), threads, seed: 7 }
}

pub(super) fn solved(owned: &Owned, threads: usize) -> Solution {
    assign(&owned.problem(), effort(threads), &mut ()).unwrap()
}

/// The units of each line at each warehouse, the last for what is not served.
pub(super) fn units(owned: &Owned, found: &Solution) -> Vec<Vec<i64>> {
    let warehouses = owned.fixed.len();
    let mut units = vec![vec![0; warehouses + 1]; owned.sku.len()];
    for ((&line, &at), &quantity) in found.line.iter().zip(&found.warehouse).zip(&found.quantity) {
        assert!(quantity > 0);
        let at = usize::try_from(at).unwrap_or(warehouses);
        assert_eq!(units[line as usize][at], 0, "a line has one piece for each warehouse");
        units[line as usize][at] = i64::from(quantity);
    }
    assert!(found.line.is_sorted());
    units
}

fn check(owned: &Owned, found: &Solution) {
    let units = units(owned, found);
    assert_eq!(owned.cost(&units), Some(found.cost), "{owned:?} {found:?}");
    assert!(found.bound <= found.cost);
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn every_rule_is_kept_and_the_bound_is_below_the_optimum(owned in tiny()) {
        let found = solved(&owned, 1);
        check(&owned, &found);
        let optimum = owned.optimum().unwrap();
        prop_assert!(found.bound <= optimum, "{} above {optimum}", found.bound);
        prop_assert!(found.cost >= optimum);
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn the_answer_is_the_same_on_any_number_of_threads(owned in batch(30)) {
        let one = solved(&owned, 1);
        check(&owned, &one);
        prop_assert_eq!(&one, &solved(&owned, 2));
        prop_assert_eq!(&one, &solved(&owned, 5));
    }

    #[test]
    fn without_scarcity_the_optimum_is_proven(mut owned in batch(20)) {
        owned.plain();
        owned.stock.fill(1000);
        let found = solved(&owned, 1);
        check(&owned, &found);
        prop_assert_eq!(found.cost, found.bound);
    }
}

#[test]
fn most_tiny_batches_are_solved_to_the_optimum() {
    // What the search is worth, not what it promises.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut best, mut all) = (0, 0);
    for _ in 0..300 {
        let owned = tiny().new_tree(&mut runner).unwrap().current();
        best += u32::from(solved(&owned, 1).cost == owned.optimum().unwrap());
        all += 1;
    }
    assert!(best * 100 >= all * 98, "{best} of {all}");
}

#[test]
fn nothing_is_solved_at_once() {
    let nothing = Problem { line_start: &[0], fixed: &[1], ..Problem::default() };
    let found = assign(&nothing, effort(2), &mut ()).unwrap();
    assert_eq!((found.cost, found.bound, found.line.len()), (0, 0, 0));
    let empty_orders =
        Problem { line_start: &[0, 0, 0], region: &[0, 0], unit_cost: &[3], unserved_unit: &[2], ..nothing };
    assert_eq!(assign(&empty_orders, effort(1), &mut ()).unwrap().cost, 0);
}

#[test]
fn a_line_that_nobody_has_whole_is_shared() {
    let owned = Owned {
        line_start: vec![0, 1],
        sku: vec![0],
        quantity: vec![5],
        region: vec![0],
        fixed: vec![10, 20],
        unit_cost: vec![1, 2],
        stock: vec![3, 9],
        unserved_fixed: 500,
        unserved_unit: vec![100],
        ..Owned::default()
    };
    // All five at the second: 30; three and two: 10 + 3 + 20 + 4.
    assert_eq!(solved(&owned, 1).cost, 30);
    let scarcer = Owned { stock: vec![3, 4], ..owned };
    let found = solved(&scarcer, 1);
    assert_eq!((found.cost, found.warehouse, found.quantity), (37, vec![0, 1], vec![3, 2]));
}

#[test]
fn at_its_time_limit_it_has_what_keeps_the_rules() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let owned = batch(60).new_tree(&mut runner).unwrap().current();
    let found = assign(&owned.problem(), Effort { time_limit: Duration::ZERO, ..effort(2) }, &mut ()).unwrap();
    check(&owned, &found);
    assert_eq!(found.ended, Ended::TimeLimit);
}

#[test]
fn whoever_watches_may_end_it() {
    struct Once(u32);
    impl Watch for Once {
        fn look(&mut self, _: &Progress) -> bool {
            self.0 += 1;
            false
        }
    }
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let owned = batch(60).new_tree(&mut runner).unwrap().current();
    let mut once = Once(0);
    let found = assign(&owned.problem(), effort(2), &mut once).unwrap();
    check(&owned, &found);
    assert_eq!((found.ended, once.0), (Ended::Cancelled, 1));
}

#[test]
fn a_price_is_what_the_next_one_would_pay() {
    // Two orders want the unit of the first warehouse; the loser pays 30 more at the second.
    let owned = Owned {
        line_start: vec![0, 1, 2],
        sku: vec![0, 0],
        quantity: vec![1, 1],
        region: vec![0, 1],
        fixed: vec![0, 0],
        unit_cost: vec![10, 40, 10, 60],
        stock: vec![1, 5],
        unserved_fixed: 0,
        unserved_unit: vec![1000, 1000],
        ..Owned::default()
    };
    let prices = price(&owned.problem(), effort(1), &mut ()).unwrap();
    assert!((30..=50).contains(&prices[0]), "{prices:?}");
    assert_eq!(prices[1], 0);
    let rarely = Problem { weight: Some(&[0.4, 0.5]), ..owned.problem() };
    assert_eq!(price(&rarely, effort(1), &mut ()).unwrap(), [0, 0]);
}

/// Prices may make it look cheaper to leave it.
#[test]
fn a_line_that_nobody_has_whole_gets_what_there_is() {
    let problem = Problem {
        line_start: &[0, 1],
        sku: &[0],
        quantity: &[3],
        region: &[0],
        fixed: &[10, 7],
        unit_cost: &[5, 15],
        stock: &[1, 1],
        unserved_fixed: 20,
        unserved_unit: &[100],
        ..Problem::default()
    };
    let found = assign(&problem, effort(1), &mut ()).unwrap();
    // A unit from each, both opened, and one that is missing.
    assert_eq!((found.warehouse, found.cost), (vec![-1, 0, 1], 5 + 10 + 15 + 7 + 100 + 20));
}
