//! A batch that is planned while another is with the store.

use super::*;

/// Plans a batch beside another.
fn plan_beside(planner: &mut Planner, orders: &[Intake], other: &Batch) -> (Batch, Vec<(u32, Outcome)>) {
    planner.plan_beside((0..).zip(orders.iter().copied()), Some(other))
}

#[test]
fn levels_that_come_lack_what_the_next_batch_wants() {
    let mut planner = planner(&[warehouse(0.0)], &[&[10]]);
    let orders = [order(wants("a", 2)), order(wants("b", 3)), order(wants("c", 1))];
    let (mut first, _) = planner.plan_batch(&intakes(&orders[..2]));
    let (mut second, _) = plan_beside(&mut planner, &intakes(&orders[2..]), &first);
    assert_eq!(planner.view.free(0, 0), 4);
    // Others took four since: the second order of the batch is refused, and six are left less its own.
    let levels = packed(&[4]);
    let refused = reply(b"AS", &levels, &[]);
    planner.settle_beside(&mut first, &[refused], Some(&second)).unwrap();
    assert_eq!(planner.view.free(0, 0), 3);
    settle(&mut planner, &mut second, &reply(b"", b"", &[])).unwrap();
    assert_eq!(planner.view.free(0, 0), 3);
}

#[test]
fn no_is_not_certain_while_another_batch_wants_the_same_units() {
    let mut planner = planner(&[warehouse(0.0)], &[&[3], &[0]]);
    let (mut first, _) = planner.plan_batch(&intakes(&[order(wants("a", 3))]));
    let (late, other_sku) = (order(wants("b", 1)), order(json!({"order_id": "c", "lines": lines(&[(1, 1)])})));
    let both = [late.clone(), other_sku];
    let (second, decided) = plan_beside(&mut planner, &fresh(&both), &first);
    assert!(matches!(&decided[..], [(1, Outcome::Refused(Refusal::Short(_)))]), "{decided:?}");
    assert_eq!(second.waiting, [0]);
    planner.abandon(&second);
    settle(&mut planner, &mut first, &reply(b"", b"", &[])).unwrap();
    let (_, decided) = planner.plan_batch(&fresh(&[late]));
    assert!(matches!(&decided[..], [(0, Outcome::Refused(Refusal::Short(_)))]), "{decided:?}");
}

#[test]
fn what_is_short_alone_decides_whatever_the_other_batch_takes_of_the_rest() {
    let mut planner = planner(&[warehouse(0.0)], &[&[9], &[0]]);
    let (first, _) = planner.plan_batch(&intakes(&[order(wants("a", 3))]));
    let both_skus = |id: &str, more: &str| {
        let mut fields = json!({"order_id": id, "lines": lines(&[(0, 1), (1, 1)])});
        fields[more] = json!(true);
        order(fields)
    };
    let orders = [both_skus("b", "none"), both_skus("c", "allow_partial")];
    let (second, decided) = plan_beside(&mut planner, &fresh(&orders), &first);
    let short = |rows: &[Shortage]| matches!(rows, [Shortage { sku: 1, requested: 1, available: 0 }]);
    assert!(matches!(&decided[..], [(0, Outcome::Refused(Refusal::Short(rows)))] if short(rows)), "{decided:?}");
    // Whether it gets the part that there is depends on the other batch.
    assert_eq!(second.waiting, [1]);
    assert!(second.waits(2) && !second.waits(1));
}

#[test]
fn a_batch_that_is_not_sent_leaves_the_other_as_it_was() {
    let mut planner = planner(&[warehouse(0.0)], &[&[10]]);
    let (mut first, _) = planner.plan_batch(&intakes(&[order(wants("a", 2))]));
    let (second, _) = plan_beside(&mut planner, &intakes(&[order(wants("b", 3))]), &first);
    planner.abandon(&second);
    assert_eq!(planner.view.free(0, 0), 8);
    settle(&mut planner, &mut first, &reply(b"", b"", &[])).unwrap();
    assert_eq!(planner.view.free(0, 0), 8);
}
