//! Makes shipments of what was chosen: true costs, and the cells that the units come from.

use super::freight::arrival;
use super::{Candidates, Demand, Planner, Shipment};
use crate::cost::Service;
use crate::fill::Piece;
use crate::ids::{CellId, ChannelId, SHARED, SkuId, WarehouseId, cell_id, pool_id};

impl Planner {
    /// Cells and units of a shipment of which a channel's pools have some: what they have, then the shared rest. Nothing
    /// where they have none.
    fn draw(&self, channel: ChannelId, warehouse: WarehouseId, lines: &[(SkuId, i64)]) -> Vec<(CellId, i64)> {
        let pooled = |sku: SkuId| self.view.free_in_pool(channel, sku, warehouse).max(0);
        let mut cells = Vec::new();
        if channel == SHARED || lines.iter().all(|&(sku, _)| pooled(sku) == 0) {
            return cells;
        }
        for &(sku, quantity) in lines {
            let own = pooled(sku).min(quantity);
            if own > 0 {
                cells.push((pool_id(channel, sku, warehouse), own));
            }
            if own < quantity {
                cells.push((cell_id(sku, warehouse), quantity - own));
            }
        }
        cells
    }

    pub(super) fn shipments(&self, demand: &Demand, candidates: &Candidates, pieces: &[Piece]) -> Vec<Shipment> {
        let mut pieces = pieces.to_vec();
        pieces.sort_unstable_by_key(|piece| (piece.candidate, piece.line));
        let leaves = |of_one: &[Piece]| {
            let candidate = of_one[0].candidate;
            let lane = &candidates.lanes[candidate];
            let (mut cost, mut lines) = (lane.fixed, Vec::with_capacity(of_one.len()));
            for of_line in of_one.chunk_by(|piece, next| piece.line == next.line) {
                let sku = demand.lines[of_line[0].line].0;
                let quantity = of_line.iter().map(|piece| piece.quantity).sum();
                cost += lane.line_cost(&self.catalogue.sku_terms(sku), quantity);
                lines.push((sku, quantity));
            }
            let warehouse = candidates.warehouses[candidate];
            let cells = self.draw(demand.channel, warehouse, &lines);
            let (mut carrier, mut promised) = (lane.carrier, candidates.promised[candidate]);
            if lane.service == Service::ByWeight {
                let terms = lines.iter().map(|&(sku, quantity)| (self.catalogue.sku_terms(sku), quantity));
                let price = self.price(candidates, candidate, &terms.collect::<Vec<_>>());
                (cost, carrier) = (price.total(), price.carrier);
                promised = arrival(candidates.by_weight[candidate].leaves, price.transit_days);
            }
            let carrier = carrier.and_then(|carrier| self.costs.carrier_name(carrier));
            Shipment { warehouse, cost, metres: lane.metres, lines, cells, carrier, promised }
        };
        pieces.chunk_by(|piece, next| piece.candidate == next.candidate).map(leaves).collect()
    }
}
