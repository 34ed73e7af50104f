//! Lanes by destination, worked out once and kept.

use std::collections::HashMap;
use std::sync::Arc;

use super::floor::{Floor, Minorant};
use super::freight::{Rate, linear_lane};
use super::matrix::{Matrices, Matrix, Of};
use super::place::{Asked, Destination, Place};
use super::tariff::{CARRIERS_MAX, Carrier, ZONES_MAX};
use super::{COST_MAX, Lane, Service, Zone};
use crate::catalogue::{Catalogue, WarehouseTerms};
use crate::geo::Point;
use crate::ids::WarehouseId;

/// Bytes of lanes that are kept at the most, in two halves. Destinations to 30 warehouses: some 45,000.
const LANES_BYTES_MAX: usize = 64 << 20;

/// The bytes of a destination besides its lanes: its key and its place in the table.
const DESTINATION_BYTES: usize = 128;

/// The lanes from every warehouse to one destination.
#[derive(Debug, Default)]
pub struct Lanes {
    /// By warehouse number.
    pub lanes: Box<[Lane]>,
    /// Who serves the lanes that are charged by weight, one lane after the other.
    rates: Box<[Rate]>,
    /// Where each lane's rates begin, and the last one's end; empty where all lanes are linear.
    starts: Box<[u32]>,
    /// The warehouses that serve new orders and that somebody carries from, the cheapest to open first, among equals by rank.
    pub by_fixed: Box<[WarehouseId]>,
    /// A rate per unit and per kilogram that none of those goes below.
    pub least: (i64, i64),
}

impl Lanes {
    /// Whether every lane says itself what it costs.
    #[must_use]
    pub fn linear(&self) -> bool {
        self.starts.is_empty()
    }

    /// Who serves a lane that is charged by weight.
    #[must_use]
    pub fn rates(&self, warehouse: WarehouseId) -> &[Rate] {
        match self.starts.get(warehouse as usize..warehouse as usize + 2) {
            Some(&[from, to]) => &self.rates[from as usize..to as usize],
            _ => &[],
        }
    }

    fn bytes(&self) -> usize {
        let serving = size_of_val(&*self.by_fixed);
        size_of_val(&*self.lanes) + size_of_val(&*self.rates) + size_of_val(&*self.starts) + serving
    }
}

/// Destinations and their lanes.
#[derive(Debug, Default)]
struct Known {
    // The standard hasher, not a faster one: the keys come from callers.
    places: HashMap<Destination, usize>,
    lanes: Vec<Lanes>,
    bytes: usize,
}

/// Lanes by destination.
#[derive(Debug, Default)]
pub struct CostTable {
    carriers: Vec<Carrier>,
    /// By carrier and zone.
    floors: Vec<Vec<Floor>>,
    asked: Asked,
    matrices: Matrices,
    /// Those that were looked up lately.
    young: Known,
    /// Those that were before `young` began: what is looked up again moves there, the rest goes when it is full.
    old: Known,
}

impl CostTable {
    /// Replaces the tariff by one of a single carrier, nearest zone first. With none, distance costs what the warehouses say.
    pub fn set_tariff(&mut self, zones: Vec<Zone>) {
        let carrier = Carrier { zones, ..Carrier::default() };
        let _ = self.set_carriers(if carrier.zones.is_empty() { Vec::new() } else { vec![carrier] });
    }

    /// Replaces the tariff; `false`, and nothing done, when there are too many carriers or zones.
    #[must_use]
    pub fn set_carriers(&mut self, mut carriers: Vec<Carrier>) -> bool {
        if carriers.len() > CARRIERS_MAX || carriers.iter().any(|carrier| carrier.zones.len() > ZONES_MAX) {
            return false;
        }
        self.asked = carriers.iter_mut().map(Carrier::prepare).fold(Asked::default(), Asked::or);
        self.floors = carriers.iter().map(|carrier| carrier.zones.iter().map(Floor::of).collect()).collect();
        self.carriers = carriers;
        self.forget();
        true
    }

    /// Replaces the user's own distances or costs; with none, the great circle and the tariff hold everywhere.
    pub fn set_matrix(&mut self, of: Of, matrix: Option<Matrix>) {
        self.matrices.set(of, matrix);
        self.forget();
    }

    /// To be called when a warehouse changed.
    pub fn forget(&mut self) {
        (self.young, self.old) = (Known::default(), Known::default());
    }

    /// Who carries, by number.
    #[must_use]
    pub fn carriers(&self) -> &[Carrier] {
        &self.carriers
    }

    /// Days under way at a rate, where they are known.
    #[must_use]
    pub fn transit_days(&self, rate: Rate) -> Option<u8> {
        self.carriers.get(usize::from(rate.carrier))?.zones.get(usize::from(rate.zone))?.transit_days
    }

    /// What never lies above the freight of shipments of up to `most_g` grams at a rate.
    #[must_use]
    pub fn minorant(&self, rate: Rate, most_g: i64) -> Minorant {
        let (carrier, zone) = (usize::from(rate.carrier), usize::from(rate.zone));
        self.floors[carrier][zone].minorant(&self.carriers[carrier].zones[zone], most_g)
    }

    /// The zone that serves a lane, where one does and is decided.
    #[must_use]
    pub fn zone(&self, lane: &Lane) -> Option<&Zone> {
        self.carriers.get(usize::from(lane.carrier?))?.zones.get(usize::from(lane.zone?))
    }

    /// The name of a carrier; none of one that the tariff does not name.
    #[must_use]
    pub fn carrier_name(&self, carrier: u8) -> Option<Arc<str>> {
        self.carriers.get(usize::from(carrier))?.name.clone()
    }

