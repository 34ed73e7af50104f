//! Which policy an order gets: each condition met and not met, times, shares of trials, and books that do not fit.

use serde_json::{Value, json};

use super::*;
use crate::fixture::{lines, order};
use crate::order::Order;

fn book_of(fields: Value) -> Result<Book, String> {
    let mut book = json!({
        "version": "7", "default": "usual",
        "policies": [{"name": "usual"}, {"name": "special", "objective": "fastest"}], "rules": [],
    });
    if let (Value::Object(book), Value::Object(fields)) = (&mut book, fields) {
        book.extend(fields);
    }
    Book::decode(&rmp_serde::to_vec_named(&book).unwrap())
}

fn rule(when: Value) -> Book {
    book_of(json!({"rules": [{"name": "r", "use": "special", "when": when}]})).unwrap()
}

fn label(book: &Book, fields: Value, now_ms: Option<u64>) -> String {
    let mut traits = Traits::default();
    traits.put_sku(1, Some("bulky"), &[]);
    let bytes = order(fields);
    let order = Order::decode(&bytes).unwrap();
    let numbers: Vec<(u32, i64)> = order.lines.iter().map(|line| (line.sku[1..].parse().unwrap(), 1)).collect();
    book.select(&order, &numbers, &traits, now_ms).unwrap().label.clone().into()
}

#[test]
fn each_condition_is_met_or_not() {
    let plain = json!({"lines": lines(&[(0, 1)])});
    for (when, met, others) in [
        (json!({"channels": ["web", "app"]}), json!({"channel": "app"}), vec![json!({"channel": "shop"})]),
        (
            json!({"regions": ["Hebei"]}),
            json!({"ship_to": {"lat": 0.0, "lon": 0.0, "region": "Hebei"}}),
            vec![json!({"ship_to": {"lat": 0.0, "lon": 0.0, "region": "Henan"}})],
        ),
        (
            json!({"countries": ["CN"]}),
            json!({"ship_to": {"lat": 0.0, "lon": 0.0, "country": "CN"}}),
            vec![json!({"ship_to": {"lat": 0.0, "lon": 0.0, "country": "DE", "region": "CN"}})],
        ),
        (
            json!({"sku_classes": ["bulky"]}),
            json!({"lines": lines(&[(0, 1), (1, 1)])}),
            vec![json!({"lines": lines(&[(2, 1)])})],
        ),
        (
            json!({"service_levels": ["express"]}),
            json!({"service_level": "express"}),
            vec![json!({"service_level": "slow"})],
        ),
        (
            json!({"customer_classes": ["gold"]}),
            json!({"customer_class": "gold"}),
            vec![json!({"customer_class": "tin"})],
        ),
        (
            json!({"value_min": 100, "value_max": 200}),
            json!({"lines": [{"sku": "s0", "quantity": 2, "unit_price": 50}, {"sku": "s0", "quantity": 1}]}),
            vec![
                json!({"lines": [{"sku": "s0", "quantity": 1, "unit_price": 99}]}),
                json!({"lines": [{"sku": "s0", "quantity": 3, "unit_price": 67}]}),
            ],
        ),
    ] {
        let book = rule(when.clone());
        let with = |more: &Value| {
            let mut fields = plain.clone();
            fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            label(&book, fields, None)
        };
        assert_eq!(with(&met), "special@7", "{when}");
        assert_eq!(with(&json!({})), "usual@7", "{when}: an order that says nothing of it");
        for other in others {
            assert_eq!(with(&other), "usual@7", "{when} against {other}");
        }
    }
}

#[test]
fn all_conditions_of_a_rule_must_fit() {
    let book = rule(json!({"channels": ["app"], "customer_classes": ["gold"]}));
    let fields =
        |channel: &str, class: &str| json!({"lines": lines(&[(0, 1)]), "channel": channel, "customer_class": class});
    assert_eq!(label(&book, fields("app", "gold"), None), "special@7");
    assert_eq!(label(&book, fields("app", "tin"), None), "usual@7");
    assert_eq!(label(&book, fields("web", "gold"), None), "usual@7");
}

