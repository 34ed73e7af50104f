//! Reads what the store packed: pages of names and values, numbers as text, lists of pairs.

use rmp::Marker;
use rmp::decode::{read_array_len, read_marker};
use serde_json::Value;

use crate::ids::CellId;

/// Calls `take` with each name and value of a page; a value is `None` where it is gone.
pub fn each_pair<'a>(page: &'a [u8], mut take: impl FnMut(&'a [u8], Option<&'a [u8]>)) -> Result<(), String> {
    let torn = || "a page is torn".to_owned();
    let mut rest = page;
    // Lua packs an empty list as a map.
    if page == [0x80] {
        return Ok(());
    }
    let count = read_array_len(&mut rest).map_err(|_| torn())?;
    if count % 2 == 1 {
        return Err("a page ends with a name that has no value".to_owned());
    }
    for _ in 0..count / 2 {
        let name = string(&mut rest).ok_or_else(torn)?.ok_or_else(torn)?;
        take(name, string(&mut rest).ok_or_else(torn)?);
    }
    Ok(())
}

/// A string, or `Some(None)` for false; `None` when it is torn.
fn string<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let size = match read_marker(rest).ok()? {
        Marker::False | Marker::Null => return Some(None),
        Marker::FixStr(length) => {
            let (value, after) = rest.split_at_checked(usize::from(length))?;
            *rest = after;
            return Some(Some(value));
        }
        Marker::Str8 => 1,
        Marker::Str16 => 2,
        Marker::Str32 => 4,
        _ => return None,
    };
    let (length, after) = rest.split_at_checked(size)?;
    let length = length.iter().fold(0_usize, |value, &byte| value << 8 | usize::from(byte));
    let (value, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(Some(value))
}

/// A number as text.
pub fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Units as text, as far as the store's Lua is exact.
pub fn units(text: &[u8]) -> Option<i64> {
    number(text).filter(|units: &i64| units.unsigned_abs() <= 1 << 53)
}

/// A score of a sorted set, as a whole number.
pub fn score(text: &[u8]) -> Option<i64> {
    number::<i64>(text).or_else(|| number::<f64>(text).map(|score| score as i64))
}

/// A MessagePack array of values of any kind.
pub fn value(packed: &[u8]) -> Result<Vec<Value>, String> {
    rmp_serde::from_slice(packed).map_err(|error| error.to_string())
}

/// `[cell, units, ...]`; Lua packs an empty one as a map.
pub fn units_of(flat: &Value) -> Option<Vec<(CellId, i64)>> {
    list(flat)?.chunks(2).map(|pair| Some((pair.first()?.as_u64()?, pair.get(1)?.as_i64()?))).collect()
}

/// `[[counter, units], ...]`.
pub fn counts_of(rows: &Value) -> Option<Vec<(String, i64)>> {
    let row = |row: &Value| Some((row.get(0)?.as_str()?.to_owned(), row.get(1)?.as_i64()?));
    list(rows)?.iter().map(row).collect()
}

fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(rows) => Some(rows),
        Value::Object(rows) if rows.is_empty() => Some(&[]),
        _ => None,
    }
}
