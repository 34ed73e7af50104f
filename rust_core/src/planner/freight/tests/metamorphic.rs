//! What may change the cost of an order that is charged by the weight of whole shipments.

use proptest::prelude::*;

use super::super::super::Plan;
use super::{Case, case};
use crate::catalogue::WarehouseTerms;
use crate::fixture::cases;

fn planned(case: &Case, without: Option<usize>) -> Option<Plan> {
    let mut planner = case.planner();
    if let Some(gone) = without {
        let terms = *planner.catalogue.warehouse_terms(gone as u32)?;
        assert!(planner.put_warehouse(gone as u32, &format!("w{gone}"), WarehouseTerms { enabled: false, ..terms }));
    }
    let demand = case.demand(&planner);
    let plan = planner.plan(&demand).ok()?;
    case.optimum().is_some().then_some(plan)
}

fn any_case() -> impl Strategy<Value = Case> {
    (2_usize..=4, 1_usize..=5).prop_flat_map(|(warehouses, lines)| case(warehouses, lines))
}

proptest! {
    #![proptest_config(cases(800))]

    #[test]
    fn a_cheaper_warehouse_or_carrier_never_raises_the_cost(case in any_case(), place: prop::sample::Index, carrier: bool) {
        let Some(before) = planned(&case, None) else { return Ok(()) };
        let mut cheaper = case;
        if carrier {
            let zones = &mut place.get_mut(&mut cheaper.carriers).zones;
            zones.iter_mut().for_each(|zone| zone.base /= 2);
        } else {
            let (fixed, unit) = place.get_mut(&mut cheaper.costs);
            (*fixed, *unit) = (*fixed / 2, *unit / 2);
        }
        prop_assert!(planned(&cheaper, None).unwrap().cost() <= before.cost());
    }

    #[test]
    fn without_an_unused_warehouse_the_plan_is_the_same(case in any_case(), place: prop::sample::Index) {
        let gone = place.index(case.costs.len());
        if let Some(plan) = planned(&case, None)
            && plan.shipments.iter().all(|shipment| shipment.warehouse as usize != gone)
        {
            let without = planned(&case, Some(gone)).unwrap();
            prop_assert_eq!((without.cost(), without.proven), (plan.cost(), plan.proven));
        }
    }

    #[test]
    fn lines_in_another_order_cost_the_same(case in any_case(), by in 1_usize..5) {
        let mut turned = case.clone();
        let by = by % case.wanted.len();
        turned.wanted.rotate_left(by);
        turned.skus.rotate_left(by);
        turned.stock.rotate_left(by);
        let of = |case: &Case| planned(case, None).map(|plan| (plan.cost(), plan.proven));
        prop_assert_eq!(of(&case), of(&turned));
    }
}
