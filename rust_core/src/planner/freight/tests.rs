//! Freight by the weight of whole shipments, held against every assignment that there is.

mod larger;
mod metamorphic;
mod work;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Plan, Planner};
use super::*;
use crate::catalogue::WarehouseTerms;
use crate::cost::{Carrier, Step, Zone};
use crate::fixture::{demand, lines, planner, warehouse};

/// A carrier of any kind: minimum, steps, volume, rounded weight, service level, two zones by distance.
fn carrier() -> impl Strategy<Value = Carrier> {
    let step = (100_i64..2500, 0_i64..300);
    let zone = (0_i64..200, 0_i64..300, 0_i64..500, prop::collection::vec(step, 0..3), prop::option::of(0_u8..4));
    let zone = zone.prop_map(|(base, per_kg, minimum, parts, transit_days)| {
        let (mut up_to_g, mut amount) = (0, 0);
        let steps = parts.into_iter().map(|(more_g, more)| {
            (up_to_g, amount) = (up_to_g + more_g, amount + more);
            Step { up_to_g, amount }
        });
        Zone { base, per_kg, minimum, steps: steps.collect(), transit_days, ..Zone::default() }
    });
    let kind = (prop_oneof![Just(0_u32), 2000_u32..7000], prop_oneof![Just(0_i64), 200_i64..1500], any::<bool>());
    (zone.clone(), zone, kind).prop_map(|(near, far, (cm3_per_kg, weight_step_g, far_too))| {
        let near = Zone { max_m: 150_000, ..near };
        // Of one that names no end, the second takes all that is left; else what is far is not served.
        let zones = if far_too { vec![near, far] } else { vec![Zone { countries: vec!["".into()], ..near }] };
        Carrier { zones, cm3_per_kg, weight_step_g, ..Carrier::default() }
    })
}

#[derive(Clone, Debug)]
struct Case {
    carriers: Vec<Carrier>,
    costs: Vec<(i64, i64)>,
    skus: Vec<(i64, i64)>,
    stock: Vec<Vec<i64>>,
    wanted: Vec<i64>,
    max_shipments: Option<usize>,
}

fn case(warehouses: usize, skus: usize) -> impl Strategy<Value = Case> {
    let costs = prop::collection::vec((0_i64..400, 0_i64..20), warehouses);
    let of_skus = prop::collection::vec((0_i64..1800, 0_i64..9000), skus);
    let stock = prop::collection::vec(prop::collection::vec(0_i64..6, warehouses), skus);
    let wanted = prop::collection::vec(1_i64..4, skus);
    let max = prop::option::weighted(0.3, 1_usize..4);
    (prop::collection::vec(carrier(), 1..4), costs, of_skus, stock, wanted, max).prop_map(
        |(carriers, costs, skus, stock, wanted, max_shipments)| Case {
            carriers,
            costs,
            skus,
            stock,
            wanted,
            max_shipments,
        },
    )
}

impl Case {
    fn planner(&self) -> Planner {
        let places: Vec<WarehouseTerms> = (0..)
            .zip(&self.costs)
            .map(|(at, &(fixed_cost, unit_cost))| WarehouseTerms { fixed_cost, unit_cost, ..warehouse(f64::from(at)) })
            .collect();
        let rows: Vec<&[i64]> = self.stock.iter().map(Vec::as_slice).collect();
        let mut planner = planner(&places, &rows);
        for (sku, &(weight_g, volume_cm3)) in (0..).zip(&self.skus) {
            let terms = SkuTerms { weight_g, volume_cm3, ..SkuTerms::default() };
            assert!(planner.catalogue.put_sku(sku, &format!("s{sku}"), terms));
        }
        assert!(planner.costs.set_carriers(self.carriers.clone()));
        planner
    }

    fn demand(&self, planner: &Planner) -> Demand {
        let wanted: Vec<(u32, i64)> = (0..).zip(self.wanted.iter().copied()).collect();
        demand(planner, json!({"lines": lines(&wanted), "max_shipments": self.max_shipments}))
    }

    fn freight(&self, at: usize, of: &[usize]) -> Option<i64> {
        self.offers(at, of).map(|(freight, _)| freight).min()
    }

