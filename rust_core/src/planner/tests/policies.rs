//! Each policy's rule, on random small networks held against every assignment of whole lines to warehouses.

mod filters;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::*;
use super::{flaws, pieces};
use crate::catalogue::WarehouseTerms;
use crate::cost::Zone;
use crate::fixture::{demand, lines, warehouse};
use crate::policy::{Book, Kind};

const TODAY: i32 = 20_000;
const NOW_MS: u64 = TODAY as u64 * 86_400_000 + 3_600_000;

#[derive(Clone, Debug)]
struct Site {
    degrees: f64,
    fixed: i64,
    unit: i64,
    /// Days from today to the promised day; none where nothing is promised.
    days: Option<i32>,
    capacity: Option<(i64, i64)>,
    store: bool,
    stock: Vec<i64>,
}

#[derive(Clone, Debug)]
struct Network {
    sites: Vec<Site>,
    wanted: Vec<i64>,
}

fn site() -> impl Strategy<Value = Site> {
    let costs = (0_u32..5, 0_i64..6, 0_i64..4);
    let days = prop::option::weighted(0.8, 0_i32..4);
    let capacity = prop::option::weighted(0.6, (0_i64..4, 4_i64..6));
    let stock = prop::collection::vec(0_i64..4, 3);
    (costs, days, capacity, any::<bool>(), stock).prop_map(|((east, fixed, unit), days, capacity, store, stock)| Site {
        degrees: f64::from(east),
        fixed: 100 * fixed,
        unit: 30 * unit,
        days,
        capacity,
        store,
        stock,
    })
}

fn network() -> impl Strategy<Value = Network> {
    (prop::collection::vec(site(), 1..=4), prop::collection::vec(1_i64..=3, 1..=3))
        .prop_map(|(sites, wanted)| Network { sites, wanted })
}

/// A book of one policy, called p.
fn book(policy: Value) -> Book {
    let mut policy = policy;
    policy["name"] = json!("p");
    let book = json!({"version": "1", "default": "p", "policies": [policy], "rules": []});
    Book::decode(&rmp_serde::to_vec_named(&book).unwrap()).unwrap()
}

impl Network {
    fn planner(&self, policy: Value) -> Planner {
        let mut planner = Planner { currency: "CNY".into(), now_ms: Some(NOW_MS), ..Planner::default() };
        planner.capacity.set_day(Some(TODAY as u32));
        planner.costs.set_tariff(vec![Zone { name: "z".into(), transit_days: Some(0), ..Zone::default() }]);
        for (number, site) in (0_u32..).zip(&self.sites) {
            let terms = WarehouseTerms {
                fixed_cost: site.fixed,
                unit_cost: site.unit,
                capacity: site.capacity.map(|(_, most)| most),
                ..warehouse(site.degrees)
            };
            assert!(planner.put_warehouse(number, &format!("w{number}"), terms));
            planner.policies.traits_mut().put_warehouse(
                number,
                if site.store { Kind::Store } else { Kind::Dc },
                &if site.store { vec!["cold".to_owned()] } else { vec![] },
            );
            let leaves = site.days.map(|days| (NOW_MS + 1, TODAY + days));
            planner.dispatches.set(number, Some(leaves.into_iter().collect()));
            planner.capacity.set(TODAY as u32, number, site.capacity.map_or(0, |(used, _)| used), 0);
            for (sku, &units) in (0..).zip(&site.stock) {
                planner.view.set(cell_id(sku, number), units, 1);
            }
        }
        for sku in 0..3 {
            assert!(planner.catalogue.put_sku(sku, &format!("s{sku}"), Default::default()));
        }
        planner.set_book(book(policy));
        planner
    }

    fn order(&self) -> Value {
        let wanted: Vec<(u32, i64)> = (0..).zip(&self.wanted).map(|(sku, &units)| (sku, units)).collect();
        json!({"lines": lines(&wanted)})
    }

    fn plan(&self, policy: Value) -> Result<Plan, Refusal> {
        let mut planner = self.planner(policy);
        let demand = demand(&planner, self.order());
        planner.plan(&demand)
    }

    /// What using a site costs besides its lines, and what a line costs there.
    fn costs(&self, at: usize, line: usize) -> (i64, i64) {
        (self.sites[at].fixed, self.sites[at].unit * self.wanted[line])
    }

    fn metres(&self, at: usize) -> i64 {
        let east = crate::geo::Point::from_degrees(0.0, self.sites[at].degrees);
        i64::from(east.metres_to(&crate::geo::Point::from_degrees(0.0, 0.0)))
    }

    /// Days to the promised one; those of the latest promise where there is none, of the sites that may serve.
    fn days(&self, at: usize, serves: &[usize]) -> i64 {
        let latest = serves.iter().filter_map(|&site| self.sites[site].days).max();
        i64::from(self.sites[at].days.or(latest).unwrap_or(0))
    }

    fn load(&self, at: usize, amount: i64) -> i64 {
        self.sites[at].capacity.map_or(0, |(used, most)| amount * used / most)
    }

    /// Every assignment of whole lines to sites that may serve: the sites used, and the cost.
    fn assignments(&self, serves: &[usize]) -> Vec<(Vec<usize>, i64)> {
        let lines = self.wanted.len();
        let mut found = Vec::new();
        for number in 0..serves.len().pow(lines as u32) {
            let at = |line: usize| serves[number / serves.len().pow(line as u32) % serves.len()];
            if (0..lines).any(|line| self.sites[at(line)].stock[line] < self.wanted[line]) {
                continue;
            }
            let mut used: Vec<usize> = (0..lines).map(at).collect();
            used.sort_unstable();
            used.dedup();
            let fixed: i64 = used.iter().map(|&site| self.sites[site].fixed).sum();
            let cost = fixed + (0..lines).map(|line| self.costs(at(line), line).1).sum::<i64>();
            found.push((used, cost));
        }
        found
    }

    fn all(&self) -> Vec<usize> {
        (0..self.sites.len()).collect()
    }
}

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
