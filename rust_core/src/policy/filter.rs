//! Which filter of a policy keeps a warehouse out: for those who ask why. [`Policies::serves`] decides by the same.

use super::{Kind, Objective, Policies, Policy};
use crate::catalogue::Catalogue;
use crate::ids::WarehouseId;

/// A filter that keeps a warehouse out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter<'a> {
    /// The policy's list, which alone may serve, does not have it.
    Pinned,
    /// It is on the list of those that may not.
    Exclude,
    /// It is of a kind that may not.
    Kind(Kind),
    /// It lacks these.
    Capabilities(Vec<&'a str>),
    /// Its stock was not counted in so many seconds.
    Counted(u64),
}

impl Policies {
    /// The first filter of a policy that keeps a warehouse out at a time; `None` where all let it serve.
    #[must_use]
    pub fn kept_out_by<'a>(
        &self,
        policy: &'a Policy,
        catalogue: &Catalogue,
        warehouse: WarehouseId,
        now_ms: Option<u64>,
    ) -> Option<Filter<'a>> {
        let (only, traits) = (&policy.only, self.traits());
        let name = catalogue.warehouse_name(warehouse).unwrap_or_default();
        let kind = traits.kind(warehouse);
        let lacking = || only.capabilities.iter().map(|one| &**one).filter(|one| !traits.has(warehouse, one)).collect();
        if only.exclude.iter().any(|one| **one == *name) {
            Some(Filter::Exclude)
        } else if policy.objective == Objective::Pinned && !policy.names_allow(name) {
            Some(Filter::Pinned)
        } else if !only.allows(kind) {
            Some(Filter::Kind(kind))
        } else if only.capabilities.iter().any(|one| !traits.has(warehouse, one)) {
            Some(Filter::Capabilities(lacking()))
        } else {
            let (within_s, now_ms) = (only.counted_within_s?, now_ms?);
            let since_ms = now_ms.saturating_sub(within_s.saturating_mul(1000));
            (!traits.is_counted_since(warehouse, since_ms)).then_some(Filter::Counted(within_s))
        }
    }
}
