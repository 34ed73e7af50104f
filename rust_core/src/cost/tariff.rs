//! What a carrier charges, zone by zone.

/// One row of the tariff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Name of the zone.
    pub name: Box<str>,
    /// The zone reaches this far.
    pub max_m: u32,
    /// Per shipment.
    pub base: i64,
    /// Per kilogram.
    pub per_kg: i64,
    /// Days from leaving the warehouse to arriving, where that is known.
    pub transit_days: Option<u8>,
}

impl Default for Zone {
    fn default() -> Self {
        Self { name: "".into(), max_m: u32::MAX, base: 0, per_kg: 0, transit_days: None }
    }
}
