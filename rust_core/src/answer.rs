//! The Allocation as callers read it: JSON, straight from a plan or from a record. `engine.model.Allocation` has the
//! same shape, and a test holds the two together.

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use crate::catalogue::Catalogue;
use crate::cost::LocalDay;
use crate::goods::Goods;
use crate::ids::{CellId, SKUS_MAX, SkuId, WAREHOUSES_MAX, WarehouseId};
use crate::order::JULIAN_DAY_1970;
use crate::planner::Shipment;
use crate::policy::Label;
use crate::record::Record;

/// The parts of an Allocation.
#[derive(Clone, Copy, Debug)]
pub struct Allocation<'a> {
    /// Which order.
    pub order_id: &'a str,
    /// Where it stands.
    pub status: &'a str,
    /// Counts its changes.
    pub version: u32,
    /// Its shipments.
    pub shipments: &'a [Shipment],
    /// What it goes without.
    pub unfilled: &'a [(SkuId, i64)],
    /// What comes for bundles and instead of what was ordered.
    pub goods: &'a Goods,
    /// Cells and units that have left.
    pub shipped: &'a [(CellId, i64)],
    /// Of all amounts.
    pub currency: &'a str,
    /// When its hold ends, in milliseconds since 1970; 0 for none.
    pub expires_ms: u64,
    /// The policy it was planned by, as its record has it.
    pub policy: &'a str,
}

impl<'a> Allocation<'a> {
    /// Of a record.
    #[must_use]
    pub fn of_record(order_id: &'a str, record: &'a Record) -> Self {
        Self {
            order_id,
            status: record.status.name(),
            version: record.version,
            shipments: &record.shipments,
            unfilled: &record.unfilled,
            goods: &record.goods,
            shipped: &record.shipped,
            currency: &record.currency,
            expires_ms: record.expires_ms,
            policy: &record.policy,
        }
    }

    /// What has left a warehouse, by SKU: of several cells where it came from pools.
    fn shipped_from(&self, warehouse: WarehouseId) -> Vec<(SkuId, i64)> {
        let mut sums: Vec<(SkuId, i64)> = Vec::new();
        for &(cell, units) in self.shipped {
            if cell % u64::from(WAREHOUSES_MAX) == u64::from(warehouse) {
                let sku = (cell / u64::from(WAREHOUSES_MAX) % u64::from(SKUS_MAX)) as SkuId;
                match sums.iter_mut().find(|(known, _)| *known == sku) {
                    Some((_, sum)) => *sum = sum.saturating_add(units),
                    None => sums.push((sku, units)),
                }
            }
        }
        sums.sort_unstable();
        sums
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self, catalogue: &Catalogue) -> Vec<u8> {
        let mut out = Vec::with_capacity(160 + 120 * self.shipments.len());
        raw(&mut out, "{\"order_id\":");
        text(&mut out, self.order_id);
        raw(&mut out, ",\"status\":");
        text(&mut out, self.status);
        raw(&mut out, ",\"version\":");
        number(&mut out, i64::from(self.version));
        raw(&mut out, ",\"shipments\":[");
        for (index, shipment) in self.shipments.iter().enumerate() {
            raw(&mut out, if index == 0 { "{\"warehouse\":" } else { ",{\"warehouse\":" });
            text(&mut out, catalogue.warehouse_name(shipment.warehouse).unwrap_or("?"));
            raw(&mut out, ",\"lines\":");
            lines(&mut out, &shipment.lines, catalogue);
            raw(&mut out, ",\"cost\":");
            number(&mut out, shipment.cost);
            raw(&mut out, ",\"distance_km\":");
            kilometres(&mut out, shipment.metres);
            if let Some(carrier) = &shipment.carrier {
                raw(&mut out, ",\"carrier\":");
                text(&mut out, carrier);
            }
            promised_on(&mut out, shipment.promised);
            let shipped = self.shipped_from(shipment.warehouse);
            if !shipped.is_empty() {
                raw(&mut out, ",\"shipped\":");
                lines(&mut out, &shipped, catalogue);
            }
            out.push(b'}');
        }
        raw(&mut out, "],\"unfilled\":");
        lines(&mut out, self.unfilled, catalogue);
        raw(&mut out, ",\"cost\":");
        number(&mut out, self.shipments.iter().fold(0, |sum, shipment| sum.saturating_add(shipment.cost)));
        raw(&mut out, ",\"currency\":");
        text(&mut out, self.currency);
        policy(&mut out, self.policy);
        // All of it is there when the last shipment is.
        let arrivals: Option<Vec<LocalDay>> = self.shipments.iter().map(|shipment| shipment.promised).collect();
        promised_on(&mut out, arrivals.and_then(|days| days.into_iter().max()));
        // A hold that was confirmed or released ends no more.
        if self.expires_ms > 0 && self.status == "reserved" {
            raw(&mut out, ",\"expires_at\":");
            text(&mut out, &instant(self.expires_ms));
        }
        if !self.goods.is_empty() {
            self.goods_to_json(&mut out, catalogue);
        }
        out.push(b'}');
        out
    }

