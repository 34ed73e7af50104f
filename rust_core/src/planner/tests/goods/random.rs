//! Random orders of bundles and of what has substitutes: nothing comes from nowhere, and nothing is lost.

use proptest::prelude::*;

use super::*;

const PLAIN: usize = 4;

#[derive(Clone, Debug)]
struct Drawn {
    stock: Vec<Vec<i64>>,
    bundles: Vec<Vec<(u32, i64)>>,
    instead: Vec<Vec<u32>>,
    lines: Vec<(u32, i64)>,
    more: Value,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let parts = prop::collection::btree_map(0..PLAIN as u32, 1_i64..3, 1..=3);
    let bundles = prop::collection::vec(parts.prop_map(|parts| parts.into_iter().collect()), 2);
    let instead = prop::collection::vec(prop::collection::vec(0..PLAIN as u32 + 1, 0..3), PLAIN);
    let stock = prop::collection::vec(prop::collection::vec(-1_i64..6, 3), PLAIN);
    let lines = prop::collection::vec((0..PLAIN as u32 + 2, 1_i64..5), 1..4);
    let more = (any::<bool>(), any::<bool>(), prop::option::of(1_usize..3), 0_usize..3).prop_map(
        |(substitutes, partial, shipments, policy)| {
            let policy = ["cheapest", "nearest", "priority"][policy];
            json!({"allow_substitutes": substitutes, "allow_partial": partial, "max_shipments": shipments, "policy": policy})
        },
    );
    (stock, bundles, instead, lines, more).prop_map(|(stock, bundles, instead, lines, more)| Drawn {
        stock,
        bundles,
        instead,
        lines,
        more,
    })
}

impl Drawn {
    fn planner(&self) -> Planner {
        let stock: Vec<&[i64]> = self.stock.iter().map(Vec::as_slice).collect();
        let bundles: Vec<&[(u32, i64)]> = self.bundles.iter().map(Vec::as_slice).collect();
        let mut planner = bundled(&stock, &bundles);
        for (sku, instead) in (0..).zip(&self.instead) {
            may_come(&mut planner, sku, instead);
        }
        planner
    }

    fn there(&self, sku: u32) -> i64 {
        self.stock[sku as usize].iter().map(|units| units.max(&0)).sum()
    }

    /// Whether every line of its own has nothing, so that only bundles are left which are nowhere whole.
    fn has_only_bundles(&self, none: &dyn Fn(u32) -> bool) -> bool {
        self.lines.iter().filter(|(sku, _)| (*sku as usize) < PLAIN).all(|&(sku, _)| none(sku))
    }

