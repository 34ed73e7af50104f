//! An order as the planner sees it: names resolved to numbers, lines summed by SKU, bundles taken apart, rules of choice
//! made plain.

use super::{Flaw, Planner};
use crate::catalogue::{Catalogue, WarehouseTerms};
use crate::goods::Bundle;
use crate::ids::{ChannelId, SHARED, SkuId, WarehouseId};
use crate::order::{Order, Payment, Policy, QUANTITY_MAX};

/// An order with its names resolved and its lines summed by SKU.
#[derive(Clone, Debug)]
pub struct Demand {
    /// SKUs and units, each SKU once, in the order they first came; components in the place of bundles.
    pub lines: Vec<(SkuId, i64)>,
    /// The bundles among what was ordered.
    pub bundles: Vec<Bundle>,
    /// What was ordered, each SKU once; empty where that are the lines.
    pub(super) ordered: Vec<(SkuId, i64)>,
    /// The only warehouses that may serve it, sorted, if it names any.
    pub allowed: Option<Vec<WarehouseId>>,
    /// The channel whose pools it may take from besides the shared rest; [`SHARED`] where there are none.
    pub channel: ChannelId,
    /// Whether the customer collects it.
    pub pickup: bool,
    /// Rules of choice.
    pub policy: Policy,
    /// Warehouses that may share it.
    pub shipments_max: usize,
    /// Whether a part is accepted.
    pub allow_partial: bool,
    /// Whether substitutes are accepted for what the network lacks.
    pub allow_substitutes: bool,
    /// Whether it is accepted to wait for stock.
    pub allow_backorder: bool,
    /// Destination in WGS 84 degrees.
    pub destination: (f64, f64),
}

impl Demand {
    /// The same order with other lines to be planned, each SKU once.
    #[must_use]
    pub fn with_lines(&self, lines: Vec<(SkuId, i64)>) -> Self {
        Self { lines, ..self.clone() }
    }

    /// SKUs and units as ordered, each SKU once.
    #[must_use]
    pub fn ordered(&self) -> &[(SkuId, i64)] {
        if self.bundles.is_empty() { &self.lines } else { &self.ordered }
    }

    /// The terms of a warehouse that may serve it: that is enabled, and allowed.
    #[must_use]
    pub fn terms_of<'a>(&self, catalogue: &'a Catalogue, warehouse: WarehouseId) -> Option<&'a WarehouseTerms> {
        let allowed = self.allowed.as_ref().is_none_or(|allowed| allowed.binary_search(&warehouse).is_ok());
        catalogue.warehouse_terms(warehouse).filter(|terms| terms.enabled && allowed)
    }
}

impl Planner {
    /// Resolves names and sums lines; what does not fit comes back as flaws.
    pub fn resolve(&self, order: &Order) -> Result<Demand, Vec<Flaw>> {
        let mut flaws = unplannable(order);
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let mut lines: Vec<(SkuId, i64)> = Vec::with_capacity(order.lines.len());
        for (index, line) in order.lines.iter().enumerate() {
            match self.catalogue.sku(line.sku) {
                None => flaws.push(flaw(format!("/lines/{index}/sku"), format!("unknown SKU {:?}", line.sku))),
                Some(sku) => match lines.iter_mut().find(|(known, _)| *known == sku) {
                    Some((_, quantity)) => *quantity += line.quantity,
                    None => lines.push((sku, line.quantity)),
                },
            }
        }
        let (mut bundles, mut ordered) = (Vec::new(), Vec::new());
        if let Some(exploded) = self.explode(order, &lines, &mut flaws) {
            ordered = std::mem::replace(&mut lines, exploded.0);
            bundles = exploded.1;
        }
        let mut warehouse = |pointer: String, name: &str| {
            let found = self.catalogue.warehouse(name);
            if found.is_none() {
                flaws.push(flaw(pointer, format!("unknown warehouse {name:?}")));
            }
            found
        };
        let mut allowed: Option<Vec<WarehouseId>> = order.warehouses.as_ref().map(|names| {
            names
                .iter()
                .enumerate()
                .filter_map(|(index, name)| warehouse(format!("/warehouses/{index}"), name))
                .collect()
        });
        if let Some(name) = order.pickup_at
            && let Some(number) = warehouse("/pickup_at".into(), name)
        {
            if allowed.as_ref().is_some_and(|allowed| !allowed.contains(&number)) {
                flaws.push(flaw("/pickup_at".into(), "is not among the warehouses that the order allows".into()));
            }
            allowed = Some(vec![number]);
        }
        if let Some(allowed) = &mut allowed {
            allowed.sort_unstable();
        }
        if order.hold_seconds.is_some() && order.payment != Payment::Pending {
            flaws.push(flaw(
                "/hold_seconds".into(),
                "only an order with payment \"pending\" holds stock for a time".into(),
            ));
        }
        if order.allow_backorder && order.allow_partial {
            flaws.push(flaw(
                "/allow_backorder".into(),
                "an order waits for stock as a whole: not together with allow_partial".into(),
            ));
        }
        if !flaws.is_empty() {
            return Err(flaws);
        }
        Ok(Demand {
            lines,
            bundles,
            ordered,
            allowed,
            channel: order.channel.and_then(|name| self.catalogue.channel(name)).unwrap_or(SHARED),
            pickup: order.pickup_at.is_some(),
            policy: order.policy.unwrap_or(self.default_policy),
            shipments_max: order.shipments_max(),
            allow_partial: order.allow_partial,
            allow_substitutes: order.allow_substitutes,
            allow_backorder: order.allow_backorder,
            destination: (order.ship_to.lat, order.ship_to.lon),
        })
    }
}

/// Breaches of what planning rests on. The doors have checked it; bytes from elsewhere must not get past this either.
fn unplannable(order: &Order) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if order.lines.is_empty() {
        flaws.push(flaw("/lines".into(), "must have at least one line".into()));
    }
    for (index, line) in order.lines.iter().enumerate() {
        if !(1..=QUANTITY_MAX).contains(&line.quantity) {
            flaws.push(flaw(format!("/lines/{index}/quantity"), format!("must be 1 to {QUANTITY_MAX}")));
        }
    }
    if order.shipments_max() == 0 {
        flaws.push(flaw("/max_shipments".into(), "must be at least 1".into()));
    }
    flaws
}

pub(super) fn flaw(pointer: String, message: String) -> Flaw {
    Flaw { pointer, message }
}
