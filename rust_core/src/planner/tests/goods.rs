//! Rules of bundles, substitutes and waiting for stock, one by one; `random` holds them over random orders.

mod random;

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::goods::{Bundle, Goods, Substitution};
use crate::ids::SkuId;
use crate::planner::bundles::{EXPLODED_SKUS_MAX, EXPLODED_UNITS_MAX};

/// SKUs by number: these bundles follow those that have stock.
fn bundled(stock: &[&[i64]], bundles: &[&[(u32, i64)]]) -> Planner {
    let places: Vec<WarehouseTerms> = (0..stock[0].len()).map(|place| warehouse(place as f64)).collect();
    let mut planner = planner(&places, stock);
    for (number, parts) in (stock.len() as u32..).zip(bundles) {
        assert!(planner.catalogue.put_sku(number, &format!("s{number}"), SkuTerms::default()));
        let components = parts.iter().map(|&(sku, units)| (format!("s{sku}"), units)).collect();
        planner.catalogue.assortment.put(number, components, vec![]);
    }
    planner
}

fn may_come(planner: &mut Planner, sku: SkuId, instead: &[SkuId]) {
    let names = instead.iter().map(|by| format!("s{by}")).collect();
    planner.catalogue.assortment.put(sku, vec![], names);
}

fn wants(of: &[(u32, i64)], more: Value) -> Value {
    let mut fields = json!({"lines": lines(of)});
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}

#[test]
fn a_bundle_is_planned_as_its_components_beside_what_is_ordered_of_them() {
    let mut planner = bundled(&[&[5, 9], &[4, 9]], &[&[(0, 1), (1, 2)]]);
    let plan = plan(&mut planner, wants(&[(2, 2), (0, 3)], json!({}))).unwrap();
    assert_eq!(pieces(&plan), [(0, 0, 5), (0, 1, 4)]);
    let bundle = Bundle { sku: 2, units: 2, components: vec![(0, 1), (1, 2)] };
    assert_eq!(plan.goods, Goods { bundles: vec![bundle], ..Goods::default() });
    let demand = demand(&planner, wants(&[(2, 1), (0, 3), (2, 1)], json!({})));
    assert_eq!((demand.ordered(), demand.lines.as_slice()), (&[(2, 2), (0, 3)][..], &[(0, 5), (1, 4)][..]));
}

#[test]
fn what_a_bundle_lacks_is_told_of_its_components() {
    let mut planner = bundled(&[&[1, 1], &[9, 0]], &[&[(0, 1), (1, 1)]]);
    let short = Shortage { sku: 0, requested: 3, available: 2 };
    assert_eq!(plan(&mut planner, wants(&[(2, 3)], json!({}))), Err(Refusal::Short(vec![short])));
}

#[test]
fn nested_unknown_and_oversized_bundles_are_flaws_of_their_line() {
    let mut planner = bundled(&[&[9]], &[&[(0, 1)], &[(0, 1), (1, 1), (99, 1)]]);
    assert_eq!(pointers(&planner, wants(&[(0, 1), (2, 1)], json!({}))), ["/lines/1/sku", "/lines/1/sku"]);
    planner.catalogue.assortment.put(1, vec![("s1".into(), 1)], vec![]);
    assert_eq!(pointers(&planner, wants(&[(1, 1)], json!({}))), ["/lines/0/sku"]);
    planner.catalogue.assortment.put(1, vec![("s0".into(), 0)], vec![]);
    assert_eq!(pointers(&planner, wants(&[(1, 1)], json!({}))), ["/lines/0/sku"]);
    planner.catalogue.assortment.put(1, vec![("s0".into(), EXPLODED_UNITS_MAX)], vec![]);
    assert_eq!(pointers(&planner, wants(&[(1, 2)], json!({}))), ["/lines"]);
    planner.catalogue.assortment.put(1, vec![("s0".into(), i64::MAX)], vec![]);
    assert_eq!(pointers(&planner, wants(&[(1, 2), (0, 1)], json!({}))), ["/lines"]);
    let many: Vec<(String, i64)> = (10..).take(EXPLODED_SKUS_MAX + 1).map(|sku| (format!("s{sku}"), 1)).collect();
    for sku in 10..=10 + EXPLODED_SKUS_MAX as u32 {
        assert!(planner.catalogue.put_sku(sku, &format!("s{sku}"), SkuTerms::default()));
    }
    planner.catalogue.assortment.put(1, many, vec![]);
    assert_eq!(pointers(&planner, wants(&[(1, 1)], json!({}))), ["/lines"]);
}

