//! Random small networks with an order on each, and what every assignment of whole lines to warehouses would cost.

use proptest::prelude::*;
use serde_json::json;

use super::super::*;
use crate::catalogue::{SkuTerms, WarehouseTerms};
use crate::cost::Zone;
use crate::fixture;
use crate::geo::Point;
use crate::ids::cell_id;

const SKUS: usize = 4;

/// Few different numbers, so that costs tie often.
#[derive(Clone, Debug)]
pub struct Place {
    lat: f64,
    lon: f64,
    pub enabled: bool,
    priority: u32,
    fixed: i64,
    unit: i64,
    per_km: f64,
    /// A number a SKU; below zero where safety stock was raised.
    stock: Vec<i64>,
}

/// A network and an order on it. Warehouse 2 is called w2, SKU 1 is called s1.
#[derive(Clone, Debug)]
pub struct Case {
    pub places: Vec<Place>,
    zones: Vec<(u32, i64, i64)>,
    weights: Vec<i64>,
    pub lines: Vec<(usize, i64)>,
    allowed: Option<Vec<usize>>,
    pub pickup: Option<usize>,
    pub max_shipments: Option<usize>,
    pub allow_partial: bool,
}

impl Place {
    /// Takes from what it costs once, by the unit or by the way.
    pub fn make_cheaper(&mut self, what: i32) {
        match what {
            0 => self.fixed /= 2,
            1 => self.unit = 0,
            _ => self.per_km /= 2.0,
        }
    }
}

fn place() -> impl Strategy<Value = Place> {
    let where_and_whether = (-2_i32..3, -2_i32..3, prop::bool::weighted(0.9), 0_u32..2);
    let costs = (0_i64..4, 0_i64..3, prop_oneof![Just(0.0), Just(0.02)]);
    let stock = prop::collection::vec(-1_i64..7, SKUS);
    (where_and_whether, costs, stock).prop_map(|((lat, lon, enabled, priority), (fixed, unit, per_km), stock)| Place {
        lat: f64::from(lat),
        lon: f64::from(lon),
        enabled,
        priority,
        fixed: 5 * fixed,
        unit,
        per_km,
        stock,
    })
}

pub fn case() -> impl Strategy<Value = Case> {
    let zones = prop_oneof![
        Just(vec![]),
        (0_i64..3, 0_i64..3).prop_map(|(base, per_kg)| vec![(150, 2, 1), (300, 2 + base, 1 + per_kg)])
    ];
    let network = (prop::collection::vec(place(), 1..=5), zones, prop::collection::vec(0_i64..3, SKUS));
    network.prop_flat_map(|(places, zones, weights)| {
        let count = places.len();
        let lines = prop::collection::vec((0..SKUS, 1_i64..=4), 1..=4);
        let allowed = prop::option::weighted(0.2, prop::sample::subsequence((0..count).collect::<Vec<_>>(), 1..=count));
        let pickup = prop::option::weighted(0.1, 0..count);
        let shape = (prop::option::weighted(0.4, 1_usize..=3), any::<bool>());
        (lines, allowed, pickup, shape).prop_map(move |(lines, allowed, pickup, (max_shipments, allow_partial))| Case {
            places: places.clone(),
            zones: zones.clone(),
            weights: weights.iter().map(|halves| 500 * halves).collect(),
            lines,
            // Both would contradict each other more often than not.
            allowed: if pickup.is_none() { allowed } else { None },
            pickup,
            max_shipments,
            allow_partial,
        })
    })
}

impl Case {
    /// The planner, its warehouses numbered by `number_of` their index.
    pub fn planner(&self, number_of: impl Fn(usize) -> u32) -> Planner {
        let mut planner = Planner::default();
        for (index, place) in self.places.iter().enumerate() {
            let terms = WarehouseTerms {
                point: Point::from_degrees(place.lat, place.lon),
                enabled: place.enabled,
                priority: place.priority,
                fixed_cost: place.fixed,
                unit_cost: place.unit,
                cost_per_km: place.per_km,
                capacity: None,
            };
            assert!(planner.put_warehouse(number_of(index), &format!("w{index}"), terms));
            for (sku, &free) in (0..).zip(&place.stock) {
                planner.view.set(cell_id(sku, number_of(index)), free, 1);
            }
        }
        for (sku, &weight_g) in (0..).zip(&self.weights) {
            let terms = SkuTerms { weight_g, ..SkuTerms::default() };
            assert!(planner.catalogue.put_sku(sku, &format!("s{sku}"), terms));
        }
        let zone = |&(km, base, per_kg): &(u32, i64, i64)| Zone {
            name: "z".into(),
            max_m: 1000 * km,
            base,
            per_kg,
            ..Zone::default()
        };
        planner.costs.set_tariff(self.zones.iter().map(zone).collect());
        planner
    }

