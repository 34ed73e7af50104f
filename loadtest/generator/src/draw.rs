//! Seeded draws, the same on every machine: `SplitMix64`, and choice by weight in constant time.

/// `SplitMix64`: small, quick, and any seed is a good one.
#[derive(Clone, Debug)]
pub struct Draw {
    state: u64,
}

impl Draw {
    /// Draws from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Draws that belong to some numbers under a seed: the same for the same numbers.
    #[must_use]
    pub fn of(seed: u64, numbers: &[u64]) -> Self {
        let mut draw = Self::new(seed);
        for &number in numbers {
            draw.state = draw.bits() ^ number;
        }
        draw
    }

    /// 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to less than 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to less than `end`; 0 where that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    /// Exponentially distributed, of mean 1.
    pub fn exponential(&mut self) -> f64 {
        -libm::log(1.0 - self.unit())
    }
}

/// Chooses by weight (Vose's alias method).
#[derive(Clone, Debug)]
pub struct Weighted {
    keep: Vec<f64>,
    alias: Vec<u32>,
}

impl Weighted {
    /// Choices by weights of which at least one is above zero, and none below or infinite.
    #[must_use]
    pub fn new(weights: &[f64]) -> Option<Self> {
        let sum: f64 = weights.iter().sum();
        if weights.iter().any(|weight| *weight < 0.0) || !sum.is_finite() || sum <= 0.0 {
            return None;
        }
        let mut keep: Vec<f64> = weights.iter().map(|weight| weight / sum * weights.len() as f64).collect();
        let mut alias: Vec<u32> = (0..weights.len() as u32).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..keep.len()).partition(|&at| keep[at] < 1.0);
        while let (Some(&few), Some(&many)) = (small.last(), large.last()) {
            small.pop();
            alias[few] = many as u32;
            keep[many] -= 1.0 - keep[few];
            if keep[many] < 1.0 {
                large.pop();
                small.push(many);
            }
        }
        // What is left over is one, but for rounding; a weight of zero never is.
        for at in small.into_iter().chain(large) {
            keep[at] = 1.0;
        }
        Some(Self { keep, alias })
    }

    /// The place of one choice.
    pub fn choose(&self, draw: &mut Draw) -> usize {
        let at = draw.below(self.keep.len() as u64) as usize;
        if draw.unit() < self.keep[at] { at } else { self.alias[at] as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_follow_their_weights() {
        let weights = [1.0, 0.0, 3.0, 6.0];
        let weighted = Weighted::new(&weights).unwrap();
        let mut draw = Draw::new(7);
        let mut counts = [0_u32; 4];
        for _ in 0..100_000 {
            counts[weighted.choose(&mut draw)] += 1;
        }
        for (count, weight) in counts.iter().zip(weights) {
            assert!((f64::from(*count) / 100_000.0 - weight / 10.0).abs() < 0.01, "{counts:?}");
        }
        assert_eq!(counts[1], 0);
    }

    #[test]
    fn weights_of_which_none_can_be_chosen_are_refused() {
        for weights in [&[][..], &[0.0], &[-1.0, 2.0], &[f64::NAN], &[f64::INFINITY]] {
            assert!(Weighted::new(weights).is_none(), "{weights:?}");
        }
    }
}
