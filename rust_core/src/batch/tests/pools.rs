//! Pools of channels: who may take what, and what the store is asked for it.

use proptest::prelude::*;

use super::*;
use crate::ids::{CHANNEL_CELLS, channel_of};

const APP: u32 = 1;
const SHOP: u32 = 2;
const WAREHOUSES: u32 = 2;

/// SKU s0 in two warehouses: what is shared, and the pools of channels app and shop.
fn network(shared: &[i64], app: &[i64], shop: &[i64]) -> Planner {
    let mut planner = planner(&[warehouse(0.0), warehouse(1.0)], &[shared]);
    for (channel, name, pool) in [(APP, "app", app), (SHOP, "shop", shop)] {
        assert!(planner.catalogue.put_channel(channel, name));
        for (number, &free) in (0..).zip(pool) {
            planner.view.set(pool_id(channel, 0, number), free, 1);
        }
    }
    planner
}

fn by_channel(id: &str, units: i64, channel: Option<&str>) -> Vec<u8> {
    let mut fields = wants(id, units);
    fields["channel"] = json!(channel);
    order(fields)
}

#[test]
fn a_channel_takes_its_own_pool_and_then_the_rest() {
    let mut planner = network(&[5, 0], &[3, 0], &[9, 9]);
    let (mut batch, decided) = planner.plan_batch(&intakes(&[by_channel("a", 2, Some("app"))]));
    assert!(decided.is_empty());
    assert_eq!(Commit::of(&batch).cells, [pool_id(APP, 0, 0)]);
    settle(&mut planner, &mut batch, &reply(b"", b"", &[])).unwrap();
    let (mut batch, _) = planner.plan_batch(&intakes(&[by_channel("b", 3, Some("app"))]));
    let commit = Commit::of(&batch);
    assert_eq!(
        (commit.cells.as_slice(), commit.units.as_slice()),
        (&[pool_id(APP, 0, 0), cell_id(0, 0)][..], &[1, 2][..])
    );
    let record = record::unpack(&commit.record(0)).unwrap();
    assert_eq!(record.held(), [(pool_id(APP, 0, 0), 1), (cell_id(0, 0), 2)]);
    // For people it is one line.
    let settled = settle(&mut planner, &mut batch, &reply(b"", b"", &[])).unwrap();
    let [(0, Outcome::Reserved(json))] = &settled[..] else { panic!("{settled:?}") };
    let answer: Value = serde_json::from_slice(json).unwrap();
    assert_eq!(answer["shipments"][0]["lines"], json!([{"sku": "s0", "quantity": 3}]));
}

#[test]
fn others_see_the_rest_alone() {
    let mut planner = network(&[1, 0], &[9, 9], &[0, 0]);
    for channel in [None, Some("shop"), Some("a channel without pools")] {
        let orders = [by_channel("a", 2, channel)];
        let (batch, decided) = planner.plan_batch(&fresh(&orders));
        assert!(batch.is_empty());
        let [(0, Outcome::Refused(Refusal::Short(short)))] = &decided[..] else { panic!("{decided:?}") };
        assert_eq!(short[0].available, 1, "{channel:?}");
    }
    let orders = [by_channel("a", 20, Some("app"))];
    let (_, decided) = planner.plan_batch(&fresh(&orders));
    let [(0, Outcome::Refused(Refusal::Short(short)))] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(short[0].available, 19);
}

/// A rest that is short, as safety stock was raised, takes nothing from the pool.
#[test]
fn a_pool_is_there_whatever_the_rest_is() {
    let mut planner = network(&[-4, 0], &[3, 0], &[0, 0]);
    let (batch, decided) = planner.plan_batch(&intakes(&[by_channel("a", 3, Some("app"))]));
    assert!(decided.is_empty());
    assert_eq!(Commit::of(&batch).cells, [pool_id(APP, 0, 0)]);
}

#[test]
fn only_a_channel_with_pools_has_them_read() {
    let mut planner = network(&[1, 0], &[0, 0], &[0, 0]);
    let shared = [cell_id(0, 0), cell_id(0, 1)];
    let pools = [pool_id(APP, 0, 0), pool_id(APP, 0, 1)];
    let asked = |planner: &mut Planner, channel| {
        let (batch, _) = planner.plan_batch(&intakes(&[by_channel("a", 2, channel)]));
        Commit::of(&batch).cells
    };
    assert_eq!(asked(&mut planner, None), shared);
    assert_eq!(asked(&mut planner, Some("elsewhere")), shared);
    assert_eq!(asked(&mut planner, Some("app")), [shared, pools].concat());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Against a plain model: each order, in turn, is served if its pool and the rest have enough of the one SKU, never
    /// touches another's pool, and takes of the rest only where its own pool has nothing left.
    #[test]
    fn nobody_takes_more_than_pool_and_rest_and_the_own_pool_comes_first(
        levels in prop::collection::vec(0_i64..6, 6),
        wanted in prop::collection::vec((1_i64..7, 0_u32..3, any::<bool>()), 1..12),
    ) {
        let mut planner = network(&levels[..2], &levels[2..4], &levels[4..]);
        let mut model: HashMap<CellId, i64> = HashMap::new();
        for channel in 0..3 {
            for at in 0..WAREHOUSES {
                model.insert(pool_id(channel, 0, at), levels[(channel * 2 + at) as usize]);
            }
        }
        for (number, &(units, channel, split)) in wanted.iter().enumerate() {
            let name = [None, Some("app"), Some("shop")][channel as usize];
            let mut fields = wants(&format!("o{number}"), units);
            (fields["channel"], fields["allow_split"]) = (json!(name), json!(split));
            let orders = [order(fields)];
            let has = |at| {
                let own = if channel == SHARED { 0 } else { model[&pool_id(channel, 0, at)] };
                own + model[&cell_id(0, at)]
            };
            let enough = if split { has(0) + has(1) >= units } else { has(0).max(has(1)) >= units };
            let (mut batch, decided) = planner.plan_batch(&fresh(&orders));
            prop_assert_eq!(decided.is_empty(), enough);
            if !enough {
                continue;
            }
            let commit = Commit::of(&batch);
            prop_assert_eq!(commit.units.iter().sum::<i64>(), units);
            for (&cell, &taken) in commit.cells.iter().zip(&commit.units) {
                prop_assert!(channel_of(cell) == SHARED || channel_of(cell) == channel);
                prop_assert!(taken > 0);
                *model.get_mut(&cell).unwrap() -= taken;
                prop_assert!(model[&cell] >= 0);
            }
            for &cell in commit.cells.iter().filter(|&&cell| channel != SHARED && channel_of(cell) == SHARED) {
                let own = u64::from(channel) * CHANNEL_CELLS + cell;
                prop_assert_eq!(model[&own], 0, "the rest was taken while the pool had some");
            }
            settle(&mut planner, &mut batch, &reply(b"", b"", &[])).unwrap();
        }
    }
}
