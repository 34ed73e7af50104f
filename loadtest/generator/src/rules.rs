//! What numbers of a plan must be.

use crate::plan::{
    Arrivals, BACKLOG_MAX, CONNECTIONS_MAX, LISTED_MAX, Plan, PlanError, RATE_MAX, SECONDS_MAX, THREADS_MAX,
};

impl Plan {
    /// The first rule that its numbers break.
    pub(crate) fn check(&self) -> Result<(), PlanError> {
        let rule = |holds: bool, pointer: &str, message: &str| {
            if holds { Ok(()) } else { Err(PlanError::new(pointer, message)) }
        };
        let whole = |text: &str| !text.bytes().any(|byte| byte.is_ascii_control());
        rule(self.seconds > 0.0 && self.seconds <= SECONDS_MAX, "/seconds", "must be above 0, a day at the most")?;
        rule(self.warmup_s >= 0.0 && self.warmup_s < self.seconds, "/warmup_s", "must be less than seconds")?;
        rule((1..=CONNECTIONS_MAX).contains(&self.connections), "/connections", "must be 1 to 10,000")?;
        let threads = (1..=THREADS_MAX).contains(&self.threads) && self.threads <= self.connections;
        rule(threads, "/threads", "must be 1 to 16, and not above connections")?;
        let timeout = self.timeout_s > 0.0 && self.timeout_s <= 3_600.0;
        rule(timeout, "/timeout_s", "must be above 0, an hour at the most")?;
        rule(self.backlog_max <= BACKLOG_MAX, "/backlog_max", "must be 0 to 1,000,000")?;
        let prefix = self.id_prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let prefix = prefix && (1..=60).contains(&self.id_prefix.len());
        rule(prefix, "/id_prefix", "must be 1 to 60 letters, digits, '-', '_' or '.'")?;
        let key = self.key.as_deref().is_none_or(|key| !key.is_empty() && whole(key));
        rule(key, "/key", "must be one line of text")?;
        rule(
            self.headers.iter().all(|(name, value)| whole(name) && whole(value)),
            "/headers",
            "must be lines of text",
        )?;
        let retries = self.retries.as_ref().is_none_or(|retries| (0.0..=3_600.0).contains(&retries.wait_s_max));
        rule(retries, "/retries/wait_s_max", "must be 0 to 3,600")?;
        self.check_arrivals(rule)
    }

    fn check_arrivals(&self, rule: impl Fn(bool, &str, &str) -> Result<(), PlanError>) -> Result<(), PlanError> {
        let rate = |rate: f64| (0.0..=RATE_MAX).contains(&rate);
        let rates = "rates must be above 0, ten million at the most";
        match &self.arrivals {
            Arrivals::Closed => Ok(()),
            Arrivals::Constant { rate: one } | Arrivals::Poisson { rate: one } => {
                rule(rate(*one) && *one > 0.0, "/arrivals/rate", rates)
            }
            Arrivals::Ramp { from, to, .. } => rule(rate(*from) && rate(*to) && from + to > 0.0, "/arrivals", rates),
            Arrivals::Spike { base, peak, at_s, for_s, .. } => {
                rule(rate(*base) && rate(*peak) && base + peak > 0.0, "/arrivals", rates)?;
                rule(*at_s >= 0.0 && *for_s >= 0.0, "/arrivals", "at_s and for_s must not be below 0")
            }
            Arrivals::Trace { at_s, speed } => {
                rule(*speed > 0.0 && speed.is_finite(), "/arrivals/speed", "must be above 0")?;
                rule((1..=LISTED_MAX).contains(&at_s.len()), "/arrivals/at_s", "must have 1 to 5,000,000 times")?;
                let ascend = at_s[0] >= 0.0 && at_s.windows(2).all(|pair| pair[0] <= pair[1]);
                rule(ascend, "/arrivals/at_s", "must ascend from 0 or later")
            }
        }
    }
}
