//! An order as the planner sees it: names resolved to numbers, lines summed by SKU, bundles taken apart, rules of choice
//! made plain.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Flaw, LimitedBy, Planner};
use crate::catalogue::{Catalogue, WarehouseTerms};
use crate::cost::{Destination, Haste, Place};
use crate::goods::Bundle;
use crate::ids::{ChannelId, SHARED, SkuId, WarehouseId};
use crate::order::{Order, Payment, QUANTITY_MAX};
use crate::policy::{Policy, Pools, Score, Selected, Serves};

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
    /// The same, whatever the policy makes of pools.
    pub(super) own_channel: ChannelId,
    /// Whether the customer collects it.
    pub pickup: bool,
    /// The policy that it is planned by.
    pub selected: Arc<Selected>,
    /// The warehouses that the policy's filters leave, by number, where it filters any.
    pub serves: Option<Serves>,
    /// Whether it takes from its channel's pools alone.
    pub pools_only: bool,
    /// Units that it leaves in every cell that all share.
    pub keep_back: i64,
    /// The last day that is early enough, since 1970.
    pub due: Option<i32>,
    /// Warehouses that may share it.
    pub shipments_max: usize,
    /// Who says so, where they are not free.
    pub limited_by: LimitedBy,
    /// Whether a part is accepted.
    pub allow_partial: bool,
    /// Whether substitutes are accepted for what the network lacks.
    pub allow_substitutes: bool,
    /// Whether it is accepted to wait for stock.
    pub allow_backorder: bool,
    /// Where it goes, as far as costs ask.
    pub destination: Destination,
    /// What arriving late counts for in the choice of a carrier.
    pub haste: Haste,
}

impl Demand {
    /// What is asked of its plan.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.selected.policy
    }

    /// The same order with other lines to be planned, each SKU once.
    #[must_use]
    pub fn with_lines(&self, lines: Vec<(SkuId, i64)>) -> Self {
        Self { lines, ..self.clone() }
    }

    /// The same order if its policy left no warehouses, pools or units alone.
    pub(super) fn unfiltered(&self) -> Self {
        Self { channel: self.own_channel, serves: None, pools_only: false, keep_back: 0, ..self.clone() }
    }

    /// Whether its policy does.
    pub(super) fn is_filtered(&self) -> bool {
        self.serves.is_some() || self.pools_only || self.keep_back > 0 || self.channel != self.own_channel
    }

    /// SKUs and units as ordered, each SKU once.
    #[must_use]
    pub fn ordered(&self) -> &[(SkuId, i64)] {
        if self.bundles.is_empty() { &self.lines } else { &self.ordered }
    }

    /// The terms of a warehouse that may serve it: that is enabled, allowed, and left by the policy's filters.
    #[must_use]
    pub fn terms_of<'a>(&self, catalogue: &'a Catalogue, warehouse: WarehouseId) -> Option<&'a WarehouseTerms> {
        let allowed = self.allows(warehouse) && self.passes(warehouse);
        catalogue.warehouse_terms(warehouse).filter(|terms| terms.enabled && allowed)
    }

    /// Whether the order itself lets a warehouse serve.
    #[must_use]
    pub fn allows(&self, warehouse: WarehouseId) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.binary_search(&warehouse).is_ok())
    }

    /// Whether the policy's filters do.
    #[must_use]
    pub fn passes(&self, warehouse: WarehouseId) -> bool {
        self.serves.as_ref().is_none_or(|serves| serves.get(warehouse as usize).copied().unwrap_or(false))
    }
}

impl Planner {
    /// Resolves names and sums lines; what does not fit comes back as flaws.
    pub fn resolve(&self, order: &Order) -> Result<Demand, Vec<Flaw>> {
        self.resolve_in(order, None)
    }

    /// As [`Self::resolve`]; an order that is in the arm of a trial already stays there.
    pub fn resolve_in(&self, order: &Order, arm: Option<&Arc<Selected>>) -> Result<Demand, Vec<Flaw>> {
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
        let due = order.due_day().unwrap_or_else(|message| {
            flaws.push(flaw("/deliver_by".into(), message.into()));
            None
        });
        // Rules may ask for what a bundle is as well as for what it is made of.
        let asked: Cow<[(SkuId, i64)]> =
            if bundles.is_empty() { Cow::Borrowed(&lines) } else { [&lines[..], &ordered].concat().into() };
        let select = || self.policies.book().select(order, &asked, self.policies.traits(), self.now_ms);
        let selected = match arm.map_or_else(select, |arm| Ok(arm.clone())) {
            Ok(selected) if flaws.is_empty() => selected,
            Ok(_) => return Err(flaws),
            Err(names) => {
                flaws.push(flaw(
                    "/policy".into(),
                    format!("unknown policy {:?}; there are {names}", order.policy.unwrap_or_default()),
                ));
                return Err(flaws);
            }
        };
        let policy = &*selected.policy;
        let channel = order.channel.and_then(|name| self.catalogue.channel(name)).unwrap_or(SHARED);
        let within = policy.deliver_within_days.and_then(|days| Some(self.today()?.saturating_add(days)));
        let pickup = order.pickup_at.is_some();
        Ok(Demand {
            lines,
            bundles,
            ordered,
            allowed,
            channel: if policy.only.pools == Pools::Never { SHARED } else { channel },
            own_channel: channel,
            pickup,
            // Where the customer collects it is the customer's to say.
            serves: if pickup { None } else { self.policies.serves(policy, &self.catalogue, self.now_ms) },
            pools_only: policy.only.pools == Pools::Only,
            keep_back: policy.kept_back(order.channel),
            due: due.or(within),
            shipments_max: order.shipments_max().min(policy.max_shipments.unwrap_or(usize::MAX)),
            limited_by: limited_by(order, policy),
            allow_partial: order.allow_partial,
            allow_substitutes: order.allow_substitutes,
            allow_backorder: order.allow_backorder,
            destination: self.destination(order),
            haste: Score::of(policy).haste(self.today(), due.or(within)),
            selected,
        })
    }
}

impl Planner {
    /// Where an order goes, as far as the costs of shipping there ask.
    #[must_use]
    pub fn destination(&self, order: &Order) -> Destination {
        let to = &order.ship_to;
        let place = Place {
            country: to.country.unwrap_or_default(),
            region: to.region.unwrap_or_default(),
            postcode: to.postcode.unwrap_or_default(),
            service_level: order.service_level.unwrap_or_default(),
        };
        self.costs.destination(to.lat, to.lon, &place)
    }
}

/// Who says how many warehouses may share an order: the order itself, unless its policy allows fewer.
fn limited_by(order: &Order, policy: &Policy) -> LimitedBy {
    match policy.max_shipments {
        Some(most) if most < order.shipments_max() => LimitedBy::Policy,
        _ if order.allow_split => LimitedBy::MaxShipments,
        _ => LimitedBy::AllowSplit,
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
