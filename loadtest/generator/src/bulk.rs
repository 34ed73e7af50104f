//! Reads what an answer to a bulk body tells of each of its orders, without reading its lines as JSON.

use crate::book::Class;

/// What one line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The line.
    pub text: &'a [u8],
    /// Its outcome; `(none)` where it tells none.
    pub outcome: &'a str,
    /// What that is: a line is held, or it has the status that a request of its own would have been answered with.
    pub class: Class,
}

/// The lines of an answer.
pub fn lines(body: &[u8]) -> impl Iterator<Item = Line<'_>> {
    body.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(|text| {
        let outcome = member(text, b"\"outcome\"").unwrap_or("(none)");
        let class = match outcome {
            "reserved" | "replayed" => Class::Ok,
            _ => match status(text).map_or(Class::Other, Class::of) {
                // It claims a success that the outcome does not.
                Class::Ok => Class::Other,
                class => class,
            },
        };
        Line { text, outcome, class }
    })
}

/// The text of a JSON object's member, found without reading the object: the first such name that a text follows.
#[must_use]
pub fn member<'a>(json: &'a [u8], name: &[u8]) -> Option<&'a str> {
    values(json, name).find_map(|rest| {
        let rest = rest.strip_prefix(b"\"")?;
        std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok()
    })
}

fn status(json: &[u8]) -> Option<u16> {
    values(json, b"\"status\"").find_map(|rest| {
        let digits = rest.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    })
}

/// What follows each member of a name.
fn values<'a>(json: &'a [u8], name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    memchr::memmem::find_iter(json, name)
        .filter_map(move |at| Some(json[at + name.len()..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_its_order_would_have_been_by_itself() {
        let body = br#"{"outcome":"reserved","order_id":"a","status":"confirmed"}

{"outcome": "replayed"}
{"outcome":"rejected","type":"insufficient-stock","title":"\"status\":503","status": 409}
{"outcome":"rejected","type":"store-unavailable","status":503}
{"outcome":"invalid","type":"invalid-order","status":400}
{"outcome":"rejected","status":200}
{"outcome":"rejected"}
oops"#;
        let classes: Vec<Class> = lines(body).map(|line| line.class).collect();
        let other = Class::Other;
        assert_eq!(classes, [Class::Ok, Class::Ok, Class::Refused, Class::Overloaded, other, other, other, other]);
        assert_eq!(lines(b"oops\n").next().unwrap().outcome, "(none)");
    }
}
