//! Why each warehouse won or lost, and why an order is shipped as it is: the explanation that goes with a quote.
//!
//! It speaks of what is planned: components in the place of bundles, substitutes in the place of what the network lacks, and
//! of an order that gets a part, that part. Every number in it is worked out as the planner does.
//! `proven` and `bound` are of plans that cut no line which a warehouse could ship whole, and that take substitutes for nothing
//! but what the network lacks; one that does otherwise may cost less.

mod bound;
mod exclusion;
mod planned;
mod reason;
mod row;
mod weigh;

use serde_json::{Map, Value, json};

use crate::answer::date;
use crate::order::Order;
use crate::planner::{Candidates, Days, Demand, Plan, Planner, Refusal, Shipment};
use crate::policy::{ChosenBy, Label, Objective, Score};

use planned::Planned;
use row::Row;
use weigh::Weighed;

/// An order, what is planned for it, and all that could serve it.
struct Scene<'a> {
    planner: &'a Planner,
    order: &'a Order<'a>,
    /// What was asked, with what is planned as its lines.
    demand: &'a Demand,
    planned: &'a Planned,
    plan: Result<&'a Plan, &'a Refusal>,
    candidates: &'a Candidates,
    /// The same as each would ship by itself.
    alone: &'a Candidates,
    days: Days,
    score: Score<'a>,
    /// Whether any unit or shipment of it has an opportunity price.
    priced: bool,
    /// Whether the plan is, or the bound here says so.
    proven: bool,
}

/// What plans are proven among.
const AMONG: &str = "plans that split no line which one warehouse holds whole";
const AMONG_SUBSTITUTES: &str = ", and take substitutes only for what the network lacks";

impl Planner {
    /// For every warehouse: what it would cost alone, part by part, or what keeps it out; and why the plan is what it is.
    pub fn explain(&mut self, order: &Order, demand: &Demand, plan: Result<&Plan, &Refusal>) -> Value {
        let planned = self.planned(demand, plan.ok());
        let asked = demand.with_lines(planned.lines.clone());
        let candidates = self.candidates(&asked);
        let uncarried = self.uncarried(&asked);
        let (mut alone, _) = candidates.keep(|_| true);
        self.arrive_soonest(&asked, &mut alone);
        let (days, score) = (self.days(&candidates), Score::of(asked.policy()));
        let (planned, demand, all) = (&planned, &asked, &candidates);
        let priced = self.is_priced(demand, all);
        let proven = plan.is_ok_and(|plan| plan.proven);
        let (planner, alone) = (&*self, &alone);
        let mut scene =
            Scene { planner, order, demand, planned, plan, candidates: all, alone, days, score, priced, proven };
        let chosen = plan.ok().filter(|plan| !plan.is_backorder()).map(|plan| scene.chosen(plan));
        let bound = if chosen.is_some() { scene.bound() } else { None };
        // What goes without a part might have gone without another one.
        let whole = plan.is_ok_and(|plan| plan.unfilled.is_empty());
        scene.proven |=
            whole && chosen.as_ref().zip(bound).is_some_and(|(chosen, bound)| chosen.weighed.score <= bound);
        let rows: Vec<Row> = (0..candidates.warehouses.len()).map(|column| scene.row(column)).collect();
        let warehouse = |&warehouse: &u32| match candidates.warehouses.iter().position(|&one| one == warehouse) {
            Some(column) => scene.row_to_json(&rows[column]),
            None => {
                let excluded = scene.exclusion(warehouse, uncarried.contains(&warehouse));
                let name = scene.warehouse(warehouse);
                json!({"warehouse": name, "used": false, "excluded": excluded.text, "rule": excluded.rule})
            }
        };
        let mut answer = scene.head();
        let single = scene.best_single(&rows);
        answer.insert("reason".into(), json!(scene.reason(chosen.as_ref(), single, &rows)));
        if let Some(chosen) = &chosen {
            let mut choice = scene.choice_to_json(&chosen.warehouses, &chosen.weighed);
            choice["shipments"] = chosen.shipments.iter().map(|one| scene.shipment_to_json(one)).collect();
            answer.insert("chosen".into(), choice);
            scene.bound_to_json(&mut answer, chosen, bound);
        }
        if let Some(row) = single {
            let warehouse = [candidates.warehouses[row.column]];
            answer.insert("single".into(), scene.choice_to_json(&warehouse, &row.weighed));
        }
        answer.insert("warehouses".into(), self.catalogue.ranked().iter().map(warehouse).collect());
        Value::Object(answer)
    }
}

