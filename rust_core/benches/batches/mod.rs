//! Batches of two-line orders for the benchmarks, and the reply of a store that took them whole.

use std::cell::RefCell;

use stockade_core::batch::{Batch, Intake, Reply};
use stockade_core::planner::Planner;

use crate::network;

/// Orders of one batch.
pub const ORDERS: u64 = 200;
/// What their network has.
pub const WAREHOUSES: u32 = 30;

/// Canonical bytes of one batch's orders; each number, another batch.
pub fn bytes(number: u64) -> Vec<Vec<u8>> {
    (number * ORDERS..(number + 1) * ORDERS).map(|order| network::order(order, 2)).collect()
}

/// From canonical bytes to a planned batch, of which nothing is refused.
pub fn plan_all(planner: &RefCell<Planner>, orders: &[Vec<u8>]) -> Batch {
    let intakes: Vec<Intake> = orders
        .iter()
        .map(|canonical| Intake { canonical, home: 0, attempts: 0, fresh: false, expected_day: None })
        .collect();
    let (batch, decided) = planner.borrow_mut().plan_batch(&intakes);
    assert!(decided.is_empty() && batch.len() == orders.len());
    batch
}

/// Everything was taken.
pub fn all_taken() -> Reply<'static> {
    Reply { partition: 0, now_ms: 1_700_000_000_000, event: b"1-1", outcomes: b"", levels: b"", records: &[] }
}
