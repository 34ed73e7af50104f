//! The kernel's rules; the optimum by brute force over all subsets of warehouses.

mod metamorphic;

use proptest::prelude::*;

use super::*;
use crate::fixture::cases;

#[path = "../../benches/random_order/mod.rs"]
pub(super) mod random_order;

use random_order::{Draw, Kind};

/// Random orders that are compared with brute force.
const ORDERS: u64 = 20_000;

/// The least cost over every set of at most `shipments_max` warehouses, and the first of the smallest sets that have it.
fn brute_force(problem: &Problem) -> Option<(i64, usize, Vec<usize>)> {
    let (warehouses, lines) = (problem.warehouses(), problem.lines());
    let mut best: Option<(i64, usize, Vec<usize>)> = None;
    for set in 1_u32..(1 << warehouses) {
        if set.count_ones() as usize > problem.shipments_max {
            continue;
        }
        let chosen = (0..warehouses).filter(|warehouse| set >> warehouse & 1 == 1);
        let mut cost: i64 = chosen.clone().map(|warehouse| problem.fixed[warehouse]).sum();
        let mut served = true;
        for line in 0..lines {
            match chosen.clone().map(|warehouse| problem.row(line)[warehouse]).min() {
                Some(least) if least != UNSERVABLE => cost += least,
                _ => served = false,
            }
        }
        let at_most = |best: &(i64, usize, Vec<usize>)| (cost, set.count_ones() as usize) <= (best.0, best.1);
        if served && best.as_ref().is_none_or(at_most) {
            let found = (cost, set.count_ones() as usize, chosen.collect());
            if best.as_ref().is_none_or(|best| found < *best) {
                best = Some(found);
            }
        }
    }
    best
}

/// What a choice costs by its own warehouses, which it names.
fn booked(problem: &Problem, choice: &Choice) -> (i64, Vec<usize>) {
    let mut used: Vec<usize> = choice.warehouse.iter().map(|&warehouse| warehouse as usize).collect();
    let lines: i64 = used.iter().enumerate().map(|(line, &at)| problem.row(line)[at]).sum();
    used.sort_unstable();
    used.dedup();
    (used.iter().map(|&warehouse| problem.fixed[warehouse]).sum::<i64>() + lines, used)
}

fn check(problem: &Problem) {
    match (solve(problem), brute_force(problem)) {
        (Some(choice), Some((optimum, _, set))) => {
            assert_eq!(choice.cost, optimum, "{problem:?}");
            assert!(choice.proven);
            assert_eq!(choice.bound, optimum);
            let (cost, used) = booked(problem, &choice);
            assert_eq!(used, set, "ties in {problem:?}");
            assert_eq!(cost, choice.cost, "the choice costs what it says");
        }
        (None, None) => {}
        (found, wanted) => panic!("found {found:?}, brute force {wanted:?} for {problem:?}"),
    }
}

/// An order with costs below these ends, so narrow at times that almost everything ties.
fn small_order(draw: &mut Draw) -> (Vec<i64>, Vec<i64>, usize) {
    let (warehouses, lines) = (1 + draw.below(9) as usize, 1 + draw.below(8) as usize);
    let fixed_end = [2, 5, 60, 1000][draw.below(4) as usize];
    let cost_end = [1, 3, 40, 1000][draw.below(4) as usize];
    let served = [0.15, 0.3, 0.6, 0.9, 1.0][draw.below(5) as usize];
    let fixed = (0..warehouses).map(|_| draw.below(fixed_end) as i64).collect();
    let cost = (0..warehouses * lines)
        .map(|_| if draw.unit() < served { draw.below(cost_end) as i64 } else { UNSERVABLE })
        .collect();
    let shipments_max = if draw.below(2) == 0 { usize::MAX } else { 1 + draw.below(lines as u64 + 1) as usize };
    (fixed, cost, shipments_max)
}

#[test]
fn twenty_thousand_orders_equal_brute_force() {
    let mut draw = Draw::new(4);
    for _ in 0..ORDERS {
        let (fixed, cost, shipments_max) = small_order(&mut draw);
        check(&Problem { fixed: &fixed, cost: &cost, shipments_max, node_limit: Some(u64::MAX) });
    }
}

/// Few costs, many warehouses that are alike: the first of the smallest sets all the same.
#[test]
fn orders_full_of_ties_equal_brute_force() {
    let mut draw = Draw::new(5);
    for _ in 0..300 {
        let (warehouses, lines) = (12, 4 + draw.below(9) as usize);
        let fixed: Vec<i64> = (0..warehouses).map(|_| 5 + draw.below(2) as i64).collect();
        let cost: Vec<i64> = (0..warehouses * lines)
            .map(|_| if draw.unit() < 0.35 { draw.below(2) as i64 } else { UNSERVABLE })
            .collect();
        check(&Problem { fixed: &fixed, cost: &cost, shipments_max: usize::MAX, node_limit: None });
    }
}

fn instance() -> impl Strategy<Value = (Vec<i64>, Vec<i64>, usize)> {
    any::<u64>().prop_map(|seed| small_order(&mut Draw::new(seed)))
}

fn solved(fixed: &[i64], cost: &[i64], shipments_max: usize) -> Option<Choice> {
    solve(&Problem { fixed, cost, shipments_max, node_limit: None })
}

