//! The graph as one payment sees it: with the hints of its invoice and without what failed.

use super::terms::Terms;
use super::{FirstHop, RouteRequest};
use crate::gossip::{Graph, NodeId};
use crate::types::ShortChannelId;

/// A channel in one direction, on the terms of the node it leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) short_channel_id: ShortChannelId,
    pub(super) terms: Terms,
}

/// The nodes of the graph keep their numbers; those that are not in it get the numbers after them.
#[derive(Debug)]
pub(super) struct Network<'a> {
    graph: &'a Graph,
    request: &'a RouteRequest<'a>,
    others: Vec<NodeId>,
    /// Ascending by `to`.
    hinted: Vec<Edge>,
    pub(super) payee: u32,
    /// Numbers of the peers of our channels, ascending, with the places of these channels.
    first_hops: Vec<(u32, usize)>,
}

impl<'a> Network<'a> {
    pub(super) fn new(graph: &'a Graph, first_hops: &[FirstHop], request: &'a RouteRequest<'a>) -> Self {
        let mut network =
            Self { graph, request, others: Vec::new(), hinted: Vec::new(), payee: 0, first_hops: Vec::new() };
        network.payee = network.number(request.payee.serialize());
        for (place, hop) in first_hops.iter().enumerate() {
            let peer = hop.peer.serialize();
            if !request.lessons.excludes_channel(hop.short_channel_id, &peer) {
                let peer = network.number(peer);
                network.first_hops.push((peer, place));
            }
        }
        network.first_hops.sort_unstable();
        network.add_hints();
        network
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.graph.node_count() + self.others.len()
    }

    /// Whether anything leads to the payee, usable now or not.
    pub(super) fn knows_payee(&self) -> bool {
        self.graph.channels_of(self.payee).next().is_some()
            || self.hinted.iter().any(|edge| edge.to == self.payee)
            || self.first_hops(self.payee).next().is_some()
    }

    pub(super) fn node_id(&self, node: u32) -> Option<&NodeId> {
        let other = (node as usize).checked_sub(self.graph.node_count());
        match other {
            None => self.graph.node_id(node),
            Some(other) => self.others.get(other),
        }
    }

    /// The places of our channels with this node.
    pub(super) fn first_hops(&self, node: u32) -> impl Iterator<Item = usize> + Clone {
        let start = self.first_hops.partition_point(|(peer, _)| *peer < node);
        self.first_hops[start..].iter().take_while(move |(peer, _)| *peer == node).map(|(_, place)| *place)
    }

    /// Every way into a node that may be used, and how often it was on a way that failed without a word.
    pub(super) fn edges_to(&self, to: u32) -> impl Iterator<Item = (Edge, u32)> {
        let start = self.hinted.partition_point(|edge| edge.to < to);
        let hinted = self.hinted[start..].iter().take_while(move |edge| edge.to == to).copied();
        let is_clean = self.request.lessons.is_empty();
        self.public_edges(to)
            .chain(hinted)
            .filter_map(move |edge| if is_clean { Some((edge, 0)) } else { self.as_learnt(edge) })
    }

    /// The edge as this payment knows it from its failed attempts, with its suspicion; unset where it is excluded.
    fn as_learnt(&self, edge: Edge) -> Option<(Edge, u32)> {
        let lessons = self.request.lessons;
        let towards = self.node_id(edge.to)?;
        let name = edge.short_channel_id;
        let is_excluded = lessons.excludes_channel(name, towards)
            || self.node_id(edge.from).is_some_and(|node_id| lessons.excludes_node(node_id));
        let terms = lessons.terms(name, towards).unwrap_or(edge.terms);
        (!is_excluded).then(|| (Edge { terms, ..edge }, lessons.suspicion(name, towards)))
    }

    fn public_edges(&self, to: u32) -> impl Iterator<Item = Edge> {
        self.graph.channels_of(to).filter_map(move |channel| {
            let direction = usize::from(channel.nodes[0] == to);
            let from = channel.nodes[direction];
            let policy = channel.policies[direction]?;
            if channel.avoid || self.graph.avoids(from) {
                return None;
            }
            let mut terms = Terms::from(policy);
            terms.htlc_maximum = terms.htlc_maximum.min(channel.capacity.or(terms.htlc_maximum));
            Some(Edge { from, to, short_channel_id: channel.short_channel_id, terms })
        })
    }

    fn add_hints(&mut self) {
        for hint in self.request.route_hints {
            let mut to = self.payee;
            for hop in hint.hops.iter().rev() {
                let from = self.number(hop.node_id.serialize());
                if from != to {
                    let short_channel_id = hop.short_channel_id;
                    self.hinted.push(Edge { from, to, short_channel_id, terms: hop.into() });
                }
                to = from;
            }
        }
        self.hinted.sort_by_key(|edge| edge.to);
    }

    /// The number of a node, whether it is in the graph or not. Few are not.
    fn number(&mut self, id: NodeId) -> u32 {
        if let Some(node) = self.graph.node(&id) {
            return node;
        }
        let other = self.others.iter().position(|other| *other == id).unwrap_or_else(|| {
            self.others.push(id);
            self.others.len() - 1
        });
        u32::try_from(self.graph.node_count() + other).unwrap_or(u32::MAX)
    }
}
