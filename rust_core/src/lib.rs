//! Stockade's planner, free of Python and of I/O: bytes and numbers in, plans and bytes out.
//!
//! The way of an order through it: [`order`] reads it, [`policy`] says what is wanted, [`planner`] chooses its shipments
//! with the [`catalogue`], the [`cost`] table, the stock [`view`] and the warehouses' [`capacity`] (the combinatorial part
//! is [`kernel`]; what bundles and substitutes make of an order is [`goods`], defined in the [`assortment`]), [`batch`]
//! packs the plans of many orders for one commit and settles what the store answered, [`amend`] changes what holds stock
//! already, [`reallocation`] looks anew at all that do, [`record`] is what the store keeps, [`answer`] what callers read. [`assignment`] chooses warehouses for very many
//! orders at once, on arrays.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod amend;
pub mod answer;
pub mod assignment;
pub mod assortment;
pub mod audit;
pub mod batch;
pub mod capacity;
pub mod catalogue;
pub mod cost;
pub mod explain;
pub mod fill;
pub mod geo;
pub mod goods;
pub mod ids;
pub mod kernel;
pub mod lot;
pub mod order;
pub mod order_json;
pub mod planner;
pub mod policy;
pub mod prices;
pub mod reallocation;
pub mod record;
pub mod view;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod hostile_lines;

#[cfg(feature = "python")]
mod py;
