//! Texts with substitutions: `${id}`, `${lines}`, `${lines:basket}`, `${number:N}` (0 to less than N), `${name}` of a table;
//! `$$` is a dollar.

use std::collections::BTreeMap;

use crate::draw::{Draw, Weighted};
use crate::plan::{LinesPlan, PlanError};
use crate::table::{Drawn, Table};

/// A template, ready.
#[derive(Debug)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, PartialEq)]
enum Piece {
    Text(Box<[u8]>),
    Id,
    Lines(usize),
    Number(u64),
    Table(usize),
}

/// What templates draw from.
#[derive(Debug)]
pub struct Tables {
    tables: Vec<Table>,
    names: BTreeMap<String, usize>,
    baskets: Vec<Lines>,
    basket_names: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Lines {
    table: usize,
    count: Weighted,
    quantity: Weighted,
}

impl Tables {
    /// Tables by name, and how the lines of an order are drawn from one: `lines` is the basket without a name.
    pub fn new(
        tables: BTreeMap<String, Table>,
        lines: Option<&LinesPlan>,
        baskets: &BTreeMap<String, LinesPlan>,
    ) -> Result<Self, PlanError> {
        let names: BTreeMap<String, usize> = tables.keys().cloned().zip(0..).collect();
        let tables: Vec<Table> = tables.into_values().collect();
        let ready = |pointer: &str, lines: &LinesPlan| {
            let at = |field: &str| format!("{pointer}/{field}");
            let weights = |given: &[f64], field: &str| {
                Weighted::new(given).ok_or_else(|| PlanError::new(at(field), "must have weights, one above 0"))
            };
            let unknown = || PlanError::new(at("table"), format!("is no table: {}", lines.table));
            let table = *names.get(&lines.table).ok_or_else(unknown)?;
            let count = weights(&lines.count, "count")?;
            Ok(Lines { table, count, quantity: weights(&lines.quantity, "quantity")? })
        };
        let pointer = |name: &str| format!("/baskets/{name}");
        let plain = lines.map(|lines| ("", ready("/lines", lines)));
        let named = baskets.iter().map(|(name, lines)| (name.as_str(), ready(&pointer(name), lines)));
        let (mut basket_names, mut ready_baskets) = (BTreeMap::new(), Vec::new());
        for (name, basket) in plain.into_iter().chain(named) {
            basket_names.insert(name.into(), ready_baskets.len());
            ready_baskets.push(basket?);
        }
        Ok(Self { tables, names, baskets: ready_baskets, basket_names })
    }
}

impl Template {
    /// Reads a template; `pointer` is where it stands in the plan.
    pub fn read(text: &str, tables: &Tables, pointer: &str) -> Result<Self, PlanError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            plain.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                plain.push('$');
                rest = after;
                continue;
            }
            let Some((name, after)) = rest.strip_prefix('{').and_then(|inside| inside.split_once('}')) else {
                return Err(PlanError::new(pointer, "after '$' must come '{name}', or a second '$'"));
            };
            rest = after;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain).into_bytes().into()));
            }
            pieces.push(piece(name, tables, pointer)?);
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain.into_bytes().into()));
        Ok(Self { pieces })
    }

    /// Whether it has nothing to draw from tables: paths must not.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Text(_) | Piece::Id))
    }

    /// Writes it with an id. The same draws write the same.
    pub fn write(&self, tables: &Tables, id: &[u8], draw: &mut Draw, drawn: &mut Drawn, to: &mut Vec<u8>) {
        drawn.clear();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => to.extend_from_slice(text),
                Piece::Id => to.extend_from_slice(id),
                Piece::Number(end) => to.extend_from_slice(itoa::Buffer::new().format(draw.below(*end)).as_bytes()),
                Piece::Table(number) => to.extend_from_slice(tables.tables[*number].draw(*number, draw, drawn)),
                Piece::Lines(number) => {
                    let lines = &tables.baskets[*number];
                    lines.write(&tables.tables[lines.table], draw, drawn, to);
                }
            }
        }
    }
}

