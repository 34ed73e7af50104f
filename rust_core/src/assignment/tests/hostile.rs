//! What breaks a rule is named; what breaks none is solved, however odd.

use proptest::prelude::*;

use super::super::{COST_MAX, Problem, assign};
use super::owned::{Owned, batch};
use super::{check, effort};
use crate::fixture::cases;

fn flaws(change: impl Fn(&mut Owned)) -> Vec<(String, String)> {
    let mut owned = Owned {
        line_start: vec![0, 2, 3],
        sku: vec![0, 1, 1],
        quantity: vec![1, 2, 3],
        region: vec![0, 1],
        fixed: vec![1, 2, 3],
        unit_cost: vec![1; 6],
        stock: vec![9; 6],
        unserved_fixed: 5,
        unserved_unit: vec![7, 8],
        ..Owned::default()
    };
    assert!(owned.problem().flaws().is_empty());
    change(&mut owned);
    owned.problem().flaws()
}

#[test]
fn what_breaks_a_rule_is_named() {
    type Case = (&'static str, fn(&mut Owned));
    let cases: [Case; 33] = [
        ("/fixed", |owned| owned.fixed.clear()),
        ("/line_start", |owned| owned.line_start = vec![0, 3]),
        ("/line_start", |owned| owned.line_start[0] = 1),
        ("/line_start", |owned| owned.line_start[2] = 2),
        ("/line_start/2", |owned| owned.line_start = vec![0, 4, 3]),
        ("/sku/2", |owned| owned.sku[2] = 2),
        ("/sku/0", |owned| owned.sku[0] = -1),
        ("/sku/1", |owned| owned.sku[1] = 0),
        ("/quantity", |owned| owned.quantity.truncate(2)),
        ("/quantity/1", |owned| owned.quantity[1] = 0),
        ("/region/0", |owned| owned.region[0] = 2),
        ("/fixed/2", |owned| owned.fixed[2] = -1),
        ("/unit_cost", |owned| owned.unit_cost.truncate(5)),
        ("/unit_cost/1/1", |owned| owned.unit_cost[4] = COST_MAX + 1),
        ("/quantity/0", |owned| owned.unit_cost[2] = COST_MAX),
        ("/stock/1/2", |owned| owned.stock[5] = -1),
        ("/unserved_fixed", |owned| owned.unserved_fixed = -1),
        ("/max_shipments/0", |owned| owned.shipments_max = Some(vec![0, 1])),
        ("/placed/2", |owned| owned.placed = Some(vec![-1, 0, 3])),
        ("/frozen", |owned| owned.frozen = Some(vec![0])),
        ("/stock/1/0", |owned| (owned.stock[3], owned.frozen) = (1, Some(vec![-1, 0, 0]))),
        ("/max_shipments/0", |owned| {
            (owned.shipments_max, owned.frozen) = (Some(vec![1, 1]), Some(vec![0, 1, -1]));
        }),
        ("/capacity/0", |owned| (owned.capacity, owned.frozen) = (Some(vec![0, 1, 1]), Some(vec![0, -1, -1]))),
        ("/priority/1", |owned| owned.priority = Some(vec![1, 0])),
        ("/channel", |owned| owned.channel = Some(vec![-1, -1])),
        ("/pool", |owned| owned.pool = Some(vec![1; 6])),
        ("/pool", |owned| (owned.channel, owned.pool) = (Some(vec![0, 0]), Some(vec![1; 5]))),
        ("/channel", |owned| (owned.channel, owned.pool) = (Some(vec![0]), Some(vec![1; 6]))),
        ("/channel/1", |owned| (owned.channel, owned.pool) = (Some(vec![0, 2]), Some(vec![1; 12]))),
        ("/channel/0", |owned| (owned.channel, owned.pool) = (Some(vec![-2, 1]), Some(vec![1; 12]))),
        ("/channel/0", |owned| (owned.channel, owned.pool) = (Some(vec![0, -1]), Some(vec![]))),
        ("/pool/1/1/0", |owned| {
            (owned.channel, owned.pool) = (Some(vec![-1, 1]), Some(vec![1; 12]));
            owned.pool.as_mut().unwrap()[9] = -1;
        }),
        ("/stock/1/0", |owned| {
            // Of the second channel's 3 units 2 are in its pool, and the first one's 2 are not in it.
            (owned.stock[3], owned.frozen) = (2, Some(vec![-1, 0, 0]));
            (owned.channel, owned.pool) = (Some(vec![0, 1]), Some(vec![0, 0, 0, 0, 9, 9, 9, 9, 9, 2, 9, 9]));
        }),
    ];
    for (pointer, change) in cases {
        let found = flaws(change);
        assert_eq!(found.first().map(|flaw| &flaw.0[..]), Some(pointer), "{found:?}");
    }
}

#[test]
fn what_could_run_over_is_refused() {
    let dear = Problem {
        line_start: &[0, 1],
        sku: &[0],
        quantity: &[i32::MAX],
        region: &[0],
        fixed: &[0],
        unit_cost: &[1 << 20],
        stock: &[1],
        unserved_unit: &[0],
        ..Problem::default()
    };
    assert_eq!(dear.flaws()[0].0, "/quantity/0");
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn the_highest_costs_run_over_nowhere(mut owned in batch(12), bits in 0_u32..40) {
        let finer = |values: &mut Vec<i64>| values.iter_mut().for_each(|value| *value <<= bits);
        finer(&mut owned.fixed);
        finer(&mut owned.unit_cost);
        finer(&mut owned.unserved_unit);
        owned.unserved_fixed <<= bits;
        owned.move_penalty <<= bits;
        if let Ok(found) = assign(&owned.problem(), effort(1), &mut ()) {
            check(&owned, &found);
        }
    }
}