#[test]
fn the_first_rule_that_fits_decides_and_an_order_that_names_a_policy_is_not_asked() {
    let rules = json!({"rules": [
        {"name": "a", "use": "special", "when": {"channels": ["app"]}}, {"name": "b", "use": "usual"},
        {"name": "c", "use": "special"},
    ]});
    let book = book_of(rules).unwrap();
    let fields = |more: Value| {
        let mut fields = json!({"lines": lines(&[(0, 1)])});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    assert_eq!(label(&book, fields(json!({"channel": "app"})), None), "special@7");
    assert_eq!(label(&book, fields(json!({"channel": "web"})), None), "usual@7");
    assert_eq!(label(&book, fields(json!({"channel": "app", "policy": "usual"})), None), "usual@7");
}

#[test]
fn a_time_is_from_its_begin_up_to_its_end() {
    let book = rule(json!({"from_ms": 1000, "until_ms": 2000}));
    for (now_ms, name) in [
        (Some(999), "usual@7"),
        (Some(1000), "special@7"),
        (Some(1999), "special@7"),
        (Some(2000), "usual@7"),
        (None, "usual@7"),
    ] {
        assert_eq!(label(&book, json!({"lines": lines(&[(0, 1)])}), now_ms), name, "{now_ms:?}");
    }
    let window = json!({"window": {"hours": [60, 120], "weekdays": 127, "offsets": [[0, 0]]}});
    assert_eq!(label(&rule(window.clone()), json!({}), Some(3_600_000)), "special@7");
    assert_eq!(label(&rule(window), json!({}), Some(7_200_000)), "usual@7");
}

fn trial(name: &str, share: u64) -> Book {
    let trial = json!({"name": name, "use": "special", "share": share});
    book_of(json!({"rules": [{"name": "r", "use": "usual", "trial": trial}]})).unwrap()
}

fn in_trial(book: &Book, id: usize) -> bool {
    let label = label(book, json!({"order_id": format!("D{id:06}"), "lines": lines(&[(0, 1)])}), None);
    assert!(["special@7 trial:x", "usual@7 control:x", "special@7 trial:y", "usual@7 control:y"].contains(&&*label));
    label.starts_with("special")
}

/// Of 20,000 orders a share of p has a standard deviation of 141 * sqrt(p (1 - p)) orders: five of them are allowed.
#[test]
fn a_trial_gets_its_share_and_an_order_stays_in_its_arm() {
    for share in [0_u64, 100, 500, 5_000, 10_000] {
        let book = trial("x", share);
        let drawn: Vec<bool> = (0..20_000).map(|id| in_trial(&book, id)).collect();
        let (found, wanted) = (drawn.iter().filter(|one| **one).count() as f64, 2.0 * share as f64);
        let tolerance = 5.0 * (wanted * (1.0 - wanted / 20_000.0)).sqrt();
        assert!((found - wanted).abs() <= tolerance, "{found} of {wanted}");
        let again = trial("x", share);
        assert!((0..2_000).all(|id| in_trial(&again, id) == drawn[id]));
    }
    // A greater share keeps those who were in, and another trial draws anew.
    let (small, large, other) = (trial("x", 500), trial("x", 5_000), trial("y", 5_000));
    assert!((0..2_000).all(|id| !in_trial(&small, id) || in_trial(&large, id)));
    assert!((0..2_000).any(|id| in_trial(&large, id) != in_trial(&other, id)));
}

#[test]
fn an_arm_is_found_by_the_trial_that_a_record_names_as_long_as_there_is_one_of_that_name() {
    let book = trial("x", 0);
    let found = |label: &str| book.arm(label).map(|selected| selected.label.to_string());
    assert_eq!(found("gone@1 trial:x").as_deref(), Some("special@7 trial:x"), "whatever the arm used before");
    assert_eq!(found("special@6 control:x").as_deref(), Some("usual@7 control:x"));
    for none in ["special@7 trial:y", "special@7", "special", "", "special@7 other:x"] {
        assert_eq!(found(none), None, "{none}");
    }
}

#[test]
fn an_order_of_a_built_in_policy_keeps_it_while_those_are_in_force_whatever_the_default() {
    for default in ["cheapest", "nearest", "priority"] {
        let book = Book::built_in(default).unwrap();
        let kept = |label: &str| book.kept(label).map(|selected| selected.label.to_string());
        assert_eq!(kept("nearest@built-in").as_deref(), Some("nearest@built-in"));
        assert_eq!(kept("fastest").as_deref(), Some("fastest@built-in"), "of before there were versions");
        for none in ["nearest@7", "economy@built-in", "nearest@7 trial:x", ""] {
            assert_eq!(kept(none), None, "{none}");
        }
    }
    let book = trial("x", 0);
    let kept = |label: &str| book.kept(label).map(|selected| selected.label.to_string());
    assert_eq!(kept("special@6 control:x").as_deref(), Some("usual@7 control:x"));
    for none in ["usual@built-in", "usual@7", "usual"] {
        assert_eq!(kept(none), None, "{none}: the rules say");
    }
}

#[test]
fn arms_of_trials_are_where_they_fall_for_ever() {
    let book = trial("x", 5_000);
    let drawn: Vec<usize> = (0..20).filter(|&id| in_trial(&book, id)).collect();
    assert_eq!(drawn, [0, 2, 3, 7, 13, 14, 19], "what was told apart in stored orders must stay so");
}

#[test]
fn what_does_not_fit_is_refused_as_a_whole() {
    let rule = |rule: Value| json!({"rules": [rule]});
    for (fields, words) in [
        (json!({"default": "magic"}), "no policy \"magic\""),
        (rule(json!({"name": "r", "use": "magic"})), "no policy \"magic\""),
        (rule(json!({"name": "r", "use": "usual", "trial": {"name": "t", "use": "magic", "share": 1}})), "no policy"),
        (rule(json!({"name": "r", "use": "usual", "when": {"moon": "full"}})), "moon"),
        (json!({"policies": [{"name": "usual", "objective": "dearest"}]}), "dearest"),
        (json!({"policies": [{"name": "usual", "colour": "red"}]}), "colour"),
        (json!({"policies": [{"name": "usual", "only": {"kinds": ["ship"]}}]}), "ship"),
        (json!({"version": null}), "version"),
    ] {
        let message = book_of(fields).unwrap_err();
        assert!(message.contains(words) || message.starts_with("policies:"), "{message}");
    }
    assert!(Book::decode(b"").is_err() && Book::decode(&[0x81, 0xa1]).is_err());
}

#[test]
fn without_a_file_there_are_five_policies() {
    let book = Book::built_in("nearest").unwrap();
    let names: Vec<&str> = book.policies().map(|policy| &*policy.name).collect();
    assert_eq!(names, ["cheapest", "nearest", "fastest", "fewest_shipments", "priority"]);
    assert_eq!(
        (book.version(), label(&book, json!({"lines": lines(&[(0, 1)])}), None).as_str()),
        ("built-in", "nearest@built-in")
    );
    assert!(Book::built_in("magic").is_none());
}

#[test]
fn an_unknown_policy_is_answered_with_all_names() {
    let bytes = order(json!({"policy": "magic"}));
    let found = book_of(json!({})).unwrap().select(&Order::decode(&bytes).unwrap(), &[], &Traits::default(), None);
    assert_eq!(found, Err("usual, special".to_owned()));
}
