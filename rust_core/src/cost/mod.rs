//! What a shipment costs and when it arrives, from each warehouse to a destination. Integer minor units throughout.
//!
//! [`Carrier`]s and their [`Zone`]s are the tariff; a [`Lane`] is what it comes to from one warehouse to one destination, and
//! [`CostTable`] keeps lanes by destination, so that planning only looks them up. Where freight is not so much per shipment
//! and per kilogram, whole shipments are priced, and `floor` bounds them from below. A user's own [`Matrix`] comes before great
//! circle and tariff. [`Dispatches`] says on which day an order that comes now leaves each warehouse.

mod dispatch;
mod floor;
mod freight;
mod lane;
mod matrix;
mod place;
mod table;
mod tariff;

pub use dispatch::{Dispatches, LocalDay};
pub use floor::Minorant;
pub use freight::{Haste, Rate, least_volumetric};
pub use lane::{Lane, Service};
pub use matrix::{By, Matrix, Of};
pub use place::{Destination, Place};
pub use table::{CostTable, Lanes, way_cost};
pub use tariff::{CARRIERS_MAX, Carrier, Step, ZONES_MAX, Zone};

/// No single line or shipment is dearer than this; 100 lines of it still fit an `i64` a thousand times.
pub const COST_MAX: i64 = 10_i64.pow(13);
