//! What a shipment costs and when it arrives, from each warehouse to a destination. Integer minor units throughout.
//!
//! A [`tariff::Tariff`] says what carriers charge, [`Lane`] what that comes to from one warehouse to one destination, and
//! [`CostTable`] keeps lanes by destination, so that planning only looks them up. [`Dispatches`] says on which day an order
//! that comes now leaves each warehouse.

mod dispatch;
mod lane;
mod table;
mod tariff;

pub use dispatch::{Dispatches, LocalDay};
pub use lane::{Lane, Service};
pub use table::CostTable;
pub use tariff::Zone;

/// No single line or shipment is dearer than this; 100 lines of it still fit an `i64` a thousand times.
pub const COST_MAX: i64 = 10_i64.pow(13);