    pub fn demand(&self, planner: &Planner, policy: &str) -> Demand {
        let lines: Vec<(u32, i64)> = self.lines.iter().map(|&(sku, quantity)| (sku as u32, quantity)).collect();
        let mut fields = json!({
            "lines": fixture::lines(&lines), "policy": policy, "allow_partial": self.allow_partial
        });
        if let Some(max) = self.max_shipments {
            fields["max_shipments"] = json!(max);
        }
        if let Some(allowed) = &self.allowed {
            fields["warehouses"] = allowed.iter().map(|index| format!("w{index}")).collect();
        }
        if let Some(index) = self.pickup {
            fields["pickup_at"] = json!(format!("w{index}"));
        }
        fixture::demand(planner, fields)
    }

    fn shipments_max(&self) -> usize {
        self.max_shipments.unwrap_or(usize::MAX)
    }

    /// Units by SKU, each SKU once.
    pub fn wanted(&self) -> Vec<(usize, i64)> {
        let units = |sku| self.lines.iter().filter(|line| line.0 == sku).map(|line| line.1).sum();
        (0..SKUS).map(|sku| (sku, units(sku))).filter(|wanted| wanted.1 > 0).collect()
    }

    /// Warehouses that may serve the order, by priority and then by name.
    pub fn eligible(&self) -> Vec<usize> {
        let mut eligible: Vec<usize> = (0..self.places.len())
            .filter(|index| self.places[*index].enabled)
            .filter(|index| self.allowed.as_ref().is_none_or(|allowed| allowed.contains(index)))
            .filter(|index| self.pickup.is_none_or(|pickup| pickup == *index))
            .collect();
        eligible.sort_by_key(|&index| (self.places[index].priority, index));
        eligible
    }

    pub fn free(&self, sku: usize, index: usize) -> i64 {
        self.places[index].stock[sku].max(0)
    }

    pub fn available(&self, sku: usize) -> i64 {
        self.eligible().iter().map(|&index| self.free(sku, index)).sum()
    }

    /// What shipping these SKUs and units from a warehouse costs.
    fn cost(&self, index: usize, lines: &[(usize, i64)]) -> i64 {
        let place = &self.places[index];
        let picked: i64 = lines.iter().map(|&(_, quantity)| place.unit * quantity).sum();
        if self.pickup.is_some() {
            return place.fixed + picked;
        }
        let metres = self.metres(index);
        let way = (place.per_km * f64::from(metres) / 1000.0).round() as i64;
        let reached = self.zones.iter().find(|zone| metres <= zone.0 * 1000).or(self.zones.last());
        let (base, per_kg) = reached.map_or((0, 0), |&(_, base, per_kg)| (base, per_kg));
        let freight: i64 = lines.iter().map(|&(sku, units)| (per_kg * self.weights[sku] * units + 999) / 1000).sum();
        place.fixed + way + base + picked + freight
    }

    pub fn metres(&self, index: usize) -> u32 {
        let place = &self.places[index];
        Point::from_degrees(place.lat, place.lon).metres_to(&Point::from_degrees(0.0, 0.0))
    }

    /// Whether some set of as many warehouses as are allowed holds everything, lines whole or not.
    pub fn fits(&self) -> bool {
        let eligible = self.eligible();
        (1_u32..1 << eligible.len()).any(|set| {
            let chosen = || (0..eligible.len()).filter(|rank| set >> rank & 1 == 1).map(|rank| eligible[rank]);
            let held = |sku| -> i64 { chosen().map(|index| self.free(sku, index)).sum() };
            chosen().count() <= self.shipments_max() && self.wanted().iter().all(|&(sku, units)| held(sku) >= units)
        })
    }

    /// The best assignment of whole lines: its cost, then fewer shipments, then warehouses that rank first.
    pub fn optimum(&self) -> Option<(i64, Vec<usize>)> {
        let (wanted, eligible) = (self.wanted(), self.eligible());
        let mut best: Option<(i64, usize, Vec<usize>)> = None;
        for assignment in 0..eligible.len().pow(wanted.len() as u32) {
            let at = |line: usize| assignment / eligible.len().pow(line as u32) % eligible.len();
            if (0..wanted.len()).any(|line| self.free(wanted[line].0, eligible[at(line)]) < wanted[line].1) {
                continue;
            }
            let mut used: Vec<usize> = (0..wanted.len()).map(at).collect();
            used.sort_unstable();
            used.dedup();
            if used.len() > self.shipments_max() {
                continue;
            }
            let cost = used.iter().map(|&rank| {
                let lines: Vec<(usize, i64)> =
                    (0..wanted.len()).filter(|&line| at(line) == rank).map(|line| wanted[line]).collect();
                self.cost(eligible[rank], &lines)
            });
            let found = (cost.sum(), used.len(), used);
            if best.as_ref().is_none_or(|best| found < *best) {
                best = Some(found);
            }
        }
        best.map(|(cost, _, used)| (cost, used.into_iter().map(|rank| eligible[rank]).collect()))
    }

