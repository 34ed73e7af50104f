//! Cut orders against brute force: every set of warehouses, and for each line every way to take units from it.

use proptest::prelude::*;

use super::super::tests::random_order::Draw;
use super::*;

struct Order {
    fixed: Vec<i64>,
    wanted: Vec<i64>,
    free: Vec<i64>,
    unit_cost: Vec<i64>,
    shipments_max: usize,
}

impl Order {
    fn draw(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let (warehouses, lines) = (1 + draw.below(7) as usize, 1 + draw.below(4) as usize);
        let (fixed_end, cost_end) = ([1, 10, 200][draw.below(3) as usize], [2, 30][draw.below(2) as usize]);
        let free_end = 1 + draw.below(8);
        let mut draws = |count: usize, from: u64, end: u64| -> Vec<i64> {
            (0..count).map(|_| (from + draw.below(end - from)) as i64).collect()
        };
        Self {
            fixed: draws(warehouses, 0, fixed_end),
            wanted: draws(lines, 1, 14),
            free: draws(warehouses * lines, 0, free_end + 1),
            unit_cost: draws(warehouses * lines, 0, cost_end),
            shipments_max: [usize::MAX, 1, 2, 3][draws(1, 0, 4)[0] as usize],
        }
    }

    fn problem(&self, node_limit: Option<u64>) -> CutProblem<'_> {
        let Self { fixed, wanted, free, unit_cost, shipments_max } = self;
        CutProblem { fixed, wanted, free, unit_cost, shipments_max: *shipments_max, node_limit }
    }

    /// The cost and size of the best set.
    fn brute_force(&self) -> Option<(i64, usize)> {
        let width = self.fixed.len();
        (1_u32..1 << width)
            .filter(|set| set.count_ones() as usize <= self.shipments_max)
            .filter_map(|set| {
                let used: Vec<usize> = (0..width).filter(|at| set >> at & 1 == 1).collect();
                let mut cost: i64 = used.iter().map(|&at| self.fixed[at]).sum();
                for (line, &wanted) in self.wanted.iter().enumerate() {
                    cost += self.cheapest(line, wanted, &used)?;
                }
                Some((cost, used.len()))
            })
            .min()
    }

    /// By the units taken so far: what they cost at the least.
    fn cheapest(&self, line: usize, wanted: i64, used: &[usize]) -> Option<i64> {
        let width = self.fixed.len();
        let whole = self.free[line * width..(line + 1) * width].iter().any(|&free| free >= wanted);
        let mut of_units: Vec<Option<i64>> = vec![None; wanted as usize + 1];
        of_units[0] = Some(0);
        for cell in used.iter().map(|at| line * width + at) {
            let before = of_units.clone();
            for (had, cost) in before.iter().enumerate() {
                let Some(cost) = cost else { continue };
                for more in 1..=self.free[cell].min(wanted - had as i64) {
                    if whole && more != wanted {
                        continue;
                    }
                    let with = cost + more * self.unit_cost[cell];
                    let slot = &mut of_units[had + more as usize];
                    *slot = Some(slot.map_or(with, |least| least.min(with)));
                }
            }
        }
        of_units[wanted as usize]
    }

    /// That the pieces fill every line from what there is, and cost what is told.
    fn check(&self, choice: &CutChoice) -> usize {
        let width = self.fixed.len();
        let (mut cost, mut used, mut filled) = (0, Vec::new(), vec![0; self.wanted.len()]);
        for piece in &choice.pieces {
            let (line, cell) = (piece.line as usize, piece.line as usize * width + piece.warehouse as usize);
            assert!((1..=self.free[cell]).contains(&piece.quantity));
            let whole = self.free[line * width..(line + 1) * width].iter().any(|&free| free >= self.wanted[line]);
            assert!(!whole || piece.quantity == self.wanted[line], "a line that one holds whole is not cut");
            cost += piece.quantity * self.unit_cost[cell];
            filled[line] += piece.quantity;
            used.push(piece.warehouse);
        }
        used.sort_unstable();
        used.dedup();
        assert_eq!(filled, self.wanted);
        assert!(used.len() <= self.shipments_max);
        assert_eq!(cost + used.iter().map(|&at| self.fixed[at as usize]).sum::<i64>(), choice.cost);
        used.len()
    }
}

