//! What may change a choice, and what may not.

use proptest::prelude::*;

use super::super::{Choice, UNSERVABLE};
use super::random_order::Draw;
use super::{instance, solved};
use crate::fixture::cases;

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_cheaper_warehouse_never_raises_the_cost(
        (fixed, cost, shipments_max) in instance(), place in any::<prop::sample::Index>(), less in 1_i64..50, of_line: bool,
    ) {
        let before = solved(&fixed, &cost, shipments_max);
        let (mut cheaper_fixed, mut cheaper_cost) = (fixed.clone(), cost.clone());
        if of_line {
            let cell = &mut cheaper_cost[place.index(cost.len())];
            *cell = if *cell == UNSERVABLE { 40 } else { (*cell - less).max(0) };
        } else {
            let fixed = &mut cheaper_fixed[place.index(fixed.len())];
            *fixed = (*fixed - less).max(0);
        }
        let after = solved(&cheaper_fixed, &cheaper_cost, shipments_max);
        if let Some(before) = before {
            prop_assert!(after.unwrap().cost <= before.cost);
        }
    }

    #[test]
    fn without_an_unused_warehouse_the_plan_is_the_same(
        (fixed, cost, shipments_max) in instance(), place in any::<prop::sample::Index>(),
    ) {
        let gone = place.index(fixed.len());
        if let Some(choice) = solved(&fixed, &cost, shipments_max)
            && !choice.warehouse.contains(&(gone as u32))
        {
            let without = |values: &[i64]| -> Vec<i64> {
                values.iter().enumerate().filter(|(at, _)| at % fixed.len() != gone).map(|(_, &value)| value).collect()
            };
            let mut again = solved(&without(&fixed), &without(&cost), shipments_max).unwrap();
            for warehouse in &mut again.warehouse {
                *warehouse += u32::from(*warehouse >= gone as u32);
            }
            prop_assert_eq!(again, choice);
        }
    }

    #[test]
    fn lines_in_another_order_get_the_same_warehouses((fixed, cost, shipments_max) in instance(), seed: u64) {
        let width = fixed.len();
        let mut order: Vec<usize> = (0..cost.len() / width).collect();
        let mut draw = Draw::new(seed);
        for place in (1..order.len()).rev() {
            order.swap(place, draw.below(place as u64 + 1) as usize);
        }
        let turned: Vec<i64> = order.iter().flat_map(|line| cost[line * width..(line + 1) * width].to_vec()).collect();
        let expected = solved(&fixed, &cost, shipments_max).map(|mut choice| {
            choice.warehouse = order.iter().map(|&line| choice.warehouse[line]).collect();
            choice
        });
        prop_assert_eq!(solved(&fixed, &turned, shipments_max), expected);
    }

    #[test]
    fn a_dearer_line_makes_the_order_as_much_dearer(
        (fixed, mut cost, shipments_max) in instance(), place in any::<prop::sample::Index>(), more in 1_i64..1000,
    ) {
        let expected = solved(&fixed, &cost, shipments_max)
            .map(|choice| Choice { cost: choice.cost + more, bound: choice.bound + more, ..choice });
        let line = place.index(cost.len() / fixed.len());
        for cell in &mut cost[line * fixed.len()..(line + 1) * fixed.len()] {
            *cell += if *cell == UNSERVABLE { 0 } else { more };
        }
        prop_assert_eq!(solved(&fixed, &cost, shipments_max), expected);
    }
}