    /// The freight of a shipment and its days with each carrier, by the words of the tariff, told anew.
    fn offers(&self, at: usize, of: &[usize]) -> impl Iterator<Item = (i64, Option<u8>)> {
        let far = at >= 2;
        let single = |carrier: &&Carrier| carrier.zones.len() == 2 || !far;
        let serving: Vec<&Carrier> = self.carriers.iter().filter(single).collect();
        let alone = serving.len() == 1;
        serving.into_iter().map(move |carrier| {
            let zone = &carrier.zones[usize::from(far)];
            let unit = |sku: usize| {
                let (weight_g, volume_cm3) = self.skus[sku];
                let divisor = i64::from(carrier.cm3_per_kg);
                if divisor == 0 { weight_g } else { weight_g.max((volume_cm3 * 1000 + divisor - 1) / divisor) }
            };
            let simple = zone.steps.is_empty() && zone.minimum <= zone.base && carrier.weight_step_g == 0;
            if simple && alone {
                // One linear offer: by the line, as ever.
                let each = |&sku: &usize| (zone.per_kg * unit(sku) * self.wanted[sku] + 999) / 1000;
                return (zone.base + of.iter().map(each).sum::<i64>(), zone.transit_days);
            }
            let mut grams: i64 = of.iter().map(|&sku| unit(sku) * self.wanted[sku]).sum();
            if carrier.weight_step_g > 0 {
                grams = (grams + carrier.weight_step_g - 1) / carrier.weight_step_g * carrier.weight_step_g;
            }
            let (last_g, last) = zone.steps.last().map_or((0, 0), |step| (step.up_to_g, step.amount));
            let step = zone.steps.iter().find(|step| grams <= step.up_to_g);
            let beyond = || last + (zone.per_kg * (grams - last_g) + 999) / 1000;
            (zone.minimum.max(zone.base + step.map_or_else(beyond, |step| step.amount)), zone.transit_days)
        })
    }

    /// The least that any assignment of whole lines costs.
    fn optimum(&self) -> Option<i64> {
        self.least(|cost, _| cost).map(|(cost, _)| cost)
    }

    /// The least sum of what any assignment's shipments count for by their cost and the days of their carrier, and the
    /// fewest shipments that come to it.
    fn least(&self, score: impl Fn(i64, Option<u8>) -> i64) -> Option<(i64, usize)> {
        let (warehouses, skus) = (self.costs.len(), self.wanted.len());
        let at = |assignment: usize, sku: usize| assignment / warehouses.pow(sku as u32) % warehouses;
        let costs = (0..warehouses.pow(skus as u32)).filter_map(|assignment| {
            if (0..skus).any(|sku| self.stock[sku][at(assignment, sku)] < self.wanted[sku]) {
                return None;
            }
            let mut cost = 0;
            let mut shipments = 0;
            for place in 0..warehouses {
                let of: Vec<usize> = (0..skus).filter(|&sku| at(assignment, sku) == place).collect();
                if !of.is_empty() {
                    let (fixed, unit) = self.costs[place];
                    let picked = fixed + unit * of.iter().map(|&sku| self.wanted[sku]).sum::<i64>();
                    cost += self.offers(place, &of).map(|(freight, days)| score(picked + freight, days)).min()?;
                    shipments += 1;
                }
            }
            (shipments <= self.max_shipments.unwrap_or(usize::MAX)).then_some((cost, shipments))
        });
        costs.min()
    }

    /// Every line is whole, and from where it is.
    fn check_units(&self, plan: &Plan) {
        for (shipment, &(sku, units)) in
            plan.shipments.iter().flat_map(|one| one.lines.iter().map(move |line| (one, line)))
        {
            assert!(units == self.wanted[sku as usize]);
            assert!(self.stock[sku as usize][shipment.warehouse as usize] >= units);
        }
    }

