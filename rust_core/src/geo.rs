//! Great-circle distance. Uses `libm`, not the platform's mathematics, so that every machine finds the same metre.

/// Mean radius of the Earth in metres (IUGG).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A point on the unit sphere, ready for many distances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    x: f64,
    y: f64,
    z: f64,
}

impl Point {
    /// From WGS 84 degrees.
    #[must_use]
    pub fn from_degrees(lat: f64, lon: f64) -> Self {
        let (lat, lon) = (lat.to_radians(), lon.to_radians());
        let cos_lat = libm::cos(lat);
        Self { x: cos_lat * libm::cos(lon), y: cos_lat * libm::sin(lon), z: libm::sin(lat) }
    }

    /// Metres along the great circle, from the chord: `2 R asin(chord / 2)`, which is the haversine formula.
    #[must_use]
    pub fn metres_to(&self, other: &Self) -> u32 {
        let (dx, dy, dz) = (self.x - other.x, self.y - other.y, self.z - other.z);
        let half_chord = libm::sqrt(dx * dx + dy * dy + dz * dz) / 2.0;
        let metres = 2.0 * EARTH_RADIUS_M * libm::asin(half_chord.min(1.0));
        // At most half the Earth's girth, 20,015,115 m: it fits.
        libm::round(metres) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_distances_are_met() {
        let shanghai = Point::from_degrees(31.2304, 121.4737);
        let beijing = Point::from_degrees(39.9042, 116.4074);
        let km = f64::from(shanghai.metres_to(&beijing)) / 1000.0;
        assert!((km - 1067.3).abs() < 1.0, "{km}");
        assert_eq!(shanghai.metres_to(&shanghai), 0);
    }

    #[test]
    fn antipodes_are_half_the_girth_apart() {
        let metres = Point::from_degrees(0.0, 0.0).metres_to(&Point::from_degrees(0.0, 180.0));
        assert!(metres.abs_diff(20_015_115) <= 1, "{metres}");
    }
}
