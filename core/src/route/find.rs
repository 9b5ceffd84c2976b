//! Dijkstra's search, from the payee to us.

use super::cost::{Aim, HopCost};
use super::network::{Edge, Network};
use super::{FirstHop, Route, RouteError, RouteHop, RouteRequest};
use crate::gossip::Graph;
use crate::types::{CltvExpiry, MilliSatoshi};
use bitcoin::secp256k1::PublicKey;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Finds a way over which `request.amount` can arrive. The same input gives the same route.
///
/// It weighs fees, the chance that a hop fails and the time that money may be locked. Where the outcome breaks a limit of
/// the request, other searches follow in which only the fee counts, or only the blocks, or only the hops.
///
/// # Errors
/// [`RouteError`] says what is missing.
pub fn find_route(
    graph: &Graph,
    first_hops: &[FirstHop],
    request: &RouteRequest<'_>,
) -> Result<Route, RouteError> {
    let amount = request.amount;
    if amount == MilliSatoshi::ZERO || MilliSatoshi::try_from_msat(amount.to_msat()).is_err() {
        return Err(RouteError::AmountOutOfRange { amount });
    }
    let network = Network::new(graph, first_hops, request);
    let largest = first_hops.iter().map(|hop| hop.max_htlc).max().unwrap_or(MilliSatoshi::ZERO);
    if largest < amount {
        return Err(RouteError::NoUsableChannel { largest });
    }
    let smallest = first_hops.iter().map(|hop| hop.min_htlc).min().unwrap_or(MilliSatoshi::ZERO);
    let mut failure: Option<RouteError> = None;
    for aim in [Aim::Balanced, Aim::Fee, Aim::Cltv, Aim::Hops] {
        let error = match Search::new(&network, first_hops, request, aim).run() {
            Ok(route) if route.fee <= request.max_fee => return Ok(route),
            Ok(route) => RouteError::FeeTooHigh { cheapest: route.fee, limit: request.max_fee },
            // Looking for a shorter or a cheaper way would not help.
            Err(RouteError::NoPath) if amount < smallest => {
                return Err(RouteError::BelowMinimum { smallest });
            }
            Err(error @ (RouteError::NoPath | RouteError::PayeeUnknown { .. })) => return Err(error),
            Err(error) => error,
        };
        let is_cheapest = aim == Aim::Fee && matches!(error, RouteError::FeeTooHigh { .. });
        failure = Some(failure.map_or(error.clone(), |earlier| earlier.or_more_useful(error)));
        if is_cheapest {
            break;
        }
    }
    Err(failure.unwrap_or(RouteError::NoPath))
}

/// The best way known from a node to the payee.
#[derive(Clone, Copy, Debug)]
struct Label {
    cost: u64,
    /// What must arrive at the node.
    amount: MilliSatoshi,
    /// When the HTLC that arrives at the node must expire, in blocks from now.
    cltv: u32,
    /// How many nodes there are until the payee, both included.
    hops: usize,
    /// The next step; unset at the payee.
    edge: Option<Edge>,
    settled: bool,
}

struct Search<'a> {
    network: &'a Network<'a>,
    first_hops: &'a [FirstHop],
    request: &'a RouteRequest<'a>,
    aim: Aim,
    labels: Vec<Option<Label>>,
    /// By cost, then by number, so that ties are always broken in the same way.
    queue: BinaryHeap<Reverse<(u64, u32)>>,
    too_long: bool,
    does_not_fit: Option<RouteError>,
}

impl<'a> Search<'a> {
    fn new(
        network: &'a Network<'a>,
        first_hops: &'a [FirstHop],
        request: &'a RouteRequest<'a>,
        aim: Aim,
    ) -> Self {
        let labels = vec![None; network.len()];
        let queue = BinaryHeap::new();
        Self { network, first_hops, request, aim, labels, queue, too_long: false, does_not_fit: None }
    }

    fn run(mut self) -> Result<Route, RouteError> {
        let cltv = u32::from(self.request.final_cltv_expiry_delta)
            .saturating_add(u32::from(self.request.shadow_cltv_offset))
            .saturating_add(self.request.lessons.blocks_behind(self.request.height));
        self.offer(
            self.network.payee,
            Label { cost: 0, amount: self.request.amount, cltv, hops: 1, edge: None, settled: false },
        );
        while let Some(Reverse((cost, node))) = self.queue.pop() {
            let Some(label) = self.labels[node as usize].as_mut() else { continue };
            if label.settled || label.cost != cost {
                continue;
            }
            label.settled = true;
            let label = *label;
            if let Some(first_hop) = self.first_hop(node, label.amount)
                && let Some(route) = self.route(first_hop, node)
            {
                return Ok(route);
            }
            self.relax(node, &label);
        }
        Err(self.error())
    }

