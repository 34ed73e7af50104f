//! What became of a batch: reads the partitions' replies, gives back what they did not grant, and sets the levels they sent.

use super::pack::Share;
use super::{ATTEMPTS_MAX, Batch, Counted, Outcome, Sent};
use crate::answer::Allocation;
use crate::planner::{Exceeded, Planner};
use crate::record::{self, Record};
use crate::view::event_stamp;

/// What a partition answered to a commit or a preparation.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The partition.
    pub partition: u32,
    /// The store's clock, in milliseconds since 1970.
    pub now_ms: u64,
    /// Stream id of the newest event.
    pub event: &'a [u8],
    /// A letter an order, or nothing when all were taken.
    pub outcomes: &'a [u8],
    /// What is left of each cell and each counter, or nothing.
    pub levels: &'a [u8],
    /// The records of known orders, in their order.
    pub records: &'a [&'a [u8]],
}

/// What other partitions are to be told once a batch is settled: by partition, in its order.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// Attempts that were decided for.
    pub sealed: Vec<(u32, Vec<String>)>,
    /// Attempts that were not, and never will be.
    pub dropped: Vec<(u32, Vec<String>)>,
    /// Of homes, the orders whose attempts were sealed.
    pub followed: Vec<(u32, Vec<String>)>,
}

/// A reply with all its parts seen to fit the share.
struct Parts {
    levels: Vec<i64>,
    records: Vec<Result<Record, String>>,
}

impl Planner {
    /// Settles a preparation: orders that another partition cannot serve go no further.
    /// An error means that the reply is not one to this batch. `other` as in `settle_beside`.
    pub fn settle_prepare(&mut self, batch: &mut Batch, reply: &Reply, other: Option<&Batch>) -> Result<(), String> {
        let share = batch.prepare_share(reply.partition);
        let parts =
            read_reply(batch, &share, reply, b"ASL", false).map_err(|message| format!("prepare reply: {message}"))?;
        for (place, &order) in share.orders.iter().enumerate() {
            let sent = &batch.sent[order];
            let outcome = match reply.outcomes.get(place).copied().unwrap_or(b'A') {
                b'A' => {
                    batch.sent[order].prepared.push(reply.partition);
                    continue;
                }
                b'L' => Outcome::Limit(batch.exceeded(&share, sent, &parts.levels)),
                _ => again(sent),
            };
            // Before the levels are set, for they hold nothing of it.
            self.give_back(batch, sent, |partition| partition == reply.partition);
            batch.sent[order].refused = Some(outcome);
            batch.sent[order].returned.push(reply.partition);
        }
        // Orders that are at home there have not been put to it yet: the levels lack what they want.
        let mut levels = parts.levels;
        if !levels.is_empty() {
            for sent in batch.sent.iter().filter(|sent| sent.home == reply.partition) {
                for (at, units) in batch.own_takes(&share, sent) {
                    levels[at as usize] = levels[at as usize].saturating_sub(units);
                }
            }
        }
        self.refresh(batch, &share, &levels, reply.event, other);
        Ok(())
    }

    /// Settles a batch with the replies of the homes: what became of each order that was sent or waited, by place, and what
    /// other partitions are to be told. Orders whose home did not reply are left
    /// out, as are those that waited while any did not, and what they wanted is given back.
    /// An error means that a reply is not one to this batch; then everything that the batch wanted is given back.
    #[allow(clippy::type_complexity)] // Both halves are told above.
    pub fn settle(&mut self, batch: &mut Batch, replies: &[Reply]) -> Result<(Vec<(u32, Outcome)>, Aftermath), String> {
        self.settle_beside(batch, replies, None)
    }

