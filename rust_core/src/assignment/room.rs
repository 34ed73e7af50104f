//! What one thread works in.

use super::menu::Menu;
use super::network::Network;
use super::prices::Open;
use super::ring::{Ring, Stamps};
use super::shake::Shaken;
use super::spread::Spread;

/// The memory of one thread; nothing in it outlives one piece of work.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) menu: Menu,
    pub(super) open: Open,
    pub(super) usage: Vec<f64>,
    pub(super) seen: Vec<u32>,
    pub(super) stamps: Stamps,
    pub(super) rings: Vec<Ring>,
    pub(super) shaken: Shaken,
    pub(super) spread: Spread,
}

impl Room {
    pub(super) fn new(network: &Network) -> Self {
        Self {
            menu: Menu::new(network.warehouses),
            open: Open::default(),
            usage: Vec::new(),
            seen: Vec::new(),
            stamps: Stamps::new(network.warehouses),
            rings: Vec::new(),
            shaken: Shaken::default(),
            spread: Spread::default(),
        }
    }
}
