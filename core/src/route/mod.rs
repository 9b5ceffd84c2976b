//! Path finding: from our channels over the public graph and the hints of an invoice to the payee (BOLT 7,
//! Recommendations for Routing).
//!
//! The search runs backwards, from the payee, because what a node must be given depends on what it has to pass on.

mod cost;
mod error;
mod find;
mod lessons;
mod network;
mod terms;
#[cfg(test)]
mod tests;

pub use error::RouteError;
pub use find::find_route;
pub use lessons::{Failed, Learnt, Lessons, Present};

use crate::invoice::RouteHint;
use crate::types::{BlockHeight, CltvExpiry, MilliSatoshi, ShortChannelId};
use bitcoin::secp256k1::PublicKey;

/// No payment may wait longer, in blocks (BOLT 4, `max_htlc_cltv` Selection).
pub const DEFAULT_MAX_CLTV: u32 = 2016;
/// So many hops fit in an onion packet with ordinary payloads.
pub const DEFAULT_MAX_HOPS: usize = 20;

/// A channel of ours that can be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstHop {
    /// The caller's name of it; comes back in [`Route::first_hop`].
    pub channel: u32,
    /// Its name, or an alias of it.
    pub short_channel_id: ShortChannelId,
    /// Who is on the other side.
    pub peer: PublicKey,
    /// The largest HTLC we can add now.
    pub max_htlc: MilliSatoshi,
    /// The smallest HTLC that the peer takes.
    pub min_htlc: MilliSatoshi,
}

/// What a route is looked for.
#[derive(Clone, Debug)]
pub struct RouteRequest<'a> {
    /// To whom.
    pub payee: PublicKey,
    /// What is to arrive.
    pub amount: MilliSatoshi,
    /// The most that may be paid on top.
    pub max_fee: MilliSatoshi,
    /// The blocks that the payee wants to have (`min_final_cltv_expiry_delta` of the invoice).
    pub final_cltv_expiry_delta: u16,
    /// The height of the chain.
    pub height: BlockHeight,
    /// Blocks to add, so that nobody on the way can tell how near the payee is (BOLT 7, Recommendations for Routing), and
    /// for blocks that are found while the payment is under way.
    pub shadow_cltv_offset: u16,
    /// Ways to the payee that are not public.
    pub route_hints: &'a [RouteHint],
    /// What failed already.
    pub lessons: &'a Lessons,
    /// The most blocks from now until our HTLC expires, mostly [`DEFAULT_MAX_CLTV`].
    pub max_cltv: u32,
    /// The most hops, mostly [`DEFAULT_MAX_HOPS`].
    pub max_hops: usize,
}

/// A way to the payee. Our HTLC has the amount and the expiry of the first hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// [`FirstHop::channel`] of the channel to use.
    pub first_hop: u32,
    /// From our peer to the payee. Never empty.
    pub hops: Vec<RouteHop>,
    /// What all forwarding nodes keep.
    pub fee: MilliSatoshi,
}

/// A node on the way and the HTLC that arrives there.
///
/// The onion payload of a hop that is not the last says what the next hop says: `amt_to_forward` is the next hop's
/// `amount`, `outgoing_cltv_value` its `cltv_expiry`, `short_channel_id` its `short_channel_id`. The payload of the last
/// hop says its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteHop {
    /// The node.
    pub node_id: PublicKey,
    /// The channel that leads to it.
    pub short_channel_id: ShortChannelId,
    /// The amount of the HTLC that arrives there.
    pub amount: MilliSatoshi,
    /// The expiry of the HTLC that arrives there.
    pub cltv_expiry: CltvExpiry,
}
