//! Who carries a whole shipment, how volume counts on lanes that several serve, and what days count for.

use super::tariff::Carrier;
use super::{LocalDay, Service};
use crate::cost::Lane;

/// A carrier that serves a lane, and the zone that it does so in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Number of the carrier.
    pub carrier: u8,
    /// Its zone.
    pub zone: u8,
}

/// What a day of lateness counts for when a carrier is chosen. Not booked; none unless a policy asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Haste {
    /// Minor units a day.
    pub per_day: i64,
    /// Days after this one count.
    pub after: LocalDay,
}

impl Haste {
    /// What arriving on a day counts for; a day that is not known, nothing.
    #[must_use]
    pub fn of(&self, day: Option<LocalDay>) -> i64 {
        let late = day.map_or(0, |day| (i64::from(day) - i64::from(self.after)).max(0));
        self.per_day.saturating_mul(late)
    }
}

/// How volume counts on a lane that several may serve: as with whoever charges it least.
#[must_use]
pub fn least_volumetric<'a>(carriers: impl Iterator<Item = &'a Carrier>) -> u32 {
    let divisors = carriers.map(|carrier| carrier.cm3_per_kg);
    // None charges nothing for volume: as good as the greatest divisor there is.
    divisors.map(|divisor| divisor.wrapping_sub(1)).max().map_or(0, |most| most.wrapping_add(1))
}

/// A lane whose freight is so much per shipment and per kilogram of each line.
pub(super) fn linear_lane(lane: Lane, carriers: &[Carrier], rate: Rate) -> Lane {
    let carrier = &carriers[usize::from(rate.carrier)];
    let zone = &carrier.zones[usize::from(rate.zone)];
    Lane {
        fixed: lane.fixed.saturating_add(zone.base).min(super::COST_MAX),
        per_kg: zone.per_kg,
        cm3_per_kg: carrier.cm3_per_kg,
        carrier: Some(rate.carrier),
        zone: Some(rate.zone),
        service: if carrier.cm3_per_kg == 0 { Service::Linear } else { Service::ByVolume },
        ..lane
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_counts_as_with_whoever_charges_it_least() {
        let by = |divisors: &[u32]| {
            let carriers: Vec<Carrier> =
                divisors.iter().map(|&cm3_per_kg| Carrier { cm3_per_kg, ..Carrier::default() }).collect();
            least_volumetric(carriers.iter())
        };
        assert_eq!((by(&[5000, 6000]), by(&[5000, 0, 6000]), by(&[]), by(&[5000])), (6000, 0, 0, 5000));
    }

    #[test]
    fn only_days_after_the_asked_one_count() {
        let haste = Haste { per_day: 300, after: 10 };
        assert_eq!([Some(9), Some(10), Some(12), None].map(|day| haste.of(day)), [0, 0, 600, 0]);
        assert_eq!(Haste { per_day: i64::MAX, after: LocalDay::MIN }.of(Some(LocalDay::MAX)), i64::MAX);
    }
}
