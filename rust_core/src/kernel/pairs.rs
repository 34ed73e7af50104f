//! All pairs of warehouses that a lower bound lets through: the first that is tried, and the end of every deeper search.

use super::UNSERVABLE;
use super::columns::Columns;
use super::lagrange::Lagrange;
use super::workspace::Best;

/// Words and costs that are looked at, at the most: about a millisecond.
const WORK_LIMIT: usize = 1_000_000;

/// Lines that one word holds.
const WORD: usize = u64::BITS as usize;

/// What is used already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used<'a> {
    /// Warehouses.
    pub(super) set: &'a [u32],
    /// Their fixed costs.
    pub(super) fixed: i64,
    /// What each line costs at the best of them.
    pub(super) current: &'a [i64],
}

/// What a look at all pairs came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looked {
    /// There were not too many to look at.
    pub(super) at_all: bool,
    /// One cost no more than the best did.
    pub(super) found: bool,
}

/// Which lines are served by each column or by what is used, as bits; and a set to offer.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    words: usize,
    bits: Vec<u64>,
    set: Vec<u32>,
}

impl Pairs {
    fn load(&mut self, columns: &Columns, current: &[i64]) {
        self.words = columns.lines.div_ceil(WORD);
        self.bits.clear();
        self.bits.resize(columns.width() * self.words, 0);
        for (line, &current) in current.iter().enumerate() {
            let (word, bit) = (line / WORD, line % WORD);
            for (column, &cost) in columns.row(line).iter().enumerate() {
                self.bits[column * self.words + word] |= u64::from(cost.min(current) < UNSERVABLE) << bit;
            }
        }
    }

    fn of(&self, column: usize) -> &[u64] {
        &self.bits[column * self.words..(column + 1) * self.words]
    }

    /// Whether two columns, which may be the same, serve all that is not served yet.
    fn together(&self, one: usize, other: usize, lines: usize) -> bool {
        self.of(one).iter().zip(self.of(other)).enumerate().all(|(word, (one, other))| {
            let all = if (word + 1) * WORD <= lines { u64::MAX } else { (1 << (lines % WORD)) - 1 };
            one | other == all
        })
    }

    /// Offers what is used with every column, and with every pair of them where `more_max` allows, that serves all lines
    /// and may be as cheap as the best.
    pub(super) fn offer_all(
        &mut self,
        columns: &Columns,
        lagrange: &Lagrange,
        used: Used,
        more_max: usize,
        best: &mut Best,
    ) -> Looked {
        // With their reduced costs, a bound under each pair.
        let (values, reduced) = (used.fixed + lagrange.value.iter().sum::<i64>(), &lagrange.reduced);
        self.load(columns, used.current);
        let width = columns.width();
        let mut looked = Looked { at_all: true, found: false };
        for (one, &reduced) in reduced.iter().enumerate() {
            if values + reduced <= best.cost && self.together(one, one, columns.lines) {
                looked.found |= self.offer(columns, used, &[one], best);
            }
        }
        if more_max == 1 {
            return looked;
        }
        let scarcest = scarcest(columns, used.current);
        let serves = |column: usize| scarcest.is_none_or(|row| row[column] < UNSERVABLE);
        let mut work_left = WORK_LIMIT;
        for one in (0..width).filter(|&column| serves(column)) {
            for other in 0..width {
                // Each pair once, though both serve the scarcest line.
                if (other > one || !serves(other))
                    && values + reduced[one] + reduced[other] <= best.cost
                    && self.together(one, other, columns.lines)
                {
                    looked.found |= self.offer(columns, used, &[one, other], best);
                    work_left = work_left.saturating_sub(columns.lines);
                }
            }
            work_left = work_left.saturating_sub(width * self.words);
            if work_left == 0 {
                return Looked { at_all: false, ..looked };
            }
        }
        looked
    }

    fn offer(&mut self, columns: &Columns, used: Used, more: &[usize], best: &mut Best) -> bool {
        let mut cost = used.fixed + more.iter().map(|&column| columns.fixed[column]).sum::<i64>();
        for (line, &current) in used.current.iter().enumerate() {
            let row = columns.row(line);
            cost += more.iter().map(|&column| row[column]).fold(current, i64::min);
        }
        if cost > best.cost {
            return false;
        }
        self.set.clear();
        self.set.extend_from_slice(used.set);
        self.set.extend(more.iter().map(|&column| columns.id[column]));
        best.offer(cost, &self.set);
        true
    }
}

/// The unserved line that the fewest columns serve.
fn scarcest<'a>(columns: &'a Columns, current: &[i64]) -> Option<&'a [i64]> {
    let unserved = (0..columns.lines).filter(|&line| current[line] == UNSERVABLE);
    unserved.map(|line| columns.row(line)).min_by_key(|row| row.iter().filter(|&&cost| cost < UNSERVABLE).count())
}
