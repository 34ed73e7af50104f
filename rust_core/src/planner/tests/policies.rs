//! Each policy's rule, on random small networks held against every assignment of whole lines to warehouses.

mod filters;
mod network;

use proptest::prelude::*;
use serde_json::{Value, json};

use self::network::{Network, Site, network};
use super::super::*;
use super::{flaws, pieces};
use crate::fixture::{demand, lines};

fn used(plan: &Plan) -> Vec<usize> {
    plan.shipments.iter().map(|shipment| shipment.warehouse as usize).collect()
}

/// The plan of a policy is the least by a measure, of all assignments over the sites that may serve, and booked at its cost.
fn least<K: Ord + std::fmt::Debug>(
    network: &Network,
    policy: Value,
    serves: &[usize],
    measure: impl Fn(&[usize], i64) -> K,
) -> Result<(), TestCaseError> {
    let optimum = network.assignments(serves).into_iter().map(|(used, cost)| measure(&used, cost)).min();
    let Some(optimum) = optimum else { return Ok(()) };
    let plan = network.plan(policy).unwrap();
    prop_assert!(plan.proven);
    prop_assert_eq!(measure(&used(&plan), plan.cost()), optimum);
    let booked: i64 = plan
        .shipments
        .iter()
        .map(|shipment| {
            let site = &network.sites[shipment.warehouse as usize];
            site.fixed + shipment.lines.iter().map(|&(_, units)| site.unit * units).sum::<i64>()
        })
        .sum();
    prop_assert_eq!(plan.cost(), booked);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn cheapest_is_the_least_cost(network in network()) {
        least(&network, json!({"objective": "cheapest"}), &network.all(), |_, cost| cost)?;
    }

    #[test]
    fn penalties_decide_and_are_not_booked(network in network(), split in 0_i64..300, late in 0_i64..200, load in 0_i64..400) {
        let all = network.all();
        let policy = json!({
            "objective": "cheapest", "split_penalty": split, "lateness_cost_per_day": late, "load_cost": load,
            "deliver_within_days": 1
        });
        least(&network, policy, &all, |used, cost| {
            let of_site = |&site: &usize| late * (network.days(site, &all) - 1).max(0) + network.load(site, load);
            cost + split * (used.len() as i64 - 1) + used.iter().map(of_site).sum::<i64>()
        })?;
    }

    #[test]
    fn fewest_shipments_come_first_and_then_the_least_cost(network in network()) {
        least(&network, json!({"objective": "fewest_shipments"}), &network.all(), |used, cost| (used.len(), cost))?;
    }

    /// The last promised day is the first by which everything can be had, lines cut or not; then the cost is the least.
    #[test]
    fn fastest_is_the_earliest_last_day_and_then_the_least_cost(network in network()) {
        let day = |site: usize| network.sites[site].days.unwrap_or(i32::MAX);
        let has_all = |by: i32| (0..network.wanted.len()).all(|line| {
            let held = network.all().into_iter().filter(|&site| day(site) <= by);
            held.map(|site| network.sites[site].stock[line]).sum::<i64>() >= network.wanted[line]
        });
        let first = network.all().into_iter().map(day).filter(|&by| has_all(by)).min();
        let planned = network.plan(json!({"objective": "fastest"}));
        prop_assert_eq!(planned.is_ok(), first.is_some());
        if let (Ok(plan), Some(first)) = (planned, first) {
            prop_assert_eq!(used(&plan).into_iter().map(day).max(), Some(first));
            let early: Vec<usize> = network.all().into_iter().filter(|&site| day(site) <= first).collect();
            if let Some(cost) = network.assignments(&early).into_iter().map(|(_, cost)| cost).min() {
                prop_assert!(plan.proven);
                prop_assert_eq!(plan.cost(), cost);
            }
        }
    }

    #[test]
    fn balanced_is_the_least_weighted_sum(
        network in network(), cost in 0_i64..3, per_km in 0_i64..3, per_day in 0_i64..200, per_shipment in 0_i64..200,
        load in 0_i64..300
    ) {
        let all = network.all();
        let weights = json!({
            "cost": 500 * cost, "per_km": 1000 * per_km, "per_day": 1000 * per_day, "per_shipment": 1000 * per_shipment,
            "load": 1000 * load
        });
        least(&network, json!({"objective": "balanced", "weights": weights}), &all, |used, booked| {
            let of_site = |&site: &usize| {
                per_km * network.metres(site) + 1000 * per_day * network.days(site, &all) + 1000 * per_shipment
                    + network.load(site, 1000 * load)
            };
            500 * cost * booked + used.iter().map(of_site).sum::<i64>()
        })?;
    }

    #[test]
    fn pinned_takes_from_its_list_alone_in_its_order(network in network(), turned: bool) {
        let mut list: Vec<usize> = (0..network.sites.len()).filter(|site| site % 2 == 0).collect();
        if turned {
            list.reverse();
        }
        let names: Vec<String> = list.iter().map(|site| format!("w{site}")).collect();
        let planned = network.plan(json!({"objective": "pinned", "warehouses": names}));
        check_order(&network, &list, planned)?;
    }

    #[test]
    fn priority_goes_on_from_its_list_to_the_others(network in network()) {
        let last = network.sites.len() - 1;
        let mut order = vec![last];
        order.extend((0..last).collect::<Vec<_>>());
        check_order(&network, &order, network.plan(json!({"objective": "priority", "warehouses": [format!("w{last}")]})))?;
    }

    #[test]
    fn nearest_takes_what_the_nearest_has(network in network()) {
        let mut order = network.all();
        order.sort_by_key(|&site| network.metres(site));
        check_order(&network, &order, network.plan(json!({"objective": "nearest"})))?;
    }

    #[test]
    fn filters_leave_the_optimum_of_the_others(network in network()) {
        let stores: Vec<usize> = network.all().into_iter().filter(|&site| network.sites[site].store).collect();
        let not_first: Vec<usize> = network.all().into_iter().filter(|&site| site != 0).collect();
        for (only, serves) in [
            (json!({"kinds": ["store"]}), &stores),
            (json!({"capabilities": ["cold"]}), &stores),
            (json!({"capabilities": ["cold", "nobody has it"]}), &vec![]),
            (json!({"exclude": ["w0", "nowhere"]}), &not_first),
        ] {
            least(&network, json!({"objective": "cheapest", "only": only}), serves, |_, cost| cost)?;
            if let Ok(plan) = network.plan(json!({"objective": "nearest", "only": only})) {
                prop_assert!(used(&plan).iter().all(|site| serves.contains(site)));
            }
        }
    }

    #[test]
    fn a_policy_that_allows_fewer_shipments_gets_no_more(network in network(), most in 1_usize..3) {
        for objective in ["cheapest", "nearest", "fastest", "fewest_shipments", "priority"] {
            if let Ok(plan) = network.plan(json!({"objective": objective, "max_shipments": most})) {
                prop_assert!(plan.shipments.len() <= most);
            }
        }
    }

    #[test]
    fn one_input_has_one_plan(network in network()) {
        for policy in [
            json!({"objective": "fastest"}),
            json!({"objective": "fewest_shipments", "load_cost": 100}),
            json!({"objective": "balanced", "weights": {"cost": 1000, "per_day": 9000}}),
            json!({"objective": "priority", "warehouses": ["w1", "w0"]}),
        ] {
            prop_assert_eq!(network.plan(policy.clone()), network.plan(policy));
        }
    }
}

/// Takes what the first has before it goes on, and refuses what all of them together have not.
fn check_order(network: &Network, order: &[usize], planned: Result<Plan, Refusal>) -> Result<(), TestCaseError> {
    let mut taken = Vec::new();
    let mut short = false;
    for (line, &wanted) in network.wanted.iter().enumerate() {
        let mut left = wanted;
        for &site in order {
            let units = left.min(network.sites[site].stock[line]);
            left -= units;
            taken.push((site as u32, line as u32, units));
        }
        short |= left > 0;
    }
    taken.retain(|piece| piece.2 > 0);
    taken.sort_unstable();
    prop_assert_eq!(planned.is_err(), short);
    if let Ok(plan) = planned {
        let mut found = pieces(&plan);
        found.sort_unstable();
        prop_assert_eq!(found, taken);
    }
    Ok(())
}
