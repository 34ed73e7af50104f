//! Random single orders of a continent's retailer, the same on every machine: made from a seed, money in thousandths.

/// A warehouse of this many is a well-stocked centre, where there are centres.
const SITES_PER_CENTRE: usize = 25;
const CENTRE_STOCKED: f64 = 0.92;
/// Miles from east to west and from north to south.
const REACH_MILES: (f64, f64) = (2800.0, 1400.0);

/// What orders to make.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Lines.
    pub lines: usize,
    /// Warehouses, the last of which is "unserved": dear, and always there.
    pub warehouses: usize,
    /// Share of cells in stock away from the centres.
    pub stocked: f64,
    /// What a mile costs a line.
    pub per_mile: f64,
    /// Whether one site in 25 is a centre.
    pub centres: bool,
}

/// One order: fixed costs, and the costs of its lines, a row a line.
#[derive(Clone, Debug)]
pub struct RandomOrder {
    /// Of each warehouse.
    pub fixed: Vec<i64>,
    /// Of each line at each warehouse.
    pub cost: Vec<i64>,
}

/// Xorshift*, seeded through SplitMix: enough for test data, and nobody else's to change.
pub struct Draw(u64);

impl Draw {
    /// Each seed, a sequence of its own.
    pub fn new(seed: u64) -> Self {
        let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self((mixed ^ (mixed >> 31)) | 1)
    }

    /// Any number.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From 0 to less than 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to less than `end`.
    #[allow(dead_code)] // Not every user of this module draws indices.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }
}

impl Kind {
    /// The order of a seed, with this mark where a line is not in stock.
    pub fn order(&self, seed: u64, unservable: i64) -> RandomOrder {
        let mut draw = Draw::new(seed);
        let point = |draw: &mut Draw| (draw.unit() * REACH_MILES.0, draw.unit() * REACH_MILES.1);
        let customer = point(&mut draw);
        let sites = self.warehouses - 1;
        let mut fixed: Vec<i64> = (0..sites).map(|_| thousandths(8.759 * (0.9 + 0.2 * draw.unit()))).collect();
        fixed.push(17_518);
        let miles: Vec<f64> = (0..sites)
            .map(|_| {
                let site = point(&mut draw);
                (site.0 - customer.0).hypot(site.1 - customer.1)
            })
            .collect();
        let farthest = miles.iter().fold(0.0_f64, |far, &miles| far.max(miles));
        let mut cost = Vec::with_capacity(self.lines * self.warehouses);
        for _ in 0..self.lines {
            let weight = 0.2 + 2.0 * draw.unit();
            let way = |miles: f64| weight * (0.423 + self.per_mile * miles);
            for (site, &miles) in miles.iter().enumerate() {
                let centre = self.centres && site % SITES_PER_CENTRE == 0;
                let stocked = draw.unit() < if centre { CENTRE_STOCKED } else { self.stocked };
                cost.push(if stocked { thousandths(way(miles)) } else { unservable });
            }
            cost.push(thousandths(2.25 * way(farthest)));
        }
        RandomOrder { fixed, cost }
    }
}

fn thousandths(money: f64) -> i64 {
    (money * 1000.0).round() as i64
}