#[test]
fn cut_orders_equal_brute_force() {
    for seed in 0..5_000 {
        let order = Order::draw(seed);
        match (solve_cut(&order.problem(Some(u64::MAX))), order.brute_force()) {
            (Ok(choice), Some((cost, size))) => {
                assert_eq!((choice.cost, choice.bound, choice.proven), (cost, cost, true), "seed {seed}");
                assert_eq!(order.check(&choice), size, "seed {seed}");
            }
            (Err(Unsolved::Unserved(_)), None) => {}
            (Err(Unsolved::TooFewShipments), None) => assert!(order.shipments_max < usize::MAX),
            (found, wanted) => panic!("found {found:?}, brute force {wanted:?} for seed {seed}"),
        }
    }
}

/// Work is counted, not timed: an order over a thousand warehouses of which hundreds must share one line ends as soon as any.
#[test]
fn the_work_for_one_order_is_bounded() {
    for (warehouses, lines) in [(1000_usize, 1_usize), (500, 10), (4000, 2)] {
        let free: Vec<i64> = (0..warehouses * lines).map(|cell| (cell as i64 * 7919) % 10).collect();
        let unit_cost: Vec<i64> = (0..warehouses * lines).map(|cell| (cell as i64 * 104_729) % 997).collect();
        let fixed: Vec<i64> = (0..warehouses).map(|warehouse| 1000 + (warehouse as i64 * 31) % 500).collect();
        let wanted = vec![2 * warehouses as i64; lines];
        let (fixed, wanted, free, unit_cost) = (&fixed[..], &wanted[..], &free[..], &unit_cost[..]);
        let before = super::super::work_done();
        let problem = CutProblem { fixed, wanted, free, unit_cost, shipments_max: usize::MAX, node_limit: None };
        let choice = solve_cut(&problem).unwrap();
        assert!(choice.bound <= choice.cost && !choice.proven);
        assert!(super::super::work_done() - before <= 10_000_000, "{warehouses} x {lines}");
    }
}

#[test]
fn a_line_of_which_there_is_too_little_is_named() {
    let problem = CutProblem {
        fixed: &[1, 1],
        wanted: &[2, 5],
        free: &[2, 0, 2, 2],
        unit_cost: &[1; 4],
        shipments_max: 2,
        node_limit: None,
    };
    assert_eq!(solve_cut(&problem), Err(Unsolved::Unserved(1)));
    assert_eq!(solve_cut(&CutProblem { fixed: &[], free: &[], unit_cost: &[], ..problem }), Err(Unsolved::Empty));
    assert_eq!(solve_cut(&CutProblem { wanted: &[2, 0], ..problem }), Err(Unsolved::OutOfRange));
    assert_eq!(
        solve_cut(&CutProblem { free: &[2, 0, 3, 2], shipments_max: 0, ..problem }),
        Err(Unsolved::TooFewShipments)
    );
}

proptest! {
    #![proptest_config(crate::fixture::cases(1000))]

    #[test]
    fn a_cut_search_of_cut_orders_tells_the_truth(seed: u64, node_limit in 0_u64..6) {
        let order = Order::draw(seed);
        match solve_cut(&order.problem(Some(node_limit))) {
            Ok(choice) => {
                let (optimum, _) = order.brute_force().unwrap();
                order.check(&choice);
                prop_assert!(choice.bound <= optimum && optimum <= choice.cost);
                prop_assert!(!choice.proven || choice.cost == optimum);
            }
            Err(Unsolved::NotFound) => prop_assert!(order.shipments_max < usize::MAX),
            Err(_) => prop_assert_eq!(order.brute_force(), None),
        }
    }

    #[test]
    fn hostile_cut_orders_do_no_harm(
        fixed in prop::collection::vec(hostile(), 0..5), wanted in prop::collection::vec(hostile(), 0..4),
        cells in prop::collection::vec((hostile(), hostile()), 20), shipments_max in 0_usize..5,
    ) {
        let size = (fixed.len() * wanted.len()).min(cells.len());
        let (free, unit_cost): (Vec<i64>, Vec<i64>) = cells[..size].iter().copied().unzip();
        let order = Order { fixed, wanted, free, unit_cost, shipments_max };
        if let Ok(choice) = solve_cut(&order.problem(None)) {
            order.check(&choice);
        }
    }
}

fn hostile() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0_i64..50, 2 => Just(CUT_COST_END - 1), 1 => any::<i64>(), 1 => Just(i64::MAX)]
}