    /// As `settle`, while an `other` batch is planned that the store had not heard of when it replied.
    #[allow(clippy::type_complexity)] // As above.
    pub fn settle_beside(
        &mut self,
        batch: &mut Batch,
        replies: &[Reply],
        other: Option<&Batch>,
    ) -> Result<(Vec<(u32, Outcome)>, Aftermath), String> {
        let mut read = Vec::with_capacity(replies.len());
        for reply in replies {
            let share = batch.commit_share(reply.partition);
            match read_reply(batch, &share, reply, b"ARCSLX", batch.wants_levels) {
                Ok(parts) => read.push((share, parts)),
                Err(message) => {
                    self.abandon(batch);
                    return Err(format!("commit reply: {message}"));
                }
            }
        }
        let mut outcomes: Vec<(u32, Outcome)> =
            Vec::with_capacity(batch.sent.len() + batch.waiting.len() + batch.postponed.len());
        let mut taken: Vec<Option<bool>> = vec![None; batch.sent.len()];
        for (reply, (share, parts)) in replies.iter().zip(&read) {
            let mut records = parts.records.iter();
            for (place, &order) in share.orders.iter().enumerate() {
                let sent = &batch.sent[order];
                let letter = reply.outcomes.get(place).copied().unwrap_or(b'A');
                taken[order] = Some(letter == b'A');
                let outcome = match letter {
                    b'A' => Outcome::Reserved(self.fresh_answer(sent, reply.now_ms)),
                    b'R' => match records.next() {
                        Some(Ok(record)) => {
                            Outcome::Replayed(Allocation::of_record(&sent.order_id, record).to_json(&self.catalogue))
                        }
                        Some(Err(message)) => Outcome::Unreadable(message.clone()),
                        None => Outcome::Conflict,
                    },
                    b'C' => Outcome::Conflict,
                    b'L' => Outcome::Limit(batch.exceeded(share, sent, &parts.levels)),
                    _ => again(sent),
                };
                outcomes.push((sent.index, outcome));
            }
        }
        // Fresh only where every partition that was asked said what it has.
        if replies.len() == batch.commits().len() {
            outcomes.extend(batch.waiting.iter().map(|&index| (index, Outcome::Again { fresh: true })));
        }
        outcomes.extend(batch.postponed.iter().map(|&index| (index, Outcome::Postponed)));
        for (sent, taken) in batch.sent.iter().zip(&taken) {
            if *taken != Some(true) {
                self.give_back(batch, sent, |_| true);
            }
        }
        for (reply, (share, parts)) in replies.iter().zip(&read) {
            self.refresh(batch, share, &parts.levels, reply.event, other);
        }
        let aftermath = batch.aftermath(&taken);
        for sent in &mut batch.sent {
            outcomes.extend(sent.refused.take().map(|outcome| (sent.index, outcome)));
        }
        Ok((outcomes, aftermath))
    }

    /// Gives back everything that a batch wanted to take, as its commit has no reply.
    pub fn abandon(&mut self, batch: &Batch) {
        for sent in &batch.sent {
            self.give_back(batch, sent, |_| true);
        }
    }

    fn refresh(&mut self, batch: &Batch, share: &Share, levels: &[i64], event: &[u8], other: Option<&Batch>) {
        if let Some(stamp) = event_stamp(event) {
            for (&place, &level) in share.cells.iter().zip(levels) {
                let cell = batch.cells[place as usize];
                let wanted = other.map_or(0, |other| other.wanted(cell));
                self.view.refresh(cell, level.saturating_sub(wanted), stamp);
            }
        }
        for (&place, &left) in share.counters.iter().zip(levels.iter().skip(share.cells.len())) {
            let counter = &batch.counters[place as usize];
            if let Counted::Orders(warehouse, day) = counter.of {
                let wanted = other.map_or(0, |other| other.orders_of_warehouse(warehouse));
                let used = counter.limit.saturating_sub(left).saturating_add(wanted);
                self.capacity.set(day, warehouse, used, batch.doubts);
            }
        }
    }

    /// Gives back what an order wanted of some partitions, unless it was given back before. What the store did take of
    /// cells for its attempt comes back with an event; what it counted for warehouses does not, and a guess will do.
    fn give_back(&mut self, batch: &Batch, sent: &Sent, of: impl Fn(u32) -> bool) {
        for &(place, units) in &batch.cell_takes[sent.cells.clone()] {
            let partition = batch.partition_of_cell(place);
            if of(partition) && !sent.prepared.contains(&partition) && !sent.returned.contains(&partition) {
                self.view.take(batch.cells[place as usize], -units);
            }
        }
        for &(place, orders) in &batch.counter_takes[sent.counters.clone()] {
            let partition = batch.partition_of_counter(place);
            if let Counted::Orders(warehouse, day) = batch.counters[place as usize].of
                && of(partition)
                && !sent.returned.contains(&partition)
            {
                self.capacity.take(day, warehouse, -orders);
            }
        }
    }

    fn fresh_answer(&self, sent: &Sent, now_ms: u64) -> Vec<u8> {
        Allocation {
            order_id: &sent.order_id,
            status: sent.status().name(),
            version: 1,
            shipments: &sent.plan.shipments,
            unfilled: &sent.plan.unfilled,
            goods: &sent.plan.goods,
            shipped: &[],
            currency: &self.currency,
            expires_ms: sent.hold_ms.map_or(0, |hold_ms| now_ms.saturating_add(hold_ms)),
            policy: &sent.plan.selected.label,
        }
        .to_json(&self.catalogue)
    }
}

