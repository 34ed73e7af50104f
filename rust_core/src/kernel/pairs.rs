//! All pairs of warehouses that a lower bound lets through.

use super::UNSERVABLE;
use super::columns::Columns;
use super::lagrange::Lagrange;
use super::workspace::Best;

/// Words and costs that are looked at, at the most: about a millisecond.
const WORK_LIMIT: usize = 1_000_000;

/// Lines that one word holds.
const WORD: usize = u64::BITS as usize;

/// Which lines each column serves, as bits.
#[derive(Debug, Default)]
pub(super) struct Cover {
    words: usize,
    bits: Vec<u64>,
}

impl Cover {
    pub(super) fn load(&mut self, columns: &Columns) {
        self.words = columns.lines.div_ceil(WORD);
        self.bits.clear();
        self.bits.resize(columns.width() * self.words, 0);
        for line in 0..columns.lines {
            let (word, bit) = (line / WORD, line % WORD);
            for (column, &cost) in columns.row(line).iter().enumerate() {
                self.bits[column * self.words + word] |= u64::from(cost < UNSERVABLE) << bit;
            }
        }
    }

    fn of(&self, column: usize) -> &[u64] {
        &self.bits[column * self.words..(column + 1) * self.words]
    }

    fn together(&self, one: usize, other: usize, lines: usize) -> bool {
        self.of(one).iter().zip(self.of(other)).enumerate().all(|(word, (one, other))| {
            let all = if (word + 1) * WORD <= lines { u64::MAX } else { (1 << (lines % WORD)) - 1 };
            one | other == all
        })
    }
}

/// Offers every pair that serves all lines and may be as cheap as the best. `false` when there are too many to look at
/// them all.
pub(super) fn offer_all(columns: &Columns, cover: &mut Cover, lagrange: &Lagrange, best: &mut Best) -> bool {
    // With their reduced costs, a bound under each pair.
    let (values, reduced) = (lagrange.value.iter().sum::<i64>(), &lagrange.reduced);
    cover.load(columns);
    let width = columns.width();
    let scarcest = columns.row(0);
    let mut work_left = WORK_LIMIT;
    for one in (0..width).filter(|&column| scarcest[column] < UNSERVABLE) {
        let Some(left) = work_left.checked_sub(width * cover.words) else { return false };
        work_left = left;
        for other in 0..width {
            // Each pair once, though both serve the first line.
            if (scarcest[other] < UNSERVABLE && other <= one)
                || values + reduced[one] + reduced[other] > best.cost
                || !cover.together(one, other, columns.lines)
            {
                continue;
            }
            let pair = [one as u32, other as u32];
            best.offer(columns.cost_of(&pair), &pair.map(|column| columns.id[column as usize]));
            let Some(left) = work_left.checked_sub(columns.lines) else { return false };
            work_left = left;
        }
    }
    true
}
