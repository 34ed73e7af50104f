//! A good choice to begin with: again and again the warehouse that serves most for its money, then without those that the
//! later ones made superfluous.

use super::UNSERVABLE;
use super::columns::Columns;

/// How the next warehouse is chosen while lines are unserved.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// The least cost for each line that it newly serves.
    LeastCostEach,
    /// The most lines: what fits into few shipments.
    MostLines,
}

/// Sets, and the memory to make them in.
#[derive(Debug, Default)]
pub(super) struct Greedy {
    /// The columns chosen.
    pub(super) set: Vec<u32>,
    /// What each line costs at the best of them.
    current: Vec<i64>,
    /// By how much each column would change the cost, and how many lines it would newly serve.
    change: Vec<i64>,
    served: Vec<i64>,
}

impl Greedy {
    /// Fills `set` with columns; it may leave lines unserved where `set_max` is too few.
    pub(super) fn choose(&mut self, columns: &Columns, set_max: usize, rule: Rule) {
        self.start(columns);
        let mut unserved = columns.lines as i64;
        while self.set.len() < set_max {
            let Some(pick) = self.pick(unserved, rule) else { break };
            unserved -= self.served[pick];
            self.add(columns, pick);
        }
        if unserved == 0 {
            self.drop_superfluous(columns);
        }
    }

    fn start(&mut self, columns: &Columns) {
        self.set.clear();
        self.current.clear();
        self.current.resize(columns.lines, UNSERVABLE);
        self.change.clear();
        self.change.extend_from_slice(&columns.fixed);
        self.served.clear();
        self.served.resize(columns.width(), 0);
        for line in 0..columns.lines {
            for ((&cost, change), served) in columns.row(line).iter().zip(&mut self.change).zip(&mut self.served) {
                let serves = i64::from(cost < UNSERVABLE);
                *change += cost & -serves;
                *served += serves;
            }
        }
    }

    fn pick(&self, unserved: i64, rule: Rule) -> Option<usize> {
        let (change, served) = (&self.change, &self.served);
        let all = 0..change.len();
        if unserved == 0 {
            return all.filter(|&column| change[column] < 0).min_by_key(|&column| change[column]);
        }
        let serving = all.filter(|&column| served[column] > 0);
        match rule {
            Rule::MostLines => serving.min_by_key(|&column| (-served[column], change[column])),
            Rule::LeastCostEach => serving.min_by(|&a, &b| {
                let of_a = i128::from(change[a]) * i128::from(served[b]);
                of_a.cmp(&(i128::from(change[b]) * i128::from(served[a])))
            }),
        }
    }

    fn add(&mut self, columns: &Columns, pick: usize) {
        self.set.push(pick as u32);
        for (line, current) in self.current.iter_mut().enumerate() {
            let row = columns.row(line);
            let (before, now) = (*current, row[pick]);
            if now >= before {
                continue;
            }
            *current = now;
            for ((&cost, change), served) in row.iter().zip(&mut self.change).zip(&mut self.served) {
                let (was, serves) = if before == UNSERVABLE {
                    (cost, i64::from(cost < UNSERVABLE))
                } else {
                    ((cost - before).min(0), 0)
                };
                *change += (cost - now).min(0) - if was == UNSERVABLE { 0 } else { was };
                *served -= serves;
            }
        }
    }

    /// Takes out, one after another, the warehouse without which the rest costs least, as long as that is less.
    fn drop_superfluous(&mut self, columns: &Columns) {
        // What each of the set saves, and for each line the place of its best.
        while self.set.len() > 1 {
            self.change.clear();
            self.change.extend(self.set.iter().map(|&column| columns.fixed[column as usize]));
            for line in 0..columns.lines {
                let row = columns.row(line);
                let (mut first, mut second, mut at) = (UNSERVABLE, UNSERVABLE, 0);
                for (place, &column) in self.set.iter().enumerate() {
                    let cost = row[column as usize];
                    if cost < first {
                        (first, second, at) = (cost, first, place);
                    } else if cost < second {
                        second = cost;
                    }
                }
                // A line that no other serves makes its warehouse worth more than any fixed cost.
                self.change[at] -= second.min(UNSERVABLE >> 1) - first.min(UNSERVABLE >> 1);
                self.change[at] = self.change[at].max(-UNSERVABLE);
            }
            let Some((place, &saved)) = self.change.iter().enumerate().max_by_key(|&(place, &saved)| (saved, place))
            else {
                break;
            };
            if saved < 0 {
                break;
            }
            self.set.remove(place);
        }
    }
}