    fn goods_to_json(&self, out: &mut Vec<u8>, catalogue: &Catalogue) {
        let name = |sku| catalogue.sku_name(sku).unwrap_or("?");
        for (index, one) in self.goods.substitutions.iter().enumerate() {
            raw(out, if index == 0 { ",\"substitutions\":[{\"sku\":" } else { ",{\"sku\":" });
            text(out, name(one.sku));
            raw(out, ",\"by\":");
            text(out, name(one.by));
            raw(out, ",\"quantity\":");
            number(out, one.units);
            raw(out, if index + 1 == self.goods.substitutions.len() { "}]" } else { "}" });
        }
        for (index, bundle) in self.goods.bundles.iter().enumerate() {
            raw(out, if index == 0 { ",\"bundles\":[{\"sku\":" } else { ",{\"sku\":" });
            text(out, name(bundle.sku));
            raw(out, ",\"quantity\":");
            number(out, bundle.units);
            raw(out, ",\"components\":");
            let of_all = |&(sku, each): &(SkuId, i64)| (sku, bundle.units.saturating_mul(each));
            lines(out, &bundle.components.iter().map(of_all).collect::<Vec<_>>(), catalogue);
            raw(out, if index + 1 == self.goods.bundles.len() { "}]" } else { "}" });
        }
        // Once it has stock, or is over, it waits no more.
        if self.goods.expected_day > 0 && self.status == "backordered" {
            raw(out, ",\"expected_on\":");
            text(out, &day(self.goods.expected_day));
        }
    }
}

/// A day since 1970 as ISO 8601 has it. One past the year 9999 is cut to it.
fn day(days: u32) -> String {
    let last_day = 2_932_896;
    let date = OffsetDateTime::from_unix_timestamp(i64::from(days.min(last_day)) * 86_400);
    date.map(|instant| instant.date().to_string()).unwrap_or_default()
}

/// The policy, its version, and the trial that shared out the order, as far as they are known.
fn policy(out: &mut Vec<u8>, label: &str) {
    let label = Label::parse(label);
    raw(out, ",\"policy\":");
    text(out, label.name);
    if let Some(version) = label.version {
        raw(out, ",\"policy_version\":");
        text(out, version);
    }
    if let Some((arm, name)) = label.trial {
        raw(out, ",\"trial\":{\"name\":");
        text(out, name);
        raw(out, ",\"arm\":");
        text(out, arm);
        out.push(b'}');
    }
}

fn lines(out: &mut Vec<u8>, lines: &[(SkuId, i64)], catalogue: &Catalogue) {
    out.push(b'[');
    for (index, &(sku, quantity)) in lines.iter().enumerate() {
        raw(out, if index == 0 { "{\"sku\":" } else { ",{\"sku\":" });
        text(out, catalogue.sku_name(sku).unwrap_or("?"));
        raw(out, ",\"quantity\":");
        number(out, quantity);
        out.push(b'}');
    }
    out.push(b']');
}

fn raw(out: &mut Vec<u8>, value: &str) {
    out.extend_from_slice(value.as_bytes());
}

fn text(out: &mut Vec<u8>, value: &str) {
    // Writing a string to a Vec cannot fail.
    let _ = serde_json::to_writer(out, value);
}

fn number(out: &mut Vec<u8>, value: i64) {
    let _ = serde_json::to_writer(out, &value);
}