#[test]
fn a_part_of_an_order_has_whole_bundles() {
    let mut planner = bundled(&[&[2, 2], &[9, 9], &[1, 0]], &[&[(0, 1), (1, 2)]]);
    let part = plan(&mut planner, wants(&[(3, 6), (0, 1), (2, 2)], json!({"allow_partial": true}))).unwrap();
    // The kits take all of s0 before the line of its own does.
    let mut units: BTreeMap<u32, i64> = BTreeMap::new();
    pieces(&part).iter().for_each(|&(_, sku, count)| *units.entry(sku).or_default() += count);
    assert_eq!(units, BTreeMap::from([(0, 4), (1, 8), (2, 1)]));
    assert_eq!(part.unfilled, [(3, 2), (0, 1), (2, 1)]);
    assert_eq!(part.goods.bundles[0].units, 4);
    // One warehouse has but two of them whole.
    let one = plan(&mut planner, wants(&[(3, 6)], json!({"allow_partial": true, "max_shipments": 1}))).unwrap();
    assert_eq!((pieces(&one).len(), one.unfilled, one.goods.bundles[0].units), (2, vec![(3, 4)], 2));
}

/// The first has most units and no whole kit; each of the others has one.
#[test]
fn a_part_is_chosen_for_whole_bundles_and_not_for_most_units() {
    let mut planner = bundled(&[&[9, 1, 3], &[0, 1, 2]], &[&[(0, 1), (1, 1)]]);
    let fields = |units| wants(&[(2, units)], json!({"allow_partial": true, "allow_split": false}));
    let part = plan(&mut planner, fields(5)).unwrap();
    assert_eq!((pieces(&part), part.unfilled), (vec![(2, 0, 2), (2, 1, 2)], vec![(2, 3)]));
    let mut apart = bundled(&[&[1, 0], &[0, 1]], &[&[(0, 1), (1, 1)]]);
    assert!(matches!(plan(&mut apart, fields(1)), Err(Refusal::TooSpread(spread)) if !spread.rows.is_empty()));
}

/// Most loose units are where no kit is whole, one kit is in the first place, and fifty of another in the second.
#[test]
fn the_one_bundle_of_a_part_is_that_of_which_most_can_be_had_and_then_the_cheapest() {
    let stock: [&[i64]; 6] =
        [&[1, 0, 50, 0], &[1, 0, 0, 60], &[0, 50, 50, 0], &[0, 50, 0, 0], &[0, 0, 50, 0], &[0, 0, 0, 60]];
    let kits: [&[(u32, i64)]; 3] = [&[(0, 1), (1, 1)], &[(2, 1), (3, 1)], &[(4, 1), (5, 1)]];
    let part = json!({"allow_partial": true, "max_shipments": 1});
    for lines in [[(6, 50), (7, 50), (8, 50)], [(8, 50), (6, 50), (7, 50)], [(6, 90), (7, 70), (8, 50)]] {
        let found = plan(&mut bundled(&stock, &kits), wants(&lines, part.clone())).unwrap();
        assert_eq!((pieces(&found), found.proven), (vec![(1, 2, 50), (1, 3, 50)], false), "{lines:?}");
        assert_eq!((found.goods.bundles[0].sku, found.goods.bundles[0].units), (7, 50));
    }
    let mut planner = bundled(&[&[&[50, 0, 50, 0][..], &[50, 0, 0, 60]], &stock[2..]].concat(), &kits);
    assert!(planner.put_warehouse(0, "w0", WarehouseTerms { fixed_cost: 900, ..warehouse(0.0) }));
    let cheaper = plan(&mut planner, wants(&[(6, 50), (7, 50), (8, 50)], part)).unwrap();
    assert_eq!(pieces(&cheaper), [(1, 2, 50), (1, 3, 50)]);
}

/// Two kits want what is there for two of them: who goes without is a choice that was not weighed.
#[test]
fn a_part_whose_bundles_were_lowered_is_not_proven() {
    let mut planner = bundled(&[&[2], &[9]], &[&[(0, 1), (1, 1)]]);
    let part =
        |planner: &mut Planner, units| plan(planner, wants(&[(2, units)], json!({"allow_partial": true}))).unwrap();
    assert!(part(&mut planner, 2).proven);
    assert!(!part(&mut planner, 3).proven);
}

#[test]
fn a_part_without_a_whole_bundle_is_a_shortage() {
    let mut planner = bundled(&[&[9], &[0]], &[&[(0, 1), (1, 1)]]);
    let short = Shortage { sku: 1, requested: 2, available: 0 };
    let fields = wants(&[(2, 2)], json!({"allow_partial": true}));
    assert_eq!(plan(&mut planner, fields), Err(Refusal::Short(vec![short])));
}