impl Lines {
    fn write(&self, table: &Table, draw: &mut Draw, drawn: &mut Drawn, to: &mut Vec<u8>) {
        let count = (self.count.choose(draw) + 1).min(table.len());
        for line in 0..count {
            to.extend_from_slice(if line == 0 { b"{\"sku\":\"" } else { b",{\"sku\":\"" });
            to.extend_from_slice(table.draw(self.table, draw, drawn));
            to.extend_from_slice(b"\",\"quantity\":");
            to.extend_from_slice(itoa::Buffer::new().format(self.quantity.choose(draw) + 1).as_bytes());
            to.push(b'}');
        }
    }
}

fn piece(name: &str, tables: &Tables, pointer: &str) -> Result<Piece, PlanError> {
    if let Some(end) = name.strip_prefix("number:") {
        let end = end.parse().ok().filter(|end| *end > 0);
        return end.map(Piece::Number).ok_or_else(|| PlanError::new(pointer, "number: must be followed by 1 or more"));
    }
    if name == "lines" || name.starts_with("lines:") {
        let basket = name.strip_prefix("lines:").unwrap_or("");
        let needs = || PlanError::new(pointer, format!("${{{name}}} needs the plan's lines, or a basket of that name"));
        return tables.basket_names.get(basket).map(|number| Piece::Lines(*number)).ok_or_else(needs);
    }
    match name {
        "id" => Ok(Piece::Id),
        _ => tables
            .names
            .get(name)
            .map(|number| Piece::Table(*number))
            .ok_or_else(|| PlanError::new(pointer, format!("${{{name}}} is no table, nor id, lines or number:N"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::TablePlan;

    fn tables() -> Tables {
        let hostile = ["a\"},{\"b", "\\", "\n\t", "$", "${id}", "平", ""].map(ToString::to_string).to_vec();
        let sku = TablePlan { values: hostile, zipf: None, weights: None, raw: false, distinct: true };
        let place = TablePlan {
            values: vec![r#"{"lat":1.5,"lon":2}"#.into()],
            zipf: None,
            weights: None,
            raw: true,
            distinct: false,
        };
        let ready =
            [("sku", sku), ("place", place)].map(|(name, plan)| (name.into(), Table::new(name, &plan).unwrap()));
        let lines = LinesPlan { table: "sku".into(), count: vec![1.0; 9], quantity: vec![1.0, 1.0] };
        let few = LinesPlan { table: "sku".into(), count: vec![1.0], quantity: vec![0.0, 0.0, 1.0] };
        Tables::new(ready.into(), Some(&lines), &[("few".into(), few)].into()).unwrap()
    }

    fn rendered(text: &str, seed: u64) -> String {
        let tables = tables();
        let template = Template::read(text, &tables, "/t").unwrap();
        let mut to = Vec::new();
        template.write(&tables, b"id-1", &mut Draw::new(seed), &mut Drawn::new(), &mut to);
        String::from_utf8(to).unwrap()
    }

    #[test]
    fn what_is_written_is_json_whatever_the_names_are() {
        let text = r#"{"order_id":"${id}","ship_to":${place},"note":"$$ ${sku}","n":${number:9},"lines":[${lines}]}"#;
        for seed in 0..500 {
            let value: serde_json::Value = serde_json::from_str(&rendered(text, seed)).unwrap();
            assert_eq!(value["order_id"], "id-1");
            assert!(value["n"].as_u64().unwrap() < 9);
            assert!(value["note"].as_str().unwrap().starts_with("$ "));
            let mut skus: Vec<&str> =
                value["lines"].as_array().unwrap().iter().map(|line| line["sku"].as_str().unwrap()).collect();
            let lines = skus.len();
            skus.sort_unstable();
            skus.dedup();
            // One SKU stands in the note already; seven are more than are drawn beside it.
            assert!(skus.len() == lines || lines == 7, "{skus:?}");
        }
        assert_eq!(rendered(text, 3), rendered(text, 3));
        let few: serde_json::Value = serde_json::from_str(&rendered("[${lines:few}]", 1)).unwrap();
        assert_eq!((few.as_array().unwrap().len(), few[0]["quantity"].as_u64()), (1, Some(3)));
    }

    #[test]
    fn what_no_template_can_mean_is_refused() {
        let tables = tables();
        for text in ["${", "$x", "${nothing}", "${number:0}", "${number:x}", "${lines:none}", "$"] {
            assert!(Template::read(text, &tables, "/t").is_err(), "{text}");
        }
    }
}
