//! What may change a plan, and how: a cheaper warehouse, one warehouse less, the same lines in another order.

use proptest::prelude::*;

use super::super::*;
use super::case::{Case, case};
use crate::fixture::cases;

/// Pieces by warehouse, SKU and units, in order.
fn taken(plan: &Plan) -> Vec<(u32, u32, i64)> {
    let mut pieces = super::pieces(plan);
    pieces.sort_unstable();
    pieces
}

fn planned(case: &Case) -> Option<Plan> {
    let mut planner = case.planner(|index| index as u32);
    let demand = case.demand(&planner, "cheapest");
    planner.plan(&demand).ok()
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_cheaper_warehouse_never_raises_the_cost(case in case(), place: prop::sample::Index, what in 0..3) {
        let Some(before) = planned(&case) else { return Ok(()) };
        let mut cheaper = case.clone();
        place.get_mut(&mut cheaper.places).make_cheaper(what);
        let after = planned(&cheaper).unwrap();
        prop_assert_eq!(&before.unfilled, &after.unfilled);
        // What goes without a part by its own choice may choose another part.
        if before.unfilled.is_empty() && after.proven {
            prop_assert!(after.cost() <= before.cost());
        }
    }

    #[test]
    fn without_an_unused_warehouse_the_plan_is_the_same(case in case(), place: prop::sample::Index) {
        let gone = place.index(case.places.len());
        let before = planned(&case);
        if let Some(plan) = before.filter(|plan| plan.proven && plan.unfilled.is_empty())
            && plan.shipments.iter().all(|shipment| shipment.warehouse as usize != gone)
        {
            let mut without = case;
            without.places[gone].enabled = false;
            prop_assert_eq!(planned(&without), Some(plan));
        }
    }

    #[test]
    fn lines_in_another_order_get_the_same_plan(case in case(), by in 1_usize..4) {
        let mut turned = case.clone();
        turned.lines.reverse();
        let lines = turned.lines.len();
        turned.lines.rotate_left(by % lines);
        let (plan, other) = (planned(&case), planned(&turned));
        prop_assert_eq!(plan.is_some(), other.is_some());
        if let (Some(plan), Some(other)) = (plan, other)
            && case.optimum().is_some()
        {
            prop_assert_eq!((taken(&plan), plan.cost(), plan.proven), (taken(&other), other.cost(), other.proven));
        }
    }
}