proptest! {
    #![proptest_config(cases(2000))]

    /// Whatever the node limit, the choice is feasible and the bound below the optimum; unlimited shipments always get one.
    #[test]
    fn a_cut_search_still_tells_the_truth((fixed, cost, shipments_max) in instance(), node_limit in 0_u64..8) {
        let problem = Problem { fixed: &fixed, cost: &cost, shipments_max, node_limit: Some(node_limit) };
        let optimum = brute_force(&problem);
        match (Kernel::default().solve(&problem), optimum) {
            (Ok(found), Some((optimum, _, _))) => {
                prop_assert!(found.bound <= optimum && optimum <= found.cost);
                prop_assert!(!found.proven || (found.cost == optimum && found.bound == optimum));
                prop_assert_eq!(booked(&problem, &solve(&problem).unwrap()).0, found.cost);
            }
            (Err(Unsolved::NotFound), _) => prop_assert!(shipments_max < usize::MAX),
            (Err(_), None) => {}
            (found, optimum) => prop_assert!(false, "{:?} but {:?}", found, optimum),
        }
    }

    /// Numbers at and beyond the bounds, lengths that do not fit: a choice or a reason, never a panic or an overflow.
    #[test]
    fn hostile_numbers_do_no_harm(
        fixed in prop::collection::vec(hostile(), 0..9), cost in prop::collection::vec(hostile(), 0..80),
        shipments_max in prop_oneof![Just(0), Just(usize::MAX), 0_usize..6], node_limit in prop::option::of(0_u64..100),
    ) {
        let problem = Problem { fixed: &fixed, cost: &cost, shipments_max, node_limit };
        if let Some(choice) = solve(&problem) {
            prop_assert_eq!(booked(&problem, &choice).0, choice.cost);
        }
    }
}

fn hostile() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => 0..COST_END,
        3 => Just(COST_END - 1),
        4 => Just(UNSERVABLE),
        1 => Just(0),
        1 => prop_oneof![any::<i64>(), Just(-1), Just(COST_END), Just(i64::MAX), Just(UNSERVABLE + 1)],
    ]
}

/// The dearest order that is let in.
#[test]
fn the_largest_sums_fit() {
    for (lines, warehouses) in [(LINES_MAX, 3), (LINES_MAX, 64), (LINES_MAX, 1024)] {
        let fixed = vec![COST_END - 1; warehouses];
        let cost: Vec<i64> = (0..lines * warehouses)
            .map(|cell| if cell % warehouses == (cell / warehouses) % warehouses { COST_END - 1 } else { UNSERVABLE })
            .collect();
        let problem = Problem { fixed: &fixed, cost: &cost, shipments_max: usize::MAX, node_limit: Some(1) };
        let choice = solve(&problem).unwrap();
        assert_eq!(choice.cost, (lines + warehouses.min(lines)) as i64 * (COST_END - 1));
    }
}

#[test]
fn a_used_kernel_chooses_as_a_new_one() {
    let mut used = Kernel::default();
    let mut draw = Draw::new(6);
    for seed in 0..300 {
        let kind = Kind {
            lines: 1 + draw.below(14) as usize,
            warehouses: 2 + draw.below(40) as usize,
            stocked: 0.2,
            per_mile: 0.005,
            centres: draw.below(2) == 0,
        };
        let order = kind.order(seed, UNSERVABLE);
        let problem = Problem { fixed: &order.fixed, cost: &order.cost, shipments_max: usize::MAX, node_limit: None };
        let mut new = Kernel::default();
        assert_eq!(used.solve(&problem), new.solve(&problem));
        assert_eq!(used.warehouse(), new.warehouse());
    }
}

#[test]
fn equal_costs_take_fewer_warehouses_and_then_the_first() {
    // 0 and 1 together cost 10, as 2 alone and 3 alone do.
    let fixed = [5, 5, 10, 10];
    let cost = [0, UNSERVABLE, 0, 0, UNSERVABLE, 0, 0, 0];
    assert_eq!(solved(&fixed, &cost, 4).unwrap().warehouse, [2, 2]);
}

#[test]
fn what_cannot_be_solved_has_a_reason() {
    let reason = |fixed: &[i64], cost: &[i64], shipments_max| {
        Kernel::default().solve(&Problem { fixed, cost, shipments_max, node_limit: Some(10) }).unwrap_err()
    };
    assert_eq!(reason(&[], &[], 3), Unsolved::Empty);
    assert_eq!(reason(&[1], &[], 3), Unsolved::Empty);
    assert_eq!(reason(&[1], &[1], 0), Unsolved::TooFewShipments);
    assert_eq!(reason(&[1, 1], &[1, UNSERVABLE, UNSERVABLE, 1], 1), Unsolved::TooFewShipments);
    assert_eq!(reason(&[1, 1], &[1, 1, UNSERVABLE, UNSERVABLE], 2), Unsolved::Unserved(1));
    assert_eq!(reason(&[-1], &[1], 1), Unsolved::OutOfRange);
    assert_eq!(reason(&[1], &[COST_END], 1), Unsolved::OutOfRange);
    assert_eq!(reason(&[1, 1], &[1, 1, 1], 1), Unsolved::OutOfRange);
}