/// The shipments of a plan, taken together.
struct Chosen<'a> {
    warehouses: Vec<u32>,
    /// One by one, and taken together.
    shipments: Vec<(&'a Shipment, Weighed)>,
    weighed: Weighed,
}

impl<'a> Scene<'a> {
    fn head(&self) -> Map<String, Value> {
        let label = Label::parse(&self.demand.selected.label);
        let policy = self.demand.policy();
        let substitutes = if self.demand.allow_substitutes { AMONG_SUBSTITUTES } else { "" };
        let mut answer = Map::new();
        answer.insert("policy".into(), json!(&*policy.name));
        answer.insert("policy_version".into(), json!(label.version));
        answer.insert("objective".into(), json!(policy.objective.name()));
        answer.insert("chosen_by".into(), self.chosen_by());
        if let Some((arm, name)) = label.trial {
            answer.insert("trial".into(), json!({"name": name, "arm": arm}));
        }
        answer.insert("proven".into(), json!(self.proven));
        answer.insert("proven_among".into(), json!(format!("{AMONG}{substitutes}")));
        answer.insert("weighs".into(), json!(self.weighs()));
        if let Some(due) = self.demand.due {
            answer.insert("due_on".into(), json!(date(due)));
        }
        answer.insert("score_scale".into(), json!(self.score.scale()));
        answer.insert("planned".into(), self.planned.to_json(self.planner));
        answer
    }

    fn chosen_by(&self) -> Value {
        let (planner, asked) = (self.planner, [&self.planned.asked[..], self.demand.ordered()].concat());
        let book = planner.policies.book();
        match book.chosen_by(self.order, &asked, planner.policies.traits(), planner.now_ms) {
            ChosenBy::Order => json!({"by": "order"}),
            ChosenBy::Rule(name) => json!({"by": "rule", "rule": name}),
            ChosenBy::Default => json!({"by": "default"}),
        }
    }

    /// The warehouse that would have been chosen if it had to ship everything; none has everything where this is none.
    fn best_single<'b>(&self, rows: &'b [Row]) -> Option<&'b Row> {
        let fastest = self.demand.policy().objective == Objective::Fastest;
        let able = rows.iter().filter(|row| row.short.is_empty());
        // Rows come by rank, and the first of equals is found.
        able.min_by_key(|row| {
            let day = if fastest { row.weighed.promised.unwrap_or(i32::MAX) } else { 0 };
            (day, row.weighed.score)
        })
    }

    fn choice_to_json(&self, warehouses: &[u32], weighed: &Weighed) -> Value {
        let names: Vec<&str> = warehouses.iter().map(|&warehouse| self.warehouse(warehouse)).collect();
        let mut choice = json!({
            "warehouses": names,
            "cost": weighed.cost_to_json(),
            "score": weighed.score_to_json(&self.score),
        });
        self.days_to_json(&mut choice, weighed);
        choice
    }

    /// The promised day, and how late that is where something is due.
    fn days_to_json(&self, json: &mut Value, weighed: &Weighed) {
        if let Some(day) = weighed.promised {
            json["promised_on"] = json!(date(day));
        }
        if let Some(days) = weighed.days_late {
            json["days_late"] = json!(days);
            json["lateness_cost"] = json!(weighed.penalties.lateness / self.score.scale());
        }
    }

    /// One shipment of several, with the weight that its carrier charges.
    fn shipment_to_json(&self, (shipment, weighed): &(&Shipment, Weighed)) -> Value {
        let line = |&(sku, units): &(u32, i64)| json!({"sku": self.sku(sku), "quantity": units});
        let mut json = json!({
            "warehouse": self.warehouse(shipment.warehouse),
            "lines": shipment.lines.iter().map(line).collect::<Value>(),
            "cost": weighed.cost_to_json(),
            "score": weighed.score_to_json(&self.score),
        });
        self.days_to_json(&mut json, weighed);
        self.carriage_to_json(&mut json, weighed);
        json
    }

    /// What is weighed when plans are compared.
    fn weighs(&self) -> Vec<&'static str> {
        let penalties = (!self.score.is_cost()).then_some("penalties");
        ["cost"].into_iter().chain(penalties).chain(self.priced.then_some("prices")).collect()
    }

    fn warehouse(&self, warehouse: u32) -> &'a str {
        self.planner.catalogue.warehouse_name(warehouse).unwrap_or("?")
    }

    fn sku(&self, sku: u32) -> &'a str {
        self.planner.catalogue.sku_name(sku).unwrap_or("?")
    }
}

#[cfg(test)]
mod tests;
