//! Pools: their channel takes them first, and nobody else does.

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::super::{Problem, price};
use super::owned::{Owned, batch_with_pools, tiny_with_pools};
use super::{check, effort, solved, units};
use crate::fixture::cases;

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn cells_give_no_more_than_they_have_and_the_bound_is_below_the_optimum(owned in tiny_with_pools()) {
        let found = solved(&owned, 1);
        check(&owned, &found);
        let optimum = owned.optimum().unwrap();
        prop_assert!(found.bound <= optimum && optimum <= found.cost, "{found:?}, {optimum}");
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn the_answer_is_the_same_on_any_number_of_threads(owned in batch_with_pools(40)) {
        let one = solved(&owned, 1);
        check(&owned, &one);
        prop_assert_eq!(&one, &solved(&owned, 2));
        prop_assert_eq!(&one, &solved(&owned, 5));
    }

    #[test]
    fn pools_of_nothing_and_of_nobody_change_nothing(mut owned in batch_with_pools(30), nobody in any::<bool>()) {
        match (&mut owned.pool, &mut owned.channel) {
            (_, Some(channel)) if nobody => channel.fill(-1),
            (pool, _) => pool.as_mut().unwrap().fill(0),
        }
        // What was frozen in pools is gone with them.
        owned.frozen = None;
        let without = Owned { pool: None, channel: None, ..owned.clone() };
        prop_assert_eq!(solved(&owned, 2), solved(&without, 2));
    }

    #[test]
    fn a_pool_serves_as_stock_does_where_all_are_of_its_channel(mut owned in batch_with_pools(30)) {
        owned.frozen = None;
        owned.channel.as_mut().unwrap().fill(0);
        owned.pool.as_mut().unwrap().truncate(owned.stock.len());
        let mut stock = owned.stock.clone();
        stock.iter_mut().zip(owned.pool.as_ref().unwrap()).for_each(|(stock, pool)| *stock += pool);
        let shared = Owned { pool: None, channel: None, stock, ..owned.clone() };
        let (one, other) = (solved(&owned, 1), solved(&shared, 1));
        check(&owned, &one);
        prop_assert!(one.bound <= other.cost && other.bound <= one.cost, "{one:?} {other:?}");
    }
}

#[test]
fn most_tiny_batches_with_pools_are_solved_to_the_optimum() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut best = 0;
    for _ in 0..300 {
        let owned = tiny_with_pools().new_tree(&mut runner).unwrap().current();
        best += u32::from(solved(&owned, 1).cost == owned.optimum().unwrap());
    }
    // As many as without pools.
    assert!(best >= 240, "{best} of 300");
}

/// Orders of one line and one unit for one SKU: so many of each channel, in this sequence.
fn single(channel: &[i32], stock: &[i64], pool: &[i64]) -> Owned {
    let orders = channel.len();
    let warehouses = stock.len();
    Owned {
        line_start: (0..=orders as i64).collect(),
        sku: vec![0; orders],
        quantity: vec![1; orders],
        region: vec![0; orders],
        fixed: vec![0; warehouses],
        unit_cost: (0..warehouses as i64).map(|at| 10 + 5 * at).collect(),
        stock: stock.to_vec(),
        unserved_fixed: 0,
        unserved_unit: vec![100],
        channel: Some(channel.to_vec()),
        pool: Some(pool.to_vec()),
        ..Owned::default()
    }
}

/// Where each order is served; the last for nowhere.
fn places(owned: &Owned) -> Vec<usize> {
    let found = solved(owned, 1);
    check(owned, &found);
    units(owned, &found).iter().map(|row| row.iter().position(|&units| units > 0).unwrap()).collect()
}

#[test]
fn nobody_else_takes_a_pool() {
    // Nothing is shared: two units of the first channel, none of the second.
    assert_eq!(places(&single(&[-1, 0, 1], &[0], &[2, 0])), [1, 0, 1]);
    assert_eq!(places(&single(&[-1, 0, 0, 0], &[0], &[2])).iter().filter(|&&at| at == 0).count(), 2);
}

#[test]
fn a_channel_takes_its_pool_first_and_then_the_rest() {
    // The shared unit is left to the order without a channel.
    assert_eq!(places(&single(&[0, -1, 0], &[1], &[2])), [0, 0, 0]);
    // Three of the channel want two of the pool: one takes what is shared, and who has no channel goes farther.
    let found = places(&single(&[0, 0, 0, -1], &[1, 1], &[2, 0]));
    assert_eq!(found.iter().filter(|&&at| at == 0).count(), 3);
    assert_eq!(found.iter().filter(|&&at| at == 1).count(), 1);
}

#[test]
fn what_is_frozen_takes_its_pool_first() {
    let mut owned = single(&[0, 0, -1, -1], &[2], &[1]);
    owned.frozen = Some(vec![0, 0, -1, -1]);
    let found = places(&owned);
    assert_eq!(found[..2], [0, 0]);
    assert_eq!(found[2..].iter().filter(|&&at| at == 0).count(), 1, "one of two shared units is frozen");
}

#[test]
fn prices_are_those_of_shared_units() {
    // Three want the cheap shared unit and pay 5 more elsewhere; the pool is as much as its channel wants.
    let mut owned = single(&[0, -1, -1, -1], &[1, 9], &[1, 0]);
    let prices = price(&owned.problem(), effort(1), &mut ()).unwrap();
    assert!((4..=6).contains(&prices[0]), "{prices:?}");
    assert_eq!(prices[1], 0);
    // Where nobody wants what is shared, the pool's scarcity gives it no price.
    owned.channel = Some(vec![0, 0, 0, 0]);
    owned.stock = vec![3, 9];
    assert_eq!(price(&Problem { weight: Some(&[1.0; 4]), ..owned.problem() }, effort(1), &mut ()).unwrap(), [0, 0]);
}
