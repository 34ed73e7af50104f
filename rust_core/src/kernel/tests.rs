//! The kernel against brute force over all subsets of warehouses.

use proptest::prelude::*;

use super::*;

/// The least cost over every set of at most `shipments_max` warehouses, and the first of the smallest sets that have it.
fn brute_force(problem: &Problem) -> Option<(i64, usize, Vec<usize>)> {
    let (warehouses, lines) = (problem.warehouses(), problem.lines());
    let mut best: Option<(i64, usize, Vec<usize>)> = None;
    for set in 1_u32..(1 << warehouses) {
        if set.count_ones() as usize > problem.shipments_max {
            continue;
        }
        let chosen: Vec<usize> = (0..warehouses).filter(|warehouse| set >> warehouse & 1 == 1).collect();
        let mut cost: i64 = chosen.iter().map(|&warehouse| problem.fixed[warehouse]).sum();
        let mut served = true;
        for line in 0..lines {
            match chosen.iter().map(|&warehouse| problem.row(line)[warehouse]).min() {
                Some(least) if least != UNSERVABLE => cost += least,
                _ => served = false,
            }
        }
        let found = (cost, chosen.len(), chosen);
        if served && best.as_ref().is_none_or(|best| found < *best) {
            best = Some(found);
        }
    }
    best
}

fn check(problem: &Problem) {
    match (solve(problem), brute_force(problem)) {
        (Some(choice), Some((optimum, _, set))) => {
            assert_eq!(choice.cost, optimum, "{problem:?}");
            assert!(choice.proven);
            assert_eq!(choice.bound, optimum);
            let mut used: Vec<u32> = choice.warehouse.clone();
            used.sort_unstable();
            used.dedup();
            assert!(used.iter().map(|&warehouse| warehouse as usize).eq(set), "ties: {used:?} in {problem:?}");
            let fixed: i64 = used.iter().map(|&warehouse| problem.fixed[warehouse as usize]).sum();
            let lines: i64 =
                choice.warehouse.iter().enumerate().map(|(line, &at)| problem.row(line)[at as usize]).sum();
            assert_eq!(fixed + lines, choice.cost, "the choice costs what it says");
        }
        (None, None) => {}
        (found, wanted) => panic!("found {found:?}, brute force {wanted:?} for {problem:?}"),
    }
}

fn instance() -> impl Strategy<Value = (Vec<i64>, Vec<i64>, usize)> {
    (1_usize..=8, 1_usize..=6).prop_flat_map(|(warehouses, lines)| {
        (
            // Either wide, or so narrow that almost everything ties.
            prop_oneof![prop::collection::vec(0_i64..60, warehouses), prop::collection::vec(0_i64..2, warehouses)],
            prop_oneof![
                prop::collection::vec(prop_oneof![2 => 0_i64..40, 1 => Just(UNSERVABLE)], warehouses * lines),
                prop::collection::vec(prop_oneof![2 => 0_i64..3, 1 => Just(UNSERVABLE)], warehouses * lines),
            ],
            1_usize..=lines + 1,
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn equals_brute_force((fixed, cost, shipments_max) in instance()) {
        check(&Problem { fixed: &fixed, cost: &cost, shipments_max, node_limit: u64::MAX });
    }

    /// Whatever the node limit, the choice is feasible and the bound below the optimum.
    #[test]
    fn a_cut_search_still_tells_the_truth((fixed, cost, shipments_max) in instance(), node_limit in 0_u64..20) {
        let problem = Problem { fixed: &fixed, cost: &cost, shipments_max, node_limit };
        let optimum = brute_force(&problem);
        match solve(&problem) {
            Some(choice) => {
                let (optimum, _, _) = optimum.unwrap();
                prop_assert!(choice.bound <= optimum && optimum <= choice.cost);
                prop_assert!(!choice.proven || choice.cost == optimum);
            }
            None => {
                let single = brute_force(&Problem { shipments_max: 1, ..problem });
                prop_assert!(single.is_none(), "one warehouse needs no search: {single:?}");
                // Every set counts at most one node.
                prop_assert!(optimum.is_none() || node_limit < 1 << fixed.len(), "{optimum:?}");
            }
        }
    }
}

#[test]
fn equal_costs_take_fewer_warehouses_and_then_the_first() {
    // 0 and 1 together cost 10, as 2 alone and 3 alone do.
    let fixed = [5, 5, 10, 10];
    let cost = [0, UNSERVABLE, 0, 0, UNSERVABLE, 0, 0, 0];
    let choice = solve(&Problem { fixed: &fixed, cost: &cost, shipments_max: 4, node_limit: NODE_LIMIT }).unwrap();
    assert_eq!(choice.warehouse, [2, 2]);
}

#[test]
fn no_warehouse_no_line_or_no_shipment_is_infeasible() {
    let none = Problem { fixed: &[], cost: &[], shipments_max: 3, node_limit: 10 };
    assert_eq!(solve(&none), None);
    let no_line = Problem { fixed: &[1], cost: &[], shipments_max: 3, node_limit: 10 };
    assert_eq!(solve(&no_line), None);
    let no_shipment = Problem { fixed: &[1], cost: &[1], shipments_max: 0, node_limit: 10 };
    assert_eq!(solve(&no_shipment), None);
}

/// Lines times nodes, not nodes alone, is what takes time.
#[test]
fn many_lines_get_fewer_nodes() {
    assert_eq!([0, 1, 20, 21, 100].map(node_limit), [NODE_LIMIT, NODE_LIMIT, 50_000, 47_619, 10_000]);
}
