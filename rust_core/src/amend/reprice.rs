//! What a part of a divided shipment costs: by the carrier that the whole was promised by, while it serves the way.

use super::{Stored, add, sku_of, units};
use crate::cost::{Destination, Haste, Lane, LocalDay, Rate, Service};
use crate::ids::{SkuId, WarehouseId};
use crate::order::Order;
use crate::planner::{OnLane, Planner, arrival};
use crate::record::UNKNOWN_DAY;

impl Planner {
    /// Prices a shipment by the cost table, with the carrier that it names. Where that one no longer serves, the cheapest
    /// does, and the shipment names it and its day instead. Where nobody does, what was said of carrier and day stays.
    pub(super) fn price_again(&mut self, shipment: &mut Stored, order: &Order) -> Result<(), String> {
        let warehouse = shipment.0;
        let terms = *self.catalogue.warehouse_terms(warehouse).ok_or("reservation record: an unknown warehouse")?;
        let destination = self.destination(order);
        let lanes = self.costs.lanes(&self.catalogue, &destination);
        let (lane, mut rates) = if order.pickup_at.is_some() {
            (Lane::to_counter(&terms), Vec::new())
        } else {
            (lanes.lanes[warehouse as usize], lanes.rates(warehouse).to_vec())
        };
        let serves =
            order.pickup_at.is_some() || self.serves_still(&shipment.4, &lane, &mut rates, &destination, warehouse);
        let mut by_sku: Vec<(SkuId, i64)> = Vec::new();
        shipment.3.chunks_exact(2).for_each(|pair| add(&mut by_sku, sku_of(pair[0]), units(pair[1])));
        let lines: Vec<_> = by_sku.iter().map(|&(sku, quantity)| (self.catalogue.sku_terms(sku), quantity)).collect();
        let (open, haste) = (lane.fixed, Haste::default());
        let price = self.price_on(&OnLane { warehouse, lane: &lane, open, rates: &rates, leaves: None, haste }, &lines);
        shipment.1 = price.total();
        if !serves {
            let name = price.carrier.and_then(|carrier| self.costs.carrier_name(carrier));
            shipment.4 = name.map_or_else(String::new, |name| name.to_string()).into();
            shipment.5 = arrival(self.leaves(warehouse), price.transit_days).unwrap_or(UNKNOWN_DAY);
        }
        Ok(())
    }

    /// Whether a carrier of this name, none for the only one of a tariff, serves a lane; leaves its rates alone where it does.
    fn serves_still(
        &self,
        name: &str,
        lane: &Lane,
        rates: &mut Vec<Rate>,
        destination: &Destination,
        warehouse: WarehouseId,
    ) -> bool {
        let is_named = |carrier: u8| self.costs.carrier_name(carrier).as_deref().unwrap_or_default() == name;
        match lane.service {
            Service::ByWeight if rates.iter().any(|rate| is_named(rate.carrier)) => {
                rates.retain(|rate| is_named(rate.carrier));
                true
            }
            Service::ByWeight => false,
            Service::None => true,
            Service::Linear | Service::ByVolume if lane.carrier.map_or(name.is_empty(), is_named) => true,
            // The user's own cost is the same whoever carries it; the lane names the fastest only.
            Service::Linear | Service::ByVolume => {
                self.costs.own_cost(warehouse, destination).is_some()
                    && (0..).zip(self.costs.carriers()).any(|(carrier, _)| is_named(carrier))
            }
        }
    }

    /// The day on which a warehouse sends what comes now, where that is known.
    fn leaves(&mut self, warehouse: WarehouseId) -> Option<LocalDay> {
        let days = self.dispatches.at(self.now_ms?, self.catalogue.warehouse_numbers());
        days.get(warehouse as usize).copied().flatten()
    }
}