impl Batch {
    /// What is left of the counters by which an order went beyond a limit.
    fn exceeded(&self, share: &Share, sent: &Sent, levels: &[i64]) -> Vec<Exceeded> {
        self.counter_takes[sent.counters.clone()]
            .iter()
            .filter_map(|&(place, requested)| {
                let counter = &self.counters[place as usize];
                let Counted::Units(sku) = counter.of else { return None };
                let at = share.counters.iter().position(|&own| own == place)?;
                let remaining = *levels.get(share.cells.len() + at)?;
                (remaining < requested).then(|| Exceeded {
                    sku,
                    requested,
                    limit: counter.limit,
                    remaining: remaining.max(0),
                })
            })
            .collect()
    }

    /// Whether an order counts towards a purchase limit: no other counter refuses it for good.
    fn is_limited(&self, sent: &Sent) -> bool {
        let counters = &self.counter_takes[sent.counters.clone()];
        counters.iter().any(|&(place, _)| matches!(self.counters[place as usize].of, Counted::Units(_)))
    }

    /// Whom to tell what, of orders that reach beyond their home; `taken` is what their homes said. Those whose home said
    /// nothing are left to their leases: it may have decided.
    fn aftermath(&self, taken: &[Option<bool>]) -> Aftermath {
        let mut aftermath = Aftermath::default();
        if self.partitions == 1 {
            return aftermath;
        }
        for partition in 0..self.partitions {
            let (mut sealed, mut dropped, mut followed) = (Vec::new(), Vec::new(), Vec::new());
            for (sent, &taken) in self.sent.iter().zip(taken) {
                let Some(attempt) = &sent.attempt else { continue };
                // What another partition refused was never put to its home.
                let taken = if sent.refused.is_some() { Some(false) } else { taken };
                if self.prepared_in(sent, partition) {
                    match taken {
                        Some(true) => sealed.push(attempt.clone()),
                        Some(false) => dropped.push(attempt.clone()),
                        None => {}
                    }
                }
                if sent.home == partition && taken == Some(true) {
                    followed.push(sent.order_id.clone());
                }
            }
            let add = |into: &mut Vec<(u32, Vec<String>)>, names: Vec<String>| {
                if !names.is_empty() {
                    into.push((partition, names));
                }
            };
            add(&mut aftermath.sealed, sealed);
            add(&mut aftermath.dropped, dropped);
            add(&mut aftermath.followed, followed);
        }
        aftermath
    }
}

fn again(sent: &Sent) -> Outcome {
    if sent.attempts >= ATTEMPTS_MAX { Outcome::Contended } else { Outcome::Again { fresh: false } }
}

/// The levels and records of a reply, once all its parts are seen to fit the share.
fn read_reply(
    batch: &Batch,
    share: &Share,
    reply: &Reply,
    letters: &[u8],
    wants_levels: bool,
) -> Result<Parts, String> {
    let levels: Vec<i64> = if reply.levels.is_empty() {
        Vec::new()
    } else {
        rmp_serde::from_slice(reply.levels).map_err(|error| format!("levels: {error}"))?
    };
    let all_taken = reply.outcomes.is_empty();
    if !all_taken && reply.outcomes.len() != share.orders.len() {
        return Err(format!("{} outcomes for {} orders", reply.outcomes.len(), share.orders.len()));
    }
    for (&letter, sent) in reply.outcomes.iter().zip(batch.orders_of(share)) {
        if !letters.contains(&letter) || (letter == b'L' && !batch.is_limited(sent)) {
            return Err(format!("outcome {:?} for order {:?}", char::from(letter), sent.order_id));
        }
    }
    if !(levels.is_empty() || levels.len() == share.cells.len() + share.counters.len()) {
        return Err(format!(
            "{} levels for {} cells and {} counters",
            levels.len(),
            share.cells.len(),
            share.counters.len()
        ));
    }
    let asked = !(share.cells.is_empty() && share.counters.is_empty());
    if (wants_levels || !all_taken) && levels.is_empty() && asked {
        return Err("no levels".into());
    }
    if !levels.is_empty() && event_stamp(reply.event).is_none() {
        return Err("levels without an event id".into());
    }
    let known = reply.outcomes.iter().filter(|letter| **letter == b'R').count();
    if known != reply.records.len() {
        return Err(format!("{} records for {known} known orders", reply.records.len()));
    }
    // A record that cannot be read is one order's trouble, not the batch's.
    Ok(Parts { levels, records: reply.records.iter().map(|record| record::unpack(record)).collect() })
}