    /// The least cost where lines that no warehouse holds whole are shared in any way, and the others come whole.
    pub fn shared_optimum(&self) -> Option<i64> {
        let (wanted, eligible) = (self.wanted(), self.eligible());
        let mut best = None;
        for set in 1_u32..1 << eligible.len() {
            let chosen: Vec<usize> =
                (0..eligible.len()).filter(|rank| set >> rank & 1 == 1).map(|rank| eligible[rank]).collect();
            if chosen.len() > self.shipments_max() {
                continue;
            }
            let fixed: i64 = chosen.iter().map(|&index| self.cost(index, &[])).sum();
            let lines = wanted.iter().map(|&(sku, units)| {
                let whole = eligible.iter().any(|&index| self.free(sku, index) >= units);
                self.least_of_line(&chosen, sku, units, whole)
            });
            let cost = lines.sum::<Option<i64>>().map(|cost| cost + fixed);
            best = best.into_iter().chain(cost).min();
        }
        best
    }

    /// The least that units of a SKU cost from these warehouses, besides opening them.
    fn least_of_line(&self, chosen: &[usize], sku: usize, units: i64, whole: bool) -> Option<i64> {
        let Some((&index, others)) = chosen.split_first() else { return (units == 0).then_some(0) };
        let most = units.min(self.free(sku, index));
        (0..=most)
            .filter(|&here| !whole || here == 0 || here == units)
            .filter_map(|here| {
                let own = self.cost(index, &[(sku, here)]) - self.cost(index, &[]);
                Some(own + self.least_of_line(others, sku, units - here, whole)?)
            })
            .min()
    }

    /// A plan takes no more than there is, from where it may, and adds up.
    pub fn check(&self, plan: &Plan, number_of: impl Fn(usize) -> u32) {
        let eligible = self.eligible();
        let mut last_rank = None;
        assert!(!plan.shipments.is_empty() && plan.shipments.len() <= self.shipments_max());
        for shipment in &plan.shipments {
            let rank = eligible.iter().position(|&index| number_of(index) == shipment.warehouse).unwrap();
            assert!(last_rank < Some(rank), "a warehouse twice, or out of rank");
            last_rank = Some(rank);
            let index = eligible[rank];
            assert!(!shipment.lines.is_empty());
            assert!(shipment.lines.iter().all(|&(sku, units)| (1..=self.free(sku as usize, index)).contains(&units)));
            let lines: Vec<_> = shipment.lines.iter().map(|&(sku, units)| (sku as usize, units)).collect();
            assert_eq!(shipment.cost, self.cost(index, &lines));
            assert_eq!(shipment.metres, if self.pickup.is_some() { 0 } else { self.metres(index) });
        }
        for (sku, wanted) in self.wanted() {
            let of = |lines: &[(u32, i64)]| -> i64 {
                lines.iter().filter(|line| line.0 as usize == sku).map(|line| line.1).sum()
            };
            let (filled, unfilled): (i64, _) =
                (plan.shipments.iter().map(|shipment| of(&shipment.lines)).sum(), of(&plan.unfilled));
            assert_eq!(filled + unfilled, wanted);
            assert!(self.allow_partial || unfilled == 0);
            assert!(self.max_shipments.is_some() || filled == wanted.min(self.available(sku)));
        }
        assert_eq!(plan.cost(), plan.shipments.iter().map(|shipment| shipment.cost).sum::<i64>());
    }

    /// What a rule takes that goes through the warehouses in this order, if it may use them all.
    pub fn greedy(&self, order: &[usize]) -> Vec<(usize, usize, i64)> {
        let mut taken = Vec::new();
        for (sku, mut wanted) in self.wanted() {
            for &index in order {
                let units = wanted.min(self.free(sku, index));
                wanted -= units;
                taken.push((index, sku, units));
            }
        }
        taken.retain(|piece| piece.2 > 0);
        taken.sort_unstable();
        taken
    }
}
