//! Destinations as far as carriers and own matrices tell them apart.

use std::hash::{Hash, Hasher};

/// Degrees of a destination are measured in steps of a hundredth: what lies within one costs the same.
const STEPS_PER_DEGREE: f64 = 100.0;

/// Stands between the parts of a place. Names are made plain first, which leaves none of it.
const BETWEEN: char = '\u{1f}';

/// Characters of a name that count.
const NAME_CHARS_MAX: usize = 64;

/// What of a destination is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its country.
    pub country: bool,
    /// Its region.
    pub region: bool,
    /// How much of its postcode.
    pub postcode_chars: usize,
    /// The order's service level.
    pub service_level: bool,
}

impl Asked {
    /// What either asks for.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            country: self.country || other.country,
            region: self.region || other.region,
            postcode_chars: self.postcode_chars.max(other.postcode_chars),
            service_level: self.service_level || other.service_level,
        }
    }
}

/// A place by its names, each plain; empty where it is not asked for or not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// Country.
    pub country: &'a str,
    /// Region.
    pub region: &'a str,
    /// Postcode, or as much of it as is asked for.
    pub postcode: &'a str,
    /// Not of the place, but of how fast the order is to get there.
    pub service_level: &'a str,
}

impl Place<'_> {
    /// As one text, as far as asked for; empty when nothing is.
    #[must_use]
    pub fn text(&self, asked: Asked) -> String {
        let mut out = String::new();
        if asked == Asked::default() {
            return out;
        }
        for (part, chars) in [
            (self.country, if asked.country { NAME_CHARS_MAX } else { 0 }),
            (self.region, if asked.region { NAME_CHARS_MAX } else { 0 }),
            (self.postcode, asked.postcode_chars.min(NAME_CHARS_MAX)),
            (self.service_level, if asked.service_level { NAME_CHARS_MAX } else { 0 }),
        ] {
            plain(&mut out, part, chars);
            out.push(BETWEEN);
        }
        out
    }
}

impl<'a> Place<'a> {
    /// What `text` wrote.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let mut parts = text.split(BETWEEN);
        let mut next = || parts.next().unwrap_or_default();
        Self { country: next(), region: next(), postcode: next(), service_level: next() }
    }
}

/// Adds a name as it is compared: capitals, no blanks, and no more than so many characters of it.
pub fn plain(out: &mut String, name: &str, chars_max: usize) {
    let shown = name.chars().filter(|one| !one.is_whitespace() && !one.is_control());
    out.extend(shown.flat_map(char::to_uppercase).take(chars_max));
}

/// Where an order goes: degrees in steps, and the place's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    pub(super) lat: i32,
    pub(super) lon: i32,
    pub(super) place: String,
}

impl Hash for Destination {
    /// One number where nothing but degrees is asked for, as is most often the case.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_i64(i64::from(self.lat) << 32 | i64::from(self.lon) & 0xffff_ffff);
        if !self.place.is_empty() {
            self.place.hash(state);
        }
    }
}

impl Destination {
    /// Of WGS 84 degrees.
    #[must_use]
    pub fn new(lat: f64, lon: f64, place: String) -> Self {
        // What is no number is as good as nowhere: doors let none in.
        Self { lat: (lat * STEPS_PER_DEGREE).round() as i32, lon: (lon * STEPS_PER_DEGREE).round() as i32, place }
    }

    /// Degrees of its middle.
    #[must_use]
    pub fn degrees(&self) -> (f64, f64) {
        (f64::from(self.lat) / STEPS_PER_DEGREE, f64::from(self.lon) / STEPS_PER_DEGREE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_as_far_as_asked_for_and_written_plain() {
        let place = Place { country: "gb", region: "", postcode: " sw1a 1aa", service_level: "Next day" };
        assert_eq!(place.text(Asked::default()), "");
        let text = place.text(Asked { postcode_chars: 4, service_level: true, ..Asked::default() });
        assert_eq!(Place::parse(&text), Place { postcode: "SW1A", service_level: "NEXTDAY", ..Place::default() });
        let all = Asked { country: true, region: true, ..Asked::default() };
        assert_eq!(Place::parse(&place.text(all)), Place { country: "GB", ..Place::default() });
        let sly = Place { country: "a\u{1f}b", ..Place::default() };
        assert_eq!(Place::parse(&sly.text(all)), Place { country: "AB", ..Place::default() });
    }

    #[test]
    fn what_lies_within_a_hundredth_of_a_degree_is_one_destination() {
        let at = |lat, lon| Destination::new(lat, lon, String::new());
        assert_eq!(at(31.2304, 121.4737), at(31.2349, 121.4651));
        assert_ne!(at(31.2304, 121.4737), at(31.2351, 121.4737));
        assert_eq!(at(-0.004, 0.0), at(0.004, 0.0));
        assert_eq!(at(31.2304, 121.4737).degrees(), (31.23, 121.47));
        assert_eq!(at(f64::NAN, f64::INFINITY).lat, 0);
    }
}