    /// Our channel with this node that just carries the amount, so that larger ones stay free.
    fn first_hop(&mut self, node: u32, amount: MilliSatoshi) -> Option<&'a FirstHop> {
        let ours = self.network.first_hops(node).map(|place| &self.first_hops[place]);
        let fits = ours.clone().filter(|hop| hop.min_htlc <= amount && amount <= hop.max_htlc);
        let best = fits.min_by_key(|hop| (hop.max_htlc, hop.short_channel_id));
        if best.is_none() && self.does_not_fit.is_none() {
            self.does_not_fit = ours
                .map(|hop| hop.max_htlc)
                .max()
                .filter(|largest| *largest < amount)
                .map(|largest| RouteError::FeeDoesNotFit { needed: amount, largest });
        }
        best
    }

    fn relax(&mut self, node: u32, label: &Label) {
        let network = self.network;
        for (edge, suspicion) in network.edges_to(node) {
            if edge.from == network.payee || !edge.terms.carries(label.amount) {
                continue;
            }
            let Some(fee) = edge.terms.fee(label.amount) else { continue };
            let Some(amount) = label.amount.checked_add(fee) else { continue };
            let cost = self.aim.cost(&HopCost {
                amount: label.amount,
                fee,
                cltv_expiry_delta: edge.terms.cltv_expiry_delta.0,
                capacity: edge.terms.htlc_maximum,
                suspicion,
            });
            self.offer(
                edge.from,
                Label {
                    cost: label.cost.saturating_add(cost),
                    amount,
                    cltv: label.cltv.saturating_add(u32::from(edge.terms.cltv_expiry_delta.0)),
                    hops: label.hops + 1,
                    edge: Some(edge),
                    settled: false,
                },
            );
        }
    }

    fn offer(&mut self, node: u32, label: Label) {
        if label.cltv > self.request.max_cltv || label.hops > self.request.max_hops {
            self.too_long = true;
            return;
        }
        let Some(place) = self.labels.get_mut(node as usize) else { return };
        let rank = |label: &Label| {
            (label.cost, label.amount, label.hops, label.edge.map(|edge| (edge.short_channel_id, edge.to)))
        };
        let is_better = place.as_ref().is_none_or(|current| !current.settled && rank(&label) < rank(current));
        if is_better {
            self.queue.push(Reverse((label.cost, node)));
            *place = Some(label);
        }
    }

    /// Follows the labels to the payee. Unset where a node id is not a point, or the last word of a check is no.
    fn route(&self, first_hop: &FirstHop, peer: u32) -> Option<Route> {
        let mut hops = Vec::new();
        let mut label = self.labels[peer as usize]?;
        let (mut node, mut short_channel_id) = (peer, first_hop.short_channel_id);
        loop {
            hops.push(RouteHop {
                node_id: self.point(first_hop, peer, node)?,
                short_channel_id,
                amount: label.amount,
                cltv_expiry: CltvExpiry::new(self.request.height.checked_add(label.cltv)?)?,
            });
            let Some(edge) = label.edge else { break };
            let next = self.labels[edge.to as usize]?;
            if !edge.terms.forward((label.amount, label.cltv), (next.amount, next.cltv))
                || hops.len() >= self.request.max_hops
            {
                return None;
            }
            (node, short_channel_id, label) = (edge.to, edge.short_channel_id, next);
        }
        let fee = hops.first()?.amount.checked_sub(label.amount)?;
        Some(Route { first_hop: first_hop.channel, hops, fee })
    }

    /// Whose point is at hand needs not be read from its id.
    fn point(&self, first_hop: &FirstHop, peer: u32, node: u32) -> Option<PublicKey> {
        if node == peer {
            return Some(first_hop.peer);
        }
        if node == self.network.payee {
            return Some(self.request.payee);
        }
        PublicKey::from_slice(self.network.node_id(node)?).ok()
    }

    fn error(self) -> RouteError {
        if let Some(error) = self.does_not_fit {
            return error;
        }
        let RouteRequest { payee, max_hops, max_cltv, .. } = *self.request;
        if self.too_long {
            return RouteError::TooLong { max_hops, max_cltv };
        }
        if self.network.knows_payee() { RouteError::NoPath } else { RouteError::PayeeUnknown { payee } }
    }
}
