//! Random small networks, what their planner makes of a policy, and every assignment that there is.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::*;
use crate::catalogue::WarehouseTerms;
use crate::cost::Zone;
use crate::fixture::{demand, lines, warehouse};
use crate::policy::{Book, Kind};

pub(super) const TODAY: i32 = 20_000;
pub(super) const NOW_MS: u64 = TODAY as u64 * 86_400_000 + 3_600_000;

#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) degrees: f64,
    pub(super) fixed: i64,
    pub(super) unit: i64,
    /// Days from today to the promised day; none where nothing is promised.
    pub(super) days: Option<i32>,
    pub(super) capacity: Option<(i64, i64)>,
    pub(super) store: bool,
    pub(super) stock: Vec<i64>,
}

#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) sites: Vec<Site>,
    pub(super) wanted: Vec<i64>,
}

pub(super) fn site() -> impl Strategy<Value = Site> {
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

pub(super) fn network() -> impl Strategy<Value = Network> {
    (prop::collection::vec(site(), 1..=4), prop::collection::vec(1_i64..=3, 1..=3))
        .prop_map(|(sites, wanted)| Network { sites, wanted })
}

/// A book of one policy, called p.
pub(super) fn book(policy: Value) -> Book {
    let mut policy = policy;
    policy["name"] = json!("p");
    let book = json!({"version": "1", "default": "p", "policies": [policy], "rules": []});
    Book::decode(&rmp_serde::to_vec_named(&book).unwrap()).unwrap()
}

impl Network {
    pub(super) fn planner(&self, policy: Value) -> Planner {
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

    pub(super) fn order(&self) -> Value {
        let wanted: Vec<(u32, i64)> = (0..).zip(&self.wanted).map(|(sku, &units)| (sku, units)).collect();
        json!({"lines": lines(&wanted)})
    }

    pub(super) fn plan(&self, policy: Value) -> Result<Plan, Refusal> {
        let mut planner = self.planner(policy);
        let demand = demand(&planner, self.order());
        planner.plan(&demand)
    }

    /// What using a site costs besides its lines, and what a line costs there.
    pub(super) fn costs(&self, at: usize, line: usize) -> (i64, i64) {
        (self.sites[at].fixed, self.sites[at].unit * self.wanted[line])
    }

    pub(super) fn metres(&self, at: usize) -> i64 {
        let east = crate::geo::Point::from_degrees(0.0, self.sites[at].degrees);
        i64::from(east.metres_to(&crate::geo::Point::from_degrees(0.0, 0.0)))
    }

    /// Days to the promised one; those of the latest promise where there is none, of the sites that may serve.
    pub(super) fn days(&self, at: usize, serves: &[usize]) -> i64 {
        let latest = serves.iter().filter_map(|&site| self.sites[site].days).max();
        i64::from(self.sites[at].days.or(latest).unwrap_or(0))
    }

    pub(super) fn load(&self, at: usize, amount: i64) -> i64 {
        self.sites[at].capacity.map_or(0, |(used, most)| amount * used / most)
    }

    /// Every assignment of whole lines to sites that may serve: the sites used, and the cost.
    pub(super) fn assignments(&self, serves: &[usize]) -> Vec<(Vec<usize>, i64)> {
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

    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.sites.len()).collect()
    }
}
