use super::*;

const TOLD: &[u8] = br#"{"order_id":"p-0-1","status":"confirmed","version":1,"shipments":[{"warehouse":"W\"1","lines":
    [{"sku":"tea","quantity":2},{"sku":"pot","quantity":1}],"cost":5}],"unfilled":[],"cost":5}"#;
const OTHER: &[u8] = br#"{"order_id":"p-0-1","status":"confirmed","shipments":[{"warehouse":"W2","lines":[]}]}"#;
const NO: &[u8] = br#"{"type":"insufficient-stock","shortages":[]}"#;
const LIMITED: &[u8] = br#"{"type":"insufficient-stock","shortages":[],"limit":{"by":"policy"}}"#;

fn heard(status: u16, body: &[u8], sent_ms: u32) -> Heard<'_> {
    Heard { sent_ms, done_ms: sent_ms + 5, status: Some(status), body, id: Some(b"p-0-1") }
}

fn after(answers: &[Heard<'_>]) -> Entry {
    let mut ledger = Ledger::new(1, 0, 1, true);
    answers.iter().for_each(|one| ledger.hear(0, 1, 0, one));
    ledger.kinds[0][1]
}

#[test]
fn what_an_order_was_told_is_told_apart() {
    let lost = Heard { status: None, ..heard(0, b"", 3) };
    let entry = after(&[heard(201, TOLD, 10), heard(200, TOLD, 20)]);
    assert_eq!((entry.marks, entry.state, entry.status, entry.sent_ms, entry.took_ms), (ACKNOWLEDGED, 2, 201, 10, 5));
    assert_ne!(entry.digest, 0);
    let cases: [(&[Heard<'_>], u8); 11] = [
        (&[lost], LOST),
        (&[lost, heard(200, TOLD, 9)], LOST | ACKNOWLEDGED),
        (&[heard(201, TOLD, 1), heard(200, OTHER, 9)], ACKNOWLEDGED | CONTRADICTED),
        (&[heard(201, TOLD, 1), heard(409, NO, 9)], ACKNOWLEDGED | CONTRADICTED),
        // It was under way at the same time.
        (&[heard(201, TOLD, 1), heard(409, NO, 3)], ACKNOWLEDGED),
        (&[heard(409, NO, 1)], REFUSED | FOR_STOCK),
        (&[heard(409, LIMITED, 1)], REFUSED),
        (&[heard(409, NO, 1), heard(201, TOLD, 9)], ACKNOWLEDGED),
        (&[heard(503, br#"{"type":"overloaded"}"#, 1)], TURNED_AWAY),
        (&[heard(503, br#"{"type":"store-unavailable"}"#, 1), heard(500, b"oops", 2)], LOST),
        (&[heard(201, b"{}", 1)], ACKNOWLEDGED | UNREADABLE),
    ];
    for (number, (answers, marks)) in cases.into_iter().enumerate() {
        assert_eq!(after(answers).marks, marks, "case {number}");
    }
    let first = after(&[heard(200, TOLD, 9), heard(201, TOLD, 1)]);
    assert_eq!((first.marks, first.status, first.sent_ms), (ACKNOWLEDGED, 201, 1));
    let foreign = Heard { id: Some(b"p-0-2"), ..heard(201, TOLD, 1) };
    assert_eq!(after(&[foreign]).marks, ACKNOWLEDGED | UNREADABLE);
}

#[test]
fn steps_move_the_state_and_hold_to_the_allocation() {
    let released = String::from_utf8_lossy(TOLD).replace("confirmed", "released").into_bytes();
    let mut ledger = Ledger::new(1, 0, 1, false);
    ledger.hear(0, 1, 0, &heard(201, TOLD, 1));
    ledger.hear_step(0, 1, 0, &heard(200, &released, 2));
    assert_eq!((ledger.kinds[0][1].state, ledger.kinds[0][1].marks), (7, ACKNOWLEDGED));
    ledger.hear_step(0, 1, 0, &heard(409, br#"{"type":"invalid-state"}"#, 2));
    assert_eq!(ledger.kinds[0][1].marks, ACKNOWLEDGED);
    ledger.hear_step(0, 1, 0, &Heard { status: None, ..heard(0, b"", 3) });
    ledger.hear_step(0, 1, 0, &heard(200, OTHER, 4));
    assert_eq!(ledger.kinds[0][1].marks, ACKNOWLEDGED | STEP_LOST | CONTRADICTED);
}

#[test]
fn threads_share_the_numbers_and_their_units_add_up() {
    let mut parts = [Ledger::new(1, 0, 2, true), Ledger::new(1, 1, 2, true)];
    for body in 0..4_u64 {
        for line in 0..3 {
            let anonymous = Heard { id: None, ..heard(201, TOLD, (body * 3 + line) as u32) };
            parts[(body % 2) as usize].hear(0, body * 3 + line, 3, &anonymous);
        }
    }
    let whole = Ledger::joined(&parts, &[3]);
    let sent: Vec<u32> = whole.kinds[0].iter().map(|entry| entry.sent_ms).collect();
    assert_eq!(sent, (0..12).collect::<Vec<u32>>());
    assert_eq!(whole.bytes(0).len(), 12 * ENTRY_BYTES);
    assert_eq!(whole.cells()["tea"]["W\"1"], 24);
    assert_eq!((whole.unrecorded, whole.bytes(7).len()), (0, 0));
}

#[test]
fn beyond_the_bound_notes_are_counted() {
    let mut ledger = Ledger::new(1, 0, 1, false);
    ledger.room = 2;
    (0..5).for_each(|number| ledger.hear(0, number, 0, &heard(409, NO, 1)));
    assert_eq!((ledger.unrecorded, ledger.kinds[0].len()), (3, 2));
}
