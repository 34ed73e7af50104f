//! Random orders on random networks, held against every assignment that there is.

use proptest::prelude::*;

use super::super::*;
use super::case::case;

/// A plan by names, as two numberings of one network can be compared.
fn named(planner: &Planner, plan: &Result<Plan, Refusal>) -> String {
    let Ok(plan) = plan else { return format!("{plan:?}") };
    let shipments: Vec<_> = plan
        .shipments
        .iter()
        .map(|shipment| (planner.catalogue.warehouse_name(shipment.warehouse), shipment.cost, &shipment.lines))
        .collect();
    format!("{shipments:?} {:?} {}", plan.unfilled, plan.proven)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// No way to share the lines that are too large for every warehouse costs less than a plan that is proven, and little
    /// less than one that is not: each piece may cost one minor unit more, as its freight is rounded up.
    #[test]
    fn lines_that_must_be_cut_are_shared_at_the_least_cost(case in case()) {
        let mut planner = case.planner(|index| index as u32);
        let demand = case.demand(&planner, "cheapest");
        let wanted = case.wanted();
        let enough = wanted.iter().all(|&(sku, units)| case.available(sku) >= units);
        if let (true, Some(optimum), Ok(plan)) = (enough, case.shared_optimum(), planner.plan(&demand)) {
            let pieces: usize = plan.shipments.iter().map(|shipment| shipment.lines.len()).sum();
            let slack = if plan.proven { 0 } else { pieces as i64 };
            prop_assert!((optimum..=optimum + slack).contains(&plan.cost()));
        }
    }

    /// What is planned at a glance is what a look at everything finds.
    #[test]
    fn the_shortcut_changes_no_plan(case in case()) {
        let mut planner = case.planner(|index| index as u32);
        let demand = case.demand(&planner, "cheapest");
        if let Some(plan) = planner.shortcut(&demand) {
            prop_assert_eq!(Ok(plan), planner.plan_with(&demand, true));
        }
    }

    #[test]
    fn the_cheapest_plan_is_the_optimum_and_every_plan_adds_up(case in case()) {
        let mut planner = case.planner(|index| index as u32);
        let wanted = case.wanted();
        let cut = wanted.iter().any(|&(sku, units)| case.eligible().iter().all(|&at| case.free(sku, at) < units));
        let enough = wanted.iter().all(|&(sku, units)| case.available(sku) >= units);
        let optimum = case.optimum();
        for policy in ["cheapest", "nearest", "priority"] {
            let demand = case.demand(&planner, policy);
            let planned = planner.plan(&demand);
            if let Ok(plan) = &planned {
                case.check(plan, |index| index as u32);
            }
            match &optimum {
                Some((cost, used)) => {
                    let plan = planned.as_ref().unwrap();
                    prop_assert!(plan.unfilled.is_empty());
                    if policy == "cheapest" {
                        prop_assert!(plan.proven && !cut);
                        prop_assert_eq!(plan.cost(), *cost);
                        let took: Vec<_> = plan.shipments.iter().map(|shipment| shipment.warehouse as usize).collect();
                        prop_assert_eq!(&took, used, "ties go to fewer shipments and then to rank");
                    }
                }
                // Lines must be cut, or the shipments do not suffice.
                None if enough && case.max_shipments.is_none() => prop_assert!(planned.is_ok()),
                None => {}
            }
            match planned {
                Ok(plan) => {
                    prop_assert!(enough || case.allow_partial);
                    prop_assert!(plan.unfilled.is_empty() || !case.fits());
                }
                Err(Refusal::Short(short)) => {
                    prop_assert!(!enough && !short.is_empty());
                    for short in short {
                        prop_assert_eq!(short.available, case.available(short.sku as usize));
                        prop_assert!(short.available < short.requested);
                    }
                }
                Err(Refusal::TooSpread(Spread { rows, .. })) => {
                    prop_assert!(enough && !case.allow_partial && case.max_shipments.is_some());
                    prop_assert!(!case.fits(), "some set of warehouses has everything");
                    prop_assert!(!rows.is_empty());
                    for row in rows {
                        prop_assert_eq!(row.available, case.available(row.sku as usize));
                        prop_assert!(row.within < row.requested && row.requested <= row.available);
                    }
                }
                Err(refusal) => prop_assert!(false, "nothing else stands in its way: {refusal:?}"),
            }
        }
    }

    #[test]
    fn rules_take_what_the_first_has_before_they_go_on(mut case in case()) {
        case.max_shipments = None;
        let mut planner = case.planner(|index| index as u32);
        let by_rank = case.eligible();
        let mut by_distance = by_rank.clone();
        by_distance.sort_by_key(|&index| if case.pickup.is_some() { 0 } else { case.metres(index) });
        for (policy, order) in [("nearest", by_distance), ("priority", by_rank)] {
            let demand = case.demand(&planner, policy);
            if let Ok(plan) = planner.plan(&demand) {
                let mut taken: Vec<(usize, usize, i64)> = super::pieces(&plan)
                    .into_iter()
                    .map(|(warehouse, sku, units)| (warehouse as usize, sku as usize, units))
                    .collect();
                taken.sort_unstable();
                prop_assert_eq!(taken, case.greedy(&order), "{}", policy);
            }
        }
    }

    /// The order of an order's lines, and the numbers that the store happened to give out, decide nothing.
    #[test]
    fn neither_the_order_of_lines_nor_the_numbers_matter(case in case(), step in prop::sample::select(vec![1_usize, 2, 3])) {
        let (mut planner, last) = (case.planner(|index| index as u32), case.places.len() - 1);
        let renumbered = |index: usize| (step * (last - index) + 7) as u32;
        let mut other = case.planner(renumbered);
        let mut turned = case.clone();
        turned.lines.reverse();
        for policy in ["cheapest", "nearest", "priority"] {
            let (demand, other_demand) = (case.demand(&planner, policy), case.demand(&other, policy));
            let (plan, again, elsewhere) = (planner.plan(&demand), planner.plan(&demand), other.plan(&other_demand));
            prop_assert_eq!(&plan, &again);
            prop_assert_eq!(named(&planner, &plan), named(&other, &elsewhere));
            let turned_demand = turned.demand(&planner, policy);
            let turned_cost = planner.plan(&turned_demand).map(|plan| plan.cost()).ok();
            prop_assert_eq!(plan.map(|plan| plan.cost()).ok(), turned_cost);
        }
    }
}