    /// Units by SKU of what was ordered, bundles taken apart.
    fn apart(&self, lines: &[(u32, i64)]) -> BTreeMap<u32, i64> {
        let mut units = BTreeMap::new();
        for &(sku, count) in lines {
            match self.bundles.get((sku as usize).wrapping_sub(PLAIN)) {
                Some(parts) => parts.iter().for_each(|&(of, each)| *units.entry(of).or_default() += count * each),
                None => *units.entry(sku).or_default() += count,
            }
        }
        units
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// What ships, with what it stands for, and what is unfilled make up what was ordered; a substitute comes only where it
    /// is allowed and for no more than the network lacks; nothing is taken that is not there.
    #[test]
    fn units_are_conserved(case in drawn()) {
        let mut planner = case.planner();
        let allows = |name: &str| case.more[name].as_bool().unwrap();
        let planned = plan(&mut planner, wants(&case.lines, case.more.clone()));
        let wanted = case.apart(&case.lines);
        let enough = wanted.iter().all(|(&sku, &units)| case.there(sku) >= units);
        let found = match planned {
            Ok(found) => found,
            Err(Refusal::Short(short)) => {
                prop_assert!(!enough);
                prop_assert!(!short.is_empty());
                for row in &short {
                    prop_assert_eq!(row.requested, wanted[&row.sku]);
                    prop_assert!(row.available >= 0 && row.available < row.requested);
                    prop_assert!(case.there(row.sku) < row.requested);
                    prop_assert!(allows("allow_substitutes") || row.available == case.there(row.sku));
                }
                return Ok(());
            }
            Err(Refusal::TooSpread(spread)) => {
                prop_assert!(!spread.rows.is_empty());
                prop_assert!(enough || allows("allow_substitutes") || allows("allow_partial"));
                prop_assert!(!allows("allow_partial") || case.has_only_bundles(&|sku| case.there(sku) == 0));
                for row in &spread.rows {
                    prop_assert!(row.requested == wanted[&row.sku] && (0..row.requested).contains(&row.within));
                    let there = case.there(row.sku);
                    prop_assert!(row.available == there || (allows("allow_substitutes") && row.available > there));
                }
                return Ok(());
            }
            Err(refusal) => panic!("nothing else stands in its way: {refusal:?}"),
        };
        let mut units: BTreeMap<u32, i64> = BTreeMap::new();
        let mut of_cells: BTreeMap<(u32, u32), i64> = BTreeMap::new();
        for (at, sku, count) in pieces(&found) {
            *units.entry(sku).or_default() += count;
            *of_cells.entry((sku, at)).or_default() += count;
        }
        for (&(sku, at), &count) in &of_cells {
            prop_assert!(count > 0 && count <= case.stock[sku as usize][at as usize]);
        }
        for one in &found.goods.substitutions {
            prop_assert!(allows("allow_substitutes") && one.units > 0);
            prop_assert!(case.instead[one.sku as usize].contains(&one.by) && one.by < PLAIN as u32 && one.by != one.sku);
            *units.entry(one.by).or_default() -= one.units;
            *units.entry(one.sku).or_default() += one.units;
        }
        let mut replaced: BTreeMap<u32, i64> = BTreeMap::new();
        found.goods.substitutions.iter().for_each(|one| *replaced.entry(one.sku).or_default() += one.units);
        for (sku, count) in replaced {
            prop_assert!(count <= wanted[&sku] - case.there(sku), "more is replaced than is missing");
        }
        prop_assert!(allows("allow_partial") || found.unfilled.is_empty());
        for (sku, count) in case.apart(&found.unfilled) {
            *units.entry(sku).or_default() += count;
        }
        units.retain(|_, count| *count != 0);
        prop_assert_eq!(units, wanted);
        let whole: Vec<(u32, i64)> = found.goods.bundles.iter().map(|bundle| (bundle.sku, bundle.units)).collect();
        for &(sku, count) in &whole {
            let ordered: i64 = case.lines.iter().filter(|(of, _)| *of == sku).map(|(_, units)| units).sum();
            let without = found.unfilled.iter().find(|(of, _)| *of == sku).map_or(0, |&(_, units)| units);
            prop_assert!(count > 0 && count + without == ordered);
        }
        let shipments = found.shipments.len();
        prop_assert!(shipments > 0 && shipments as u64 <= case.more["max_shipments"].as_u64().unwrap_or(3));
    }

    /// Whole without a substitute wherever it can be, and whatever the order allows besides.
    #[test]
    fn what_is_allowed_changes_nothing_where_nothing_is_lacking(case in drawn()) {
        let mut planner = case.planner();
        let mut strict = case.more.clone();
        strict["allow_substitutes"] = json!(false);
        strict["allow_partial"] = json!(false);
        if let Ok(whole) = plan(&mut planner, wants(&case.lines, strict)) {
            let allowed = plan(&mut planner, wants(&case.lines, case.more.clone())).unwrap();
            // Of plans that cost the same another one may be found.
            let told = |plan: &Plan| (plan.cost(), plan.unfilled.clone(), plan.goods.clone());
            prop_assert_eq!(told(&allowed), told(&whole));
        }
    }
}
