//! Orders of ten and more lines, which are too large for looking at every division, held against an optimum that is found another
//! way: warehouse by warehouse, what every set of lines costs at the least.

use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::fixture::cases;

/// Orders whose distance from the optimum is measured, the same ones every time.
const MEASURED: usize = 60;
/// Hundredths of a percent above the optimum: of the mean, and of the worst.
const MEAN_GAP_MAX: i64 = 50;
const GAP_MAX: i64 = 500;

impl Case {
    /// The least that any assignment of whole lines costs.
    fn optimum_by_sets(&self) -> Option<i64> {
        const NONE: i64 = i64::MAX / 4;
        let sets = 1_usize << self.wanted.len();
        // Shipments are counted only where their number is limited.
        let (layers, one) = self.max_shipments.map_or((1, 0), |max| (max + 1, 1));
        let mut least = vec![vec![NONE; sets]; layers];
        least[0][0] = 0;
        for at in 0..self.costs.len() {
            let lines = |set: usize| (0..self.wanted.len()).filter(move |line| set >> line & 1 == 1);
            let served: usize =
                lines(sets - 1).filter(|&line| self.stock[line][at] >= self.wanted[line]).map(|line| 1 << line).sum();
            let (fixed, unit) = self.costs[at];
            let shipment = |set: usize| {
                let of: Vec<usize> = lines(set).collect();
                let units: i64 = of.iter().map(|&line| self.wanted[line]).sum();
                if set & !served == 0 { Some(self.freight(at, &of)? + fixed + unit * units) } else { None }
            };
            let shipment: Vec<i64> = (0..sets).map(|set| shipment(set).unwrap_or(NONE)).collect();
            for set in (1..sets).rev() {
                for layer in (one..layers).rev() {
                    let mut own = set & served;
                    while own > 0 {
                        let with = least[layer - one][set ^ own] + shipment[own];
                        least[layer][set] = least[layer][set].min(with);
                        own = (own - 1) & set & served;
                    }
                }
            }
        }
        least.iter().map(|least| least[sets - 1]).min().filter(|&least| least < NONE)
    }
}

/// Every line is whole at one of two warehouses that all carriers serve, and now and then elsewhere.
fn larger(lines: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Case> {
    (2_usize..=6, lines).prop_flat_map(|(warehouses, lines)| case(warehouses, lines)).prop_map(|mut case| {
        case.stock.iter_mut().enumerate().for_each(|(line, row)| row[line % 2] += 4);
        case
    })
}

/// What a plan costs and the least that it could, and whether it is proven. Of an order that has one, it is held against it.
fn costs(case: &Case) -> Option<(i64, i64, bool)> {
    let mut planner = case.planner();
    let demand = case.demand(&planner);
    let planned = planner.plan(&demand);
    let optimum = case.optimum_by_sets()?;
    let plan = planned.unwrap();
    case.check(&plan);
    case.check_units(&plan);
    assert!(plan.cost() >= optimum, "{} is below the optimum, {optimum}: {case:?}", plan.cost());
    assert!(!plan.proven || plan.cost() == optimum, "{} is not the optimum, {optimum}: {case:?}", plan.cost());
    Some((plan.cost(), optimum, plan.proven))
}

proptest! {
    #![proptest_config(cases(30))]

    #[test]
    fn an_order_of_ten_and_more_lines_tells_the_truth_of_its_optimum(case in larger(10..=12)) {
        costs(&case);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The oracle itself, held against every assignment that there is.
    #[test]
    fn the_least_by_sets_is_the_least_of_all_assignments(case in (1_usize..=4, 1_usize..=5).prop_flat_map(|(w, l)| case(w, l))) {
        prop_assert_eq!(case.optimum_by_sets(), case.optimum());
    }
}

/// The tariffs are any, and stranger than carriers' own, of which `cargo bench --bench freight_gap` tells the same.
#[test]
fn plans_of_ten_and_more_lines_cost_little_more_than_the_optimum() {
    let (mut runner, orders) = (TestRunner::deterministic(), larger(10..=12));
    let drawn = (0..MEASURED).map(|_| orders.new_tree(&mut runner).unwrap().current());
    let measured: Vec<(i64, i64, bool)> = drawn.filter_map(|case| costs(&case)).collect();
    let gaps = || measured.iter().map(|&(cost, optimum, _)| 10_000 * (cost - optimum) / optimum.max(1));
    let (mean, worst) = (gaps().sum::<i64>() / measured.len() as i64, gaps().max().unwrap());
    let proven = measured.iter().filter(|row| row.2).count();
    println!("{} orders, {proven} proven, gap in hundredths of a percent: mean {mean}, worst {worst}", measured.len());
    assert!(measured.len() > MEASURED / 2 && proven > 0);
    assert!(mean <= MEAN_GAP_MAX && worst <= GAP_MAX, "mean {mean}, worst {worst}");
}