/// Kilometres with the metres as decimals, from integers, so that no rounding differs between machines.
fn kilometres(out: &mut Vec<u8>, metres: u32) {
    number(out, i64::from(metres / 1000));
    let rest = metres % 1000;
    out.extend_from_slice(&[b'.', b'0' + (rest / 100) as u8, b'0' + (rest / 10 % 10) as u8, b'0' + (rest % 10) as u8]);
}

fn promised_on(out: &mut Vec<u8>, day: Option<LocalDay>) {
    let Some(day) = day else { return };
    raw(out, ",\"promised_on\":\"");
    raw(out, &date(day));
    out.push(b'"');
}

/// A calendar day as ISO 8601 has it. One beyond the calendar is cut to it.
pub(crate) fn date(day: LocalDay) -> String {
    let days = Date::MIN.to_julian_day()..=Date::MAX.to_julian_day();
    let julian = day.saturating_add(JULIAN_DAY_1970).clamp(*days.start(), *days.end());
    let (year, month, day) = Date::from_julian_day(julian).unwrap_or(Date::MIN).to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

/// RFC 3339, in UTC. A time past the year 9999 is cut to it.
fn instant(ms: u64) -> String {
    let last_ms = 253_402_300_799_999;
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms.min(last_ms)) * 1_000_000)
        .ok()
        .and_then(|instant| instant.format(&Rfc3339).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::SkuTerms;
    use crate::goods::{Bundle, Substitution};

    #[test]
    fn names_are_escaped_and_numbers_exact() {
        let mut catalogue = Catalogue::default();
        assert!(catalogue.put_sku(0, "a\"b\n", SkuTerms::default()));
        let shipments =
            [Shipment { warehouse: 9, cost: 1_250, metres: 7_005, lines: vec![(0, 2)], ..Shipment::default() }];
        let json = Allocation {
            order_id: "o",
            status: "reserved",
            version: 1,
            shipments: &shipments,
            unfilled: &[],
            goods: &Goods::default(),
            shipped: &[(4096 + 9, 1), (9, 1), (10, 5), ((1 << 36) + 9, 1)],
            currency: "CNY",
            expires_ms: 1_700_000_000_123,
            policy: "fast@7 trial:x",
        }
        .to_json(&catalogue);
        assert_eq!(
            String::from_utf8(json).unwrap(),
            concat!(
                r#"{"order_id":"o","status":"reserved","version":1,"shipments":[{"warehouse":"?","lines":"#,
                r#"[{"sku":"a\"b\n","quantity":2}],"cost":1250,"distance_km":7.005,"#,
                r#""shipped":[{"sku":"a\"b\n","quantity":2},{"sku":"?","quantity":1}]}],"unfilled":[],"cost":1250,"#,
                r#""currency":"CNY","policy":"fast","policy_version":"7","trial":{"name":"x","arm":"trial"},"#,
                r#""expires_at":"2023-11-14T22:13:20.123Z"}"#
            )
        );
    }

    fn json(status: &str, shipments: &[Shipment], expires_ms: u64) -> serde_json::Value {
        let (order_id, unfilled, currency) = ("o", &[(1, 3)][..], "CNY");
        let (shipped, policy, goods) = (&[], "cheapest", &Goods::default());
        let allocation = Allocation {
            order_id,
            status,
            version: 2,
            shipments,
            unfilled,
            goods,
            shipped,
            currency,
            expires_ms,
            policy,
        };
        serde_json::from_slice(&allocation.to_json(&Catalogue::default())).unwrap()
    }

    #[test]
    fn what_comes_instead_and_for_bundles_is_told() {
        let mut catalogue = Catalogue::default();
        for (sku, name) in (0..).zip(["a", "b", "kit"]) {
            assert!(catalogue.put_sku(sku, name, SkuTerms::default()));
        }
        let bundle = |units| Bundle { sku: 2, units, components: vec![(0, 1), (1, 3)] };
        let instead = |units| Substitution { sku: 0, by: 1, units };
        let goods = |bundles, substitutions, expected_day| Goods { substitutions, bundles, expected_day };
        let told = |status, goods: &Goods| {
            let (order_id, shipments, unfilled, shipped, currency) = ("o", &[][..], &[][..], &[][..], "CNY");
            let (version, expires_ms, policy) = (1, 0, "cheapest");
            let allocation = Allocation {
                order_id,
                status,
                version,
                shipments,
                unfilled,
                goods,
                shipped,
                currency,
                expires_ms,
                policy,
            };
            serde_json::from_slice::<serde_json::Value>(&allocation.to_json(&catalogue)).unwrap()
        };
        let answer = told("confirmed", &goods(vec![bundle(2), bundle(1)], vec![instead(4), instead(5)], 0));
        let row = |units: i64| {
            let components = serde_json::json!([{"sku": "a", "quantity": units}, {"sku": "b", "quantity": 3 * units}]);
            serde_json::json!({"sku": "kit", "quantity": units, "components": components})
        };
        assert_eq!(answer["bundles"], serde_json::json!([row(2), row(1)]));
        let instead_of = |units: i64| serde_json::json!({"sku": "a", "by": "b", "quantity": units});
        assert_eq!(answer["substitutions"], serde_json::json!([instead_of(4), instead_of(5)]));
        assert!(answer.get("expected_on").is_none());
        let waits = goods(vec![], vec![], 20_770);
        assert_eq!(told("backordered", &waits)["expected_on"], "2026-11-13");
        assert!(told("released", &waits).get("expected_on").is_none());
        assert_eq!(told("backordered", &goods(vec![], vec![], u32::MAX))["expected_on"], "9999-12-31");
    }

    #[test]
    fn only_a_reserved_order_ends() {
        assert!(json("reserved", &[], 1).get("expires_at").is_some());
        assert!(json("reserved", &[], 0).get("expires_at").is_none());
        for status in ["confirmed", "released", "expired", "quoted"] {
            assert!(json(status, &[], 1).get("expires_at").is_none(), "{status}");
        }
    }

    #[test]
    fn a_time_beyond_the_calendar_ends_with_it() {
        assert_eq!(json("reserved", &[], u64::MAX)["expires_at"], "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn an_order_is_promised_for_the_day_of_its_last_shipment() {
        let shipment = |promised, carrier: Option<&str>| Shipment {
            promised,
            carrier: carrier.map(Into::into),
            ..Shipment::default()
        };
        let (first, last) = (shipment(Some(20_770), Some("east \"post\"")), shipment(Some(20_772), None));
        let answer = json("confirmed", &[last.clone(), first.clone()], 0);
        assert_eq!(answer["shipments"][1]["carrier"], "east \"post\"");
        assert_eq!(answer["shipments"][1]["promised_on"], "2026-11-13");
        assert!(answer["shipments"][0].get("carrier").is_none());
        assert_eq!(answer["promised_on"], "2026-11-15");
        let unsure = json("confirmed", &[last, shipment(None, None)], 0);
        assert!(unsure.get("promised_on").is_none() && unsure["shipments"][1].get("promised_on").is_none());
        assert!(json("confirmed", &[], 0).get("promised_on").is_none());
        for (day, text) in [(0, "1970-01-01"), (i32::MAX, "9999-12-31"), (-1, "1969-12-31")] {
            assert_eq!(json("confirmed", &[shipment(Some(day), None)], 0)["promised_on"], text);
        }
    }

    #[test]
    fn costs_are_summed_and_what_is_missing_is_told() {
        let shipment = |cost, metres| Shipment { cost, metres, lines: vec![(0, 1), (1, 2)], ..Shipment::default() };
        let answer = json("confirmed", &[shipment(700, 12_345_678), shipment(50, 0)], 0);
        assert_eq!((&answer["cost"], &answer["version"]), (&serde_json::json!(750), &serde_json::json!(2)));
        assert_eq!(answer["shipments"][0]["distance_km"], 12_345.678);
        assert_eq!(answer["shipments"][1]["lines"][1]["quantity"], 2);
        assert_eq!(answer["unfilled"], serde_json::json!([{"sku": "?", "quantity": 3}]));
        // Records come from outside: their sums must not wrap.
        assert_eq!(json("confirmed", &[shipment(i64::MAX, 0), shipment(1, 0)], 0)["cost"], i64::MAX);
    }
}
