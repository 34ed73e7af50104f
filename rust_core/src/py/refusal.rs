//! Refusals for Python: the word, the rows and the limit of each.

use serde_json::{Value, json};

use super::outcome::sku_name;
use crate::catalogue::Catalogue;
use crate::planner::{LimitedBy, Refusal, Shortage, Spread, SpreadRow};

/// What a refusal is called.
pub fn word_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Short(_) => "short",
        Refusal::TooSpread(_) => "too_spread",
        Refusal::AtCapacity(_) => "at_capacity",
        Refusal::KeptByPolicy(..) => "kept_by_policy",
        Refusal::Undeliverable(_) => "undeliverable",
    }
}

/// (SKU, requested, available, units within as few shipments as are allowed).
pub type Row = (String, i64, i64, Option<i64>);

/// Who limits, to how many shipments, and the name of a policy that does.
pub type Limit = (&'static str, Option<usize>, Option<String>);

/// What a refusal is for, and the limit that does it where the stock is there.
pub fn told_of(refusal: Refusal, catalogue: &Catalogue) -> (Vec<Row>, Option<Limit>) {
    let limit = match &refusal {
        Refusal::TooSpread(Spread { shipments_max, by, policy, .. }) => {
            let policy = (*by == LimitedBy::Policy).then(|| policy.to_string());
            Some((by.name(), Some(*shipments_max), policy))
        }
        Refusal::KeptByPolicy(_, policy) => Some((LimitedBy::Policy.name(), None, Some(policy.to_string()))),
        _ => None,
    };
    let rows = match refusal {
        Refusal::TooSpread(Spread { rows, .. }) => {
            let told = |row: SpreadRow| (sku_name(catalogue, row.sku), row.requested, row.available, Some(row.within));
            rows.into_iter().map(told).collect()
        }
        other => {
            let told = |row: Shortage| (sku_name(catalogue, row.sku), row.requested, row.available, None);
            other.shortages().into_iter().map(told).collect()
        }
    };
    (rows, limit)
}

/// Adds to a quote's answer what it is refused for, as a refused order is told it.
pub fn tell_refusal(answer: &mut Value, refusal: &Refusal, catalogue: &Catalogue) {
    let (rows, limit) = told_of(refusal.clone(), catalogue);
    let undeliverable = matches!(refusal, Refusal::Undeliverable(_));
    let row = |(sku, requested, available, within): Row| {
        if undeliverable {
            return json!({"sku": sku, "requested": requested, "deliverable": available});
        }
        let mut row = json!({"sku": sku, "requested": requested, "available": available});
        if let Some(within) = within {
            row["within_limit"] = json!(within);
        }
        row
    };
    let rows = rows.into_iter().map(row).collect();
    answer[if undeliverable { "undeliverable" } else { "shortages" }] = rows;
    if let Some((by, shipments, policy)) = limit {
        answer["limit"] = json!({"by": by});
        if let Some(shipments) = shipments {
            answer["limit"]["shipments"] = json!(shipments);
        }
        if let Some(policy) = policy {
            answer["limit"]["policy"] = json!(policy);
        }
    }
}