    /// Every shipment costs what the tariff says.
    fn check(&self, plan: &Plan) {
        for shipment in &plan.shipments {
            let at = shipment.warehouse as usize;
            let of: Vec<usize> = shipment.lines.iter().map(|&(sku, _)| sku as usize).collect();
            if shipment.lines.iter().all(|&(sku, units)| units == self.wanted[sku as usize]) {
                let units: i64 = shipment.lines.iter().map(|line| line.1).sum();
                let cost = self.costs[at].0 + self.costs[at].1 * units + self.freight(at, &of).unwrap();
                assert_eq!(shipment.cost, cost);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Orders of up to four lines over up to five warehouses, half of which some carriers do not serve.
    #[test]
    fn a_small_order_costs_the_least_that_it_can(case in (1_usize..=5, 1_usize..=4).prop_flat_map(|(w, l)| case(w, l))) {
        let mut planner = case.planner();
        let demand = case.demand(&planner);
        let planned = planner.plan(&demand);
        let Some(optimum) = case.optimum() else { return Ok(()) };
        let plan = planned.unwrap();
        case.check(&plan);
        prop_assert_eq!((plan.cost(), plan.proven), (optimum, true));
    }

    /// Prices of few values, so that many assignments cost the same.
    #[test]
    fn of_small_orders_that_cost_the_same_the_one_of_fewer_shipments_is_planned(
        mut case in (2_usize..=4, 2_usize..=4).prop_flat_map(|(w, l)| case(w, l)),
    ) {
        let coarse = |amount: &mut i64| *amount = *amount / 100 * 100;
        case.costs.iter_mut().for_each(|(fixed, unit)| (*fixed, *unit) = (0, *unit / 10 * 10));
        case.skus.iter_mut().for_each(|(weight_g, volume_cm3)| (*weight_g, *volume_cm3) = (*weight_g / 500 * 500, 0));
        for zone in case.carriers.iter_mut().flat_map(|carrier| &mut carrier.zones) {
            [&mut zone.base, &mut zone.per_kg, &mut zone.minimum].into_iter().for_each(coarse);
            zone.base = 0;
            zone.steps.iter_mut().for_each(|step| step.amount = step.amount / 100 * 100);
        }
        let mut planner = case.planner();
        let demand = case.demand(&planner);
        let planned = planner.plan(&demand);
        let Some(least) = case.least(|cost, _| cost) else { return Ok(()) };
        let plan = planned.unwrap();
        prop_assert_eq!((plan.cost(), plan.shipments.len()), least);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// By cost and days, carriers and warehouses chosen together: what is said to be proven is the least, and all is proven
    /// where a day makes whole minor units, or nothing.
    #[test]
    fn a_balanced_plan_is_proven_where_it_is_the_best(
        mut case in (1_usize..=4, 1_usize..=3).prop_flat_map(|(w, l)| case(w, l)),
        cost in 0_i64..4, per_day in prop_oneof![Just(0_i64), 1_i64..200], late in prop::option::weighted(0.3, 1_i64..50),
    ) {
        const TODAY: i32 = 20_000;
        for zone in case.carriers.iter_mut().flat_map(|carrier| &mut carrier.zones) {
            zone.transit_days.get_or_insert(1);
        }
        let mut planner = case.planner();
        planner.now_ms = Some(TODAY as u64 * 86_400_000);
        let policy = json!({
            "name": "p", "objective": "balanced", "weights": {"cost": cost, "per_day": per_day, "per_shipment": 7},
            "deliver_within_days": late.map(|_| 1), "lateness_cost_per_day": late.unwrap_or(0),
        });
        let book = json!({"version": "1", "default": "p", "policies": [policy], "rules": []});
        planner.set_book(crate::policy::Book::decode(&rmp_serde::to_vec_named(&book).unwrap()).unwrap());
        let demand = case.demand(&planner);
        let planned = planner.plan(&demand);
        let score = |booked: i64, days: Option<u8>| {
            let days = i64::from(days.unwrap());
            cost * booked + per_day * days + 1000 * late.unwrap_or(0) * (days - 1).max(0) + 7
        };
        let Some((least, _)) = case.least(score) else { return Ok(()) };
        let plan = planned.unwrap();
        case.check_units(&plan);
        let of_shipment = |shipment: &crate::planner::Shipment| {
            score(shipment.cost, Some(u8::try_from(shipment.promised.unwrap() - TODAY).unwrap()))
        };
        let found: i64 = plan.shipments.iter().map(of_shipment).sum();
        prop_assert!(found >= least && (!plan.proven || found == least), "{} {} {}", found, least, plan.proven);
        let even = late.is_none() && (per_day == 0 || (cost > 0 && per_day % cost == 0));
        prop_assert!(plan.proven || !even);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Nine lines are too many for looking at every division: what the search finds is no cheaper than the optimum, and
    /// what is said to be proven is it.
    #[test]
    fn a_larger_order_is_never_below_the_optimum_nor_wrongly_proven(mut case in case(3, 9)) {
        case.stock.iter_mut().for_each(|row| row[0] += 4);
        let mut planner = case.planner();
        let demand = case.demand(&planner);
        let planned = planner.plan(&demand);
        let Some(optimum) = case.optimum() else { return Ok(()) };
        let plan = planned.unwrap();
        case.check(&plan);
        prop_assert!(plan.cost() >= optimum && (!plan.proven || plan.cost() == optimum));
    }
}

fn carried(name: &str, zone: Zone) -> Carrier {
    Carrier { name: Some(name.into()), zones: vec![zone], ..Carrier::default() }
}

fn one_plan(planner: &mut Planner, fields: Value) -> Plan {
    let demand = demand(planner, fields);
    planner.plan(&demand).unwrap()
}

#[test]
fn the_carrier_that_is_cheapest_for_the_weight_takes_the_shipment() {
    let mut planner = planner(&[warehouse(1.0)], &[&[99]]);
    planner.now_ms = Some(0);
    let letter = Zone { base: 100, per_kg: 300, transit_days: Some(3), ..Zone::default() };
    let parcel = Zone { base: 700, per_kg: 100, transit_days: Some(1), ..Zone::default() };
    assert!(planner.costs.set_carriers(vec![carried("letters", letter), carried("parcels", parcel)]));
    for (units, carrier, cost, day) in [(1, "letters", 400, 3), (3, "parcels", 1000, 1), (9, "parcels", 1600, 1)] {
        let plan = one_plan(&mut planner, json!({"lines": lines(&[(0, units)])}));
        let shipment = &plan.shipments[0];
        assert_eq!((shipment.carrier.as_deref(), shipment.cost, shipment.promised), (Some(carrier), cost, Some(day)));
        assert!(plan.proven);
    }
}

#[test]
fn haste_takes_the_faster_carrier_and_books_what_it_charges() {
    let mut planner = planner(&[warehouse(1.0)], &[&[99]]);
    planner.now_ms = Some(0);
    let days = |base, days| Zone { base, transit_days: Some(days), ..Zone::default() };
    assert!(planner.costs.set_carriers(vec![carried("slow", days(100, 5)), carried("fast", days(700, 2))]));
    let mut demand = demand(&planner, json!({"lines": lines(&[(0, 1)])}));
    for (per_day, after, carrier, cost) in
        [(0, 0, "slow", 100), (199, 2, "slow", 100), (201, 2, "fast", 700), (900, 9, "slow", 100)]
    {
        demand.haste = Haste { per_day, after };
        let plan = planner.plan(&demand).unwrap();
        assert_eq!(
            (plan.shipments[0].carrier.as_deref(), plan.cost()),
            (Some(carrier), cost),
            "{per_day} after {after}"
        );
    }
}

/// Two light lines together stay below the minimum that each alone would pay.
#[test]
fn lines_that_share_a_minimum_share_a_shipment() {
    let cheap = WarehouseTerms { fixed_cost: 10, ..warehouse(0.0) };
    let dear = WarehouseTerms { fixed_cost: 40, ..warehouse(0.5) };
    let mut planner = planner(&[cheap, cheap, dear], &[&[9, 0, 9], &[0, 9, 9]]);
    let zone = Zone { per_kg: 100, minimum: 500, ..Zone::default() };
    assert!(planner.costs.set_carriers(vec![carried("a", zone)]));
    let plan = one_plan(&mut planner, json!({"lines": lines(&[(0, 2), (1, 2)])}));
    assert_eq!((plan.shipments.len(), plan.shipments[0].warehouse, plan.cost(), plan.proven), (1, 2, 540, true));
}

#[test]
fn what_no_carrier_serves_is_no_candidate() {
    let mut planner = planner(&[warehouse(0.0), warehouse(5.0)], &[&[9, 9]]);
    let near = Zone { max_m: 1000, countries: vec!["CN".into()], ..Zone::default() };
    assert!(planner.costs.set_carriers(vec![carried("a", near)]));
    let to = json!({"lat": 0.0, "lon": 5.0, "country": "cn"});
    let demand = demand(&planner, json!({"lines": lines(&[(0, 1)]), "ship_to": to}));
    let plan = planner.plan(&demand).unwrap();
    assert_eq!(plan.shipments[0].warehouse, 1);
    assert_eq!(planner.uncarried(&demand), [0]);
}

#[test]
fn parts_of_a_price_make_its_total() {
    let terms = WarehouseTerms { fixed_cost: 30, unit_cost: 7, cost_per_km: 0.1, ..warehouse(1.0) };
    let mut planner = planner(&[terms], &[&[99]]);
    let sku = planner.catalogue.sku_terms(0);
    let demand = demand(&planner, json!({"lines": lines(&[(0, 2)])}));
    let price = |planner: &mut Planner| {
        let candidates = planner.candidates(&demand);
        planner.price(&candidates, 0, &[(sku, 2)])
    };
    let way = price(&mut planner);
    assert_eq!((way.handling, way.picking, way.freight, way.carrier), (30, 14, 11, None));
    planner.costs.set_tariff(vec![Zone { base: 100, per_kg: 50, ..Zone::default() }]);
    assert_eq!(price(&mut planner).freight, 11 + 100 + 2 * 50);
    planner.costs.set_tariff(vec![Zone { base: 100, per_kg: 50, minimum: 900, ..Zone::default() }]);
    let least = price(&mut planner);
    assert_eq!((least.handling, least.picking, least.freight, least.total()), (30, 14, 11 + 900, 955));
}
