//! Orders of many lines under tariffs that charge whole shipments by weight, and what each costs at the least.

use stockade_core::cost::{COST_MAX, Carrier, Service, Step, Zone};
use stockade_core::ids::cell_id;
use stockade_core::kernel::UNSERVABLE;
use stockade_core::order::Order;
use stockade_core::planner::{Demand, Planner};

use crate::network::{self, Draw};

/// Lines of the smallest and the largest of these orders.
pub const LINES: (u64, u64) = (9, 20);
const WAREHOUSES: (u64, u64) = (10, 30);

/// How carriers charge.
#[derive(Clone, Copy, Debug)]
pub enum Tariff {
    /// Steps, a minimum and volume with one carrier; another that is dear to begin with and cheap by the kilogram.
    Rivals,
    /// A minimum that light parcels do not reach.
    Minimum,
    /// Steps that grow ever smaller, over three carriers.
    Steps,
}

/// One of each, in turn.
pub const TARIFFS: [Tariff; 3] = [Tariff::Rivals, Tariff::Minimum, Tariff::Steps];

impl Tariff {
    fn carriers(self) -> Vec<Carrier> {
        let carrier = |zone: &dyn Fn(i64, i64) -> Zone| Carrier {
            zones: network::TARIFF
                .iter()
                .map(|&(km, base, per_kg)| Zone { max_m: km * 1000, ..zone(base, per_kg) })
                .collect(),
            ..Carrier::default()
        };
        match self {
            Self::Rivals => network::rivals(),
            Self::Minimum => vec![Carrier {
                weight_step_g: 500,
                ..carrier(&|base, per_kg| Zone {
                    base: base / 2,
                    per_kg,
                    minimum: 2 * base + 4 * per_kg,
                    ..Zone::default()
                })
            }],
            Self::Steps => (1..=3)
                .map(|slope| {
                    carrier(&|base, per_kg| {
                        let steps = [500, 1000, 2000, 5000, 10_000, 20_000, 30_000];
                        let amount = |up_to_g: i64| base * slope / 2 + per_kg * up_to_g / (1000 * slope);
                        let steps = steps.map(|up_to_g| Step { up_to_g, amount: amount(up_to_g) });
                        Zone { per_kg: per_kg / slope, steps: steps.into(), ..Zone::default() }
                    })
                })
                .collect(),
        }
    }
}

/// A network and one order on it: from a seed, which also says how many lines, warehouses and cells in stock.
pub fn order(seed: u64) -> (Planner, Demand) {
    let mut draw = Draw::new(1000 + seed);
    let lines = LINES.0 + seed % (LINES.1 - LINES.0 + 1);
    let warehouses = (WAREHOUSES.0 + draw.below(WAREHOUSES.1 - WAREHOUSES.0 + 1)) as u32;
    let mut planner = network::planner(warehouses, network::ALL);
    assert!(planner.costs.set_carriers(TARIFFS[seed as usize % TARIFFS.len()].carriers()));
    let stocked = [15, 30, 50, 80][draw.below(4) as usize];
    for sku in 0..network::SKUS {
        // Somebody has everything of it.
        let sure = draw.below(u64::from(warehouses)) as u32;
        for warehouse in 0..warehouses {
            let units = if warehouse == sure || draw.below(100) < stocked { 99 } else { 0 };
            planner.view.set(cell_id(sku, warehouse), units, 2);
        }
    }
    let order = network::order(seed, lines as u32);
    let Some(demand) = Order::decode(&order).ok().and_then(|order| planner.resolve(&order).ok()) else {
        unreachable!("the network knows its own names")
    };
    (planner, demand)
}

/// What no choice of a warehouse for every line costs less than: the least that any partition of the lines into shipments
/// does; and whether it is such a choice, or has two shipments leave one warehouse. Takes time and memory by the power of
/// the lines.
#[allow(dead_code)] // Not every user of this module asks for it.
pub fn least(planner: &mut Planner, demand: &Demand) -> (i64, bool) {
    let candidates = planner.candidates(demand);
    let (width, lines) = (candidates.warehouses.len(), demand.lines.len());
    let sets = 1_usize << lines;
    let sums = |of: &dyn Fn(usize) -> i64| {
        let mut sums = vec![0_i64; sets];
        for set in 1..sets {
            sums[set] = sums[set & (set - 1)] + of(set.trailing_zeros() as usize);
        }
        sums
    };
    let grams: Vec<Vec<i64>> = (planner.costs.carriers().iter())
        .map(|carrier| {
            sums(&|line| {
                let (sku, quantity) = demand.lines[line];
                planner.catalogue.sku_terms(sku).chargeable_g(carrier.cm3_per_kg) * quantity
            })
        })
        .collect();
    let mut shipment = vec![(UNSERVABLE, 0); sets];
    for (candidate, (lane, charged)) in candidates.lanes.iter().zip(&candidates.by_weight).enumerate() {
        assert!(lane.service == Service::ByWeight);
        let lines_at = |line: usize| candidates.free[line * width + candidate] >= demand.lines[line].1;
        let served: usize = (0..lines).filter(|&line| lines_at(line)).map(|line| 1 << line).sum();
        let picking = sums(&|line| (lane.per_unit * demand.lines[line].1).min(COST_MAX));
        let mut set = served;
        while set > 0 {
            let freight = charged.rates.iter().map(|rate| {
                let carrier = usize::from(rate.carrier);
                planner.costs.carriers()[carrier].freight(usize::from(rate.zone), grams[carrier][set])
            });
            let cost = charged.open + picking[set] + freight.min().unwrap_or(UNSERVABLE);
            shipment[set] = shipment[set].min((cost, candidate as u32));
            set = (set - 1) & served;
        }
    }
    let mut least: Vec<(i64, u32)> = (0..).zip(&shipment).map(|(set, shipment)| (shipment.0, set)).collect();
    for set in 1..sets {
        let rest = set & (set - 1);
        let mut others = rest;
        // What goes with the first line, and what does not.
        while others > 0 {
            let cost = shipment[set ^ others].0 + least[others].0;
            if cost < least[set].0 {
                least[set] = (cost, (set ^ others) as u32);
            }
            others = (others - 1) & rest;
        }
    }
    let (mut set, mut used) = (sets - 1, Vec::new());
    while set > 0 {
        let own = least[set].1 as usize;
        used.push(shipment[own].1);
        set ^= own;
    }
    used.sort_unstable();
    (least[sets - 1].0, used.windows(2).all(|pair| pair[0] != pair[1]))
}
