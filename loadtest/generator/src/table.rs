//! Values to draw from, made ready: escaped once, chosen in constant time.

use crate::draw::{Draw, Weighted};
use crate::plan::{LISTED_MAX, PlanError, TablePlan};

/// Draws that met a value that was drawn before, before the next one that was not is taken.
const REDRAWS_MAX: usize = 16;

/// A table, ready.
#[derive(Debug)]
pub struct Table {
    values: Vec<Box<[u8]>>,
    weighted: Option<Weighted>,
    distinct: bool,
}

/// What was drawn for one order already: table and value.
pub type Drawn = Vec<(usize, usize)>;

impl Table {
    /// Makes a table ready.
    pub fn new(name: &str, plan: &TablePlan) -> Result<Self, PlanError> {
        let at = |field: &str| format!("/tables/{name}/{field}");
        if !(1..=LISTED_MAX).contains(&plan.values.len()) {
            return Err(PlanError::new(at("values"), "must have 1 to 5,000,000 values"));
        }
        let flaw = |field: &str, message: &str| PlanError::new(at(field), message);
        let weighted = match (&plan.weights, plan.zipf) {
            (None, None) => None,
            (Some(_), Some(_)) => return Err(flaw("zipf", "cannot be beside weights")),
            (Some(weights), None) if weights.len() == plan.values.len() => {
                Some(Weighted::new(weights).ok_or_else(|| flaw("weights", "must have one above 0, and none below"))?)
            }
            (Some(_), None) => return Err(flaw("weights", "must be as many as values")),
            (None, Some(power)) => {
                let weights: Vec<f64> = (1..=plan.values.len()).map(|rank| libm::pow(rank as f64, -power)).collect();
                Some(Weighted::new(&weights).ok_or_else(|| flaw("zipf", "is too large or too small"))?)
            }
        };
        let values = plan.values.iter().map(|value| if plan.raw { value.as_bytes().into() } else { escaped(value) });
        Ok(Self { values: values.collect(), weighted, distinct: plan.distinct })
    }

    /// Values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it has none; it never has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Draws a value; `number` is the table's own, in what was drawn.
    pub fn draw(&self, number: usize, draw: &mut Draw, drawn: &mut Drawn) -> &[u8] {
        let mut at = self.place(draw);
        if self.distinct {
            let mut redraws = 0;
            while drawn.contains(&(number, at)) && redraws < REDRAWS_MAX {
                at = self.place(draw);
                redraws += 1;
            }
            // Where hardly any other is drawn, the next one serves; where all were drawn, one comes again.
            let mut steps = 0;
            while drawn.contains(&(number, at)) && steps < self.values.len() {
                at = (at + 1) % self.values.len();
                steps += 1;
            }
            drawn.push((number, at));
        }
        &self.values[at]
    }

    fn place(&self, draw: &mut Draw) -> usize {
        match &self.weighted {
            Some(weighted) => weighted.choose(draw),
            None => draw.below(self.values.len() as u64) as usize,
        }
    }
}

/// Text as it stands between the quotes of JSON.
#[must_use]
pub fn escaped(text: &str) -> Box<[u8]> {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.as_bytes()[1..quoted.len() - 1].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: &[&str], zipf: f64) -> Table {
        let values = values.iter().map(ToString::to_string).collect();
        let plan = TablePlan { values, zipf: Some(zipf), weights: None, raw: false, distinct: true };
        Table::new("sku", &plan).unwrap()
    }

    #[test]
    fn distinct_values_are_drawn_once_each_until_all_are() {
        let table = table(&["a", "b", "c", "d"], 9.0);
        let (mut draw, mut drawn) = (Draw::new(1), Drawn::new());
        let mut seen: Vec<Vec<u8>> = (0..4).map(|_| table.draw(0, &mut draw, &mut drawn).to_vec()).collect();
        seen.sort();
        assert_eq!(seen, [b"a", b"b", b"c", b"d"]);
        table.draw(0, &mut draw, &mut drawn);
    }

    #[test]
    fn text_is_escaped() {
        let hostile = "a\"b\\c\n\u{1}\u{2028}é${id}";
        let json = format!("\"{}\"", std::str::from_utf8(&escaped(hostile)).unwrap());
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }
}