    /// A place in WGS 84 degrees, with as much of its names as anything here asks for.
    #[must_use]
    pub fn destination(&self, lat: f64, lon: f64, place: &Place) -> Destination {
        Destination::new(lat, lon, place.text(self.asked.or(self.matrices.asked())))
    }

    /// The user's own freight from a warehouse to a destination, where there is one.
    #[must_use]
    pub fn own_cost(&self, warehouse: WarehouseId, destination: &Destination) -> Option<i64> {
        self.matrices.cost(warehouse, &Place::parse(&destination.place))
    }

    /// Whether a warehouse's distance from a destination is the user's own.
    #[must_use]
    pub fn has_own_distance(&self, warehouse: WarehouseId, destination: &Destination) -> bool {
        self.matrices.metres(warehouse, &Place::parse(&destination.place)).is_some()
    }

    /// The lanes to a destination.
    pub fn lanes(&mut self, catalogue: &Catalogue, destination: &Destination) -> &Lanes {
        if let Some(&place) = self.young.places.get(destination) {
            return &self.young.lanes[place];
        }
        let lanes = match self.old.places.remove(destination) {
            Some(place) => std::mem::take(&mut self.old.lanes[place]),
            None => work_out(catalogue, &self.carriers, &self.matrices, destination),
        };
        let bytes = lanes.bytes() + destination.place.len() + DESTINATION_BYTES;
        if self.young.bytes + bytes > LANES_BYTES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        let place = self.young.lanes.len();
        self.young.places.insert(destination.clone(), place);
        self.young.lanes.push(lanes);
        self.young.bytes += bytes;
        &self.young.lanes[place]
    }
}

/// What a warehouse charges for the way, besides any carrier.
#[must_use]
pub fn way_cost(terms: &WarehouseTerms, metres: u32) -> i64 {
    // Multiplication, division and rounding are exact in IEEE 754: the same on every machine.
    libm::round(terms.cost_per_km * f64::from(metres) / 1000.0).min(COST_MAX as f64) as i64
}

fn work_out(catalogue: &Catalogue, carriers: &[Carrier], matrices: &Matrices, destination: &Destination) -> Lanes {
    let (lat, lon) = destination.degrees();
    let (point, place) = (Point::from_degrees(lat, lon), Place::parse(&destination.place));
    let (mut lanes, mut rates, mut starts) = (Vec::new(), Vec::new(), vec![0]);
    let zones_at: Vec<Vec<usize>> = carriers.iter().map(|carrier| carrier.zones_at(&place)).collect();
    let mut serving = Vec::with_capacity(carriers.len());
    for warehouse in 0..catalogue.warehouse_numbers() as WarehouseId {
        let Some(terms) = catalogue.warehouse_terms(warehouse) else {
            lanes.push(Lane::default());
            starts.push(rates.len() as u32);
            continue;
        };
        let metres = matrices.metres(warehouse, &place).unwrap_or_else(|| terms.point.metres_to(&point));
        let way = way_cost(terms, metres);
        serving.clear();
        serving.extend((0_u8..).zip(carriers).filter_map(|(number, carrier)| {
            let zone = carrier.zone_within(&zones_at[usize::from(number)], metres)?;
            Some(Rate { carrier: number, zone: zone as u8 })
        }));
        let transit = |rate: &Rate| carriers[usize::from(rate.carrier)].zones[usize::from(rate.zone)].transit_days;
        // The fastest first; who does not say comes last.
        let fastest = serving.iter().min_by_key(|rate| transit(rate).map_or(u16::MAX, u16::from)).copied();
        let lane = Lane {
            fixed: terms.fixed_cost.saturating_add(way).min(COST_MAX),
            per_unit: terms.unit_cost,
            metres,
            transit_days: fastest.as_ref().and_then(transit),
            ..Lane::default()
        };
        let own = matrices.cost(warehouse, &place);
        lanes.push(match (own, &serving[..]) {
            // Whoever carries it, it costs the same: the fastest does.
            (Some(cost), _) => Lane {
                fixed: terms.fixed_cost.saturating_add(cost).min(COST_MAX),
                carrier: fastest.map(|rate| rate.carrier),
                zone: fastest.map(|rate| rate.zone),
                ..lane
            },
            (None, []) if carriers.is_empty() => lane,
            (None, []) => Lane { service: Service::None, ..lane },
            (None, &[rate]) if carriers[usize::from(rate.carrier)].linear(usize::from(rate.zone)) => {
                linear_lane(lane, carriers, rate)
            }
            (None, several) => {
                rates.extend_from_slice(several);
                Lane { service: Service::ByWeight, ..lane }
            }
        });
        starts.push(rates.len() as u32);
    }
    let starts = if rates.is_empty() { Vec::new() } else { starts };
    let mut by_fixed: Vec<WarehouseId> = catalogue.ranked().to_vec();
    let lane = |at: WarehouseId| &lanes[at as usize];
    by_fixed.retain(|&at| {
        lane(at).service != Service::None && catalogue.warehouse_terms(at).is_some_and(|terms| terms.enabled)
    });
    by_fixed.sort_by_key(|&at| lane(at).fixed);
    let least_of = |rate: fn(&Lane) -> i64| by_fixed.iter().map(|&at| rate(lane(at))).min().unwrap_or(0);
    let least = (least_of(|lane| lane.per_unit), least_of(|lane| lane.per_kg));
    Lanes { lanes: lanes.into(), rates: rates.into(), starts: starts.into(), by_fixed: by_fixed.into(), least }
}

#[cfg(test)]
mod tests;