#[test]
fn substitutes_come_best_first_where_the_order_allows_them_and_for_nothing_else() {
    let mut planner = bundled(&[&[1, 1], &[0, 1], &[5, 5]], &[]);
    may_come(&mut planner, 0, &[1, 2]);
    let short = Shortage { sku: 0, requested: 5, available: 2 };
    assert_eq!(plan(&mut planner, wants(&[(0, 5)], json!({}))), Err(Refusal::Short(vec![short])));
    let allowed = json!({"allow_substitutes": true});
    assert_eq!(plan(&mut planner, wants(&[(0, 2)], allowed.clone())).unwrap().goods, Goods::default());
    let bent = plan(&mut planner, wants(&[(0, 5)], allowed.clone())).unwrap();
    let instead = |by, units| Substitution { sku: 0, by, units };
    assert_eq!(bent.goods.substitutions, [instead(1, 1), instead(2, 2)]);
    assert!(bent.unfilled.is_empty());
    // What a substitute is ordered for itself comes first, and what all together lack is what the order lacks.
    let shared = plan(&mut planner, wants(&[(0, 5), (1, 1)], allowed.clone())).unwrap();
    assert_eq!(shared.goods.substitutions, [instead(2, 3)]);
    let short = Shortage { sku: 0, requested: 14, available: 13 };
    assert_eq!(plan(&mut planner, wants(&[(0, 14)], allowed.clone())), Err(Refusal::Short(vec![short])));
    let part = json!({"allow_substitutes": true, "allow_partial": true});
    assert_eq!(plan(&mut planner, wants(&[(0, 14)], part)).unwrap().unfilled, [(0, 1)]);
    // Not of its substitute's substitutes, nor of bundles, itself or what nobody knows.
    may_come(&mut planner, 1, &[2]);
    planner.catalogue.assortment.put(0, vec![], vec!["s1".into(), "s0".into(), "ghost".into()]);
    let short = Shortage { sku: 0, requested: 5, available: 3 };
    assert_eq!(plan(&mut planner, wants(&[(0, 5)], allowed)), Err(Refusal::Short(vec![short])));
}

#[test]
fn components_may_be_substituted_too() {
    let mut planner = bundled(&[&[1], &[9], &[9]], &[&[(0, 1), (1, 1)]]);
    may_come(&mut planner, 0, &[2]);
    let bent = plan(&mut planner, wants(&[(3, 3)], json!({"allow_substitutes": true}))).unwrap();
    assert_eq!(pieces(&bent), [(0, 0, 1), (0, 1, 3), (0, 2, 2)]);
    assert_eq!(bent.goods.substitutions, [Substitution { sku: 0, by: 2, units: 2 }]);
    assert_eq!(bent.goods.bundles[0].units, 3);
}

/// There are two, though in different places: that is no shortage of the network.
#[test]
fn too_many_shipments_are_no_reason_for_a_substitute() {
    let mut planner = bundled(&[&[1, 1], &[9, 9]], &[]);
    may_come(&mut planner, 0, &[1]);
    let fields = wants(&[(0, 2)], json!({"allow_substitutes": true, "allow_split": false}));
    assert!(matches!(plan(&mut planner, fields), Err(Refusal::TooSpread(_))));
}

#[test]
fn purchase_limits_bind_what_was_ordered() {
    let mut planner = bundled(&[&[1], &[9]], &[&[(0, 1)]]);
    let limit = |purchase_limit| SkuTerms { weight_g: 1, purchase_limit, ..SkuTerms::default() };
    for (sku, most) in [(0, 4), (1, 1), (2, 3)] {
        assert!(planner.catalogue.put_sku(sku, &format!("s{sku}"), limit(most)));
    }
    may_come(&mut planner, 0, &[1]);
    let asked = demand(&planner, wants(&[(0, 2), (2, 3)], json!({"allow_substitutes": true})));
    assert!(planner.beyond_limits(&asked).is_empty());
    let bent = planner.plan(&asked).unwrap();
    assert_eq!(bent.goods.substitutions[0].units, 4);
    assert_eq!(planner.counted(&asked, &bent).collect::<Vec<_>>(), [(0, 2, 4), (2, 3, 3)]);
    let waits = Plan::backorder(&asked, 0);
    assert_eq!((planner.counted(&asked, &waits).count(), waits.unfilled), (0, vec![(0, 2), (2, 3)]));
    let over = planner.beyond_limits(&demand(&planner, wants(&[(2, 4)], json!({}))));
    assert_eq!((over.len(), over[0].sku, over[0].requested), (1, 2, 4));
}

#[test]
fn an_order_waits_as_a_whole() {
    let planner = bundled(&[&[1]], &[]);
    let both = wants(&[(0, 1)], json!({"allow_partial": true, "allow_backorder": true}));
    assert_eq!(pointers(&planner, both), ["/allow_backorder"]);
}
