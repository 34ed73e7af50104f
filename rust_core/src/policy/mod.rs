//! Policies as data: a book of them with the rules that say which of them an order gets, and what each asks of a plan.
//!
//! The book comes from Python as one message and is checked there; what reaches this room and does not fit is refused as a
//! whole. Nothing in here looks at stock or at cost tables: filters and penalties are handed to those that do.

mod book;
mod demands;
mod filter;
mod label;
mod local_time;
mod rules;
mod score;
mod traits;

pub use book::{Book, ChosenBy, Selected};
pub use demands::{Objective, Only, Policy, Pools, Weights};
pub use filter::Filter;
pub use label::Label;
pub use score::{Penalties, SCORE_MAX, Score, Site, is_bounded};
pub use traits::{Kind, Traits};

use std::sync::{Arc, OnceLock};

use crate::catalogue::Catalogue;
use crate::ids::WarehouseId;

/// Whether each warehouse, by its number, may serve.
pub type Serves = Arc<[bool]>;

/// The book in force, what filters and rules must know of SKUs and warehouses, and which warehouses each policy's filters
/// leave.
#[derive(Debug, Default)]
pub struct Policies {
    book: Book,
    /// What rules and filters ask of SKUs and warehouses.
    traits: Traits,
    /// By the policies' places in the book; worked out when first asked for.
    left_by_filters: OnceLock<Vec<Option<Serves>>>,
}

impl Policies {
    /// The book in force.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Puts another book in force.
    pub fn set_book(&mut self, book: Book) {
        self.book = book;
        self.forget();
    }

    /// What rules and filters know of SKUs and warehouses.
    #[must_use]
    pub fn traits(&self) -> &Traits {
        &self.traits
    }

    /// The same, to be changed.
    pub fn traits_mut(&mut self) -> &mut Traits {
        self.forget();
        &mut self.traits
    }

    /// Stock of a warehouse was counted at a time, in milliseconds since 1970.
    pub fn counted(&mut self, warehouse: WarehouseId, at_ms: u64) {
        self.traits.counted(warehouse, at_ms);
    }

    /// To be called when a warehouse changed.
    pub fn forget(&mut self) {
        self.left_by_filters.take();
    }

    /// The warehouses that a policy's filters leave at a time; `None` where it filters none.
    #[must_use]
    pub fn serves(&self, policy: &Policy, catalogue: &Catalogue, now_ms: Option<u64>) -> Option<Serves> {
        let all = self.left_by_filters.get_or_init(|| {
            let left = |policy: &Policy| policy.filters_warehouses().then(|| self.left_by(policy, catalogue));
            self.book.policies().map(left).collect()
        });
        let left = all.get(policy.place()).cloned().flatten();
        match (policy.only.counted_within_s, now_ms) {
            (Some(within_s), Some(now_ms)) => {
                let since_ms = now_ms.saturating_sub(within_s.saturating_mul(1000));
                let fresh = |warehouse| self.traits.is_counted_since(warehouse, since_ms);
                let left = |warehouse: usize| left.as_ref().is_none_or(|left| left[warehouse]);
                let numbers = 0..catalogue.warehouse_numbers();
                Some(numbers.map(|warehouse| left(warehouse) && fresh(warehouse as WarehouseId)).collect())
            }
            _ => left,
        }
    }

    fn left_by(&self, policy: &Policy, catalogue: &Catalogue) -> Serves {
        let wanted = self.traits.set_of(&policy.only.capabilities);
        let serves = |warehouse: WarehouseId| {
            let Some(name) = catalogue.warehouse_name(warehouse) else { return false };
            let has_all = wanted.as_ref().is_some_and(|wanted| self.traits.has_all(warehouse, wanted));
            policy.names_allow(name) && policy.only.allows(self.traits.kind(warehouse)) && has_all
        };
        (0..catalogue.warehouse_numbers()).map(|warehouse| serves(warehouse as WarehouseId)).collect()
    }
}

#[cfg(test)]
mod tests;
