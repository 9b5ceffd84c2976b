//! What of a gossip message is checked before the graph takes it in (BOLT 7). The cheap checks come first, signatures
//! last and only for what is new.

use super::graph::{ForwardingPolicy, NodeId, STALE_SECS};
use crate::crypto::ec;
use crate::types::{CltvExpiryDelta, Feature, Features, MilliSatoshi, ShortChannelId, UnixTime};
use crate::wire::{ChannelAnnouncement, ChannelUpdate, NodeAnnouncement};
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::secp256k1::PublicKey;

/// How far a clock elsewhere may be ahead of ours.
const FUTURE_SECS: u64 = 24 * 3600;
/// `message_flags`: the update is for the channel's own peer (BOLT 7, channel_update).
const DONT_FORWARD: u8 = 1 << 1;

/// What a node may require of those who send through it, because we know how.
const KNOWN: [Feature; 23] = [
    Feature::DataLossProtect,
    Feature::UpfrontShutdownScript,
    Feature::GossipQueries,
    Feature::VarOnionOptin,
    Feature::GossipQueriesEx,
    Feature::StaticRemotekey,
    Feature::PaymentSecret,
    Feature::BasicMpp,
    Feature::SupportLargeChannel,
    Feature::Anchors,
    Feature::RouteBlinding,
    Feature::ShutdownAnysegwit,
    Feature::DualFund,
    Feature::Quiesce,
    Feature::AttributionData,
    Feature::OnionMessages,
    Feature::ProvideStorage,
    Feature::ChannelType,
    Feature::ScidAlias,
    Feature::PaymentMetadata,
    Feature::Zeroconf,
    Feature::SimpleClose,
    Feature::Splice,
];

/// A signature that does not verify. Honest peers check what they relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forged;

/// Whether an announcement of a channel can be one, as far as that is known without its signatures.
pub(super) fn is_plausible(announcement: &ChannelAnnouncement, chain_hash: ChainHash) -> bool {
    let contents = &announcement.contents;
    contents.chain_hash == chain_hash && contents.node_id_1.serialize() < contents.node_id_2.serialize()
}

/// Whether the channel requires what we do not know; no even bit is assigned (BOLT 9).
pub(super) fn channel_is_to_avoid(features: &Features) -> bool {
    features.bits().any(|bit| bit % 2 == 0)
}

/// Whether the node requires what we do not know.
pub(super) fn node_is_to_avoid(features: &Features) -> bool {
    features.bits().any(|bit| bit % 2 == 0 && !KNOWN.iter().any(|known| known.required() == bit))
}

/// Checks the four signatures of an announcement.
pub(super) fn verify_announcement(announcement: &ChannelAnnouncement) -> Result<(), Forged> {
    let contents = &announcement.contents;
    let digest = contents.digest();
    for (signature, key) in [
        (&announcement.node_signature_1, &contents.node_id_1),
        (&announcement.node_signature_2, &contents.node_id_2),
        (&announcement.bitcoin_signature_1, &contents.bitcoin_key_1),
        (&announcement.bitcoin_signature_2, &contents.bitcoin_key_2),
    ] {
        ec::verify_ecdsa(&digest, signature, key).map_err(|_| Forged)?;
    }
    Ok(())
}

/// The terms an update sets, unless they are not for the graph: too old, private, or not terms at all.
pub(super) fn policy(
    update: &ChannelUpdate,
    chain_hash: ChainHash,
    now: UnixTime,
) -> Option<ForwardingPolicy> {
    let contents = &update.contents;
    let is_public = contents.message_flags & DONT_FORWARD == 0;
    let is_fresh = u64::from(contents.timestamp) >= now.0.saturating_sub(STALE_SECS);
    if is_public && is_fresh { terms(update, chain_hash, now) } else { None }
}

/// The terms an update sets, unless they can be nobody's: of another chain, of a clock far ahead of ours, or with limits
/// between which no HTLC fits.
fn terms(update: &ChannelUpdate, chain_hash: ChainHash, now: UnixTime) -> Option<ForwardingPolicy> {
    let contents = &update.contents;
    let usable = contents.chain_hash == chain_hash
        && contents.timestamp > 0
        && !is_in_future(contents.timestamp, now)
        && contents.htlc_minimum_msat <= contents.htlc_maximum_msat
        && contents.htlc_maximum_msat > MilliSatoshi::ZERO;
    usable.then_some(ForwardingPolicy {
        timestamp: contents.timestamp,
        disabled: contents.disable(),
        fee_base_msat: contents.fee_base_msat,
        fee_proportional_millionths: contents.fee_proportional_millionths,
        cltv_expiry_delta: CltvExpiryDelta(contents.cltv_expiry_delta),
        htlc_minimum: contents.htlc_minimum_msat,
        htlc_maximum: contents.htlc_maximum_msat,
    })
}

/// The terms in a `channel_update` that a node gave with a failure about its channel with `next`; unset unless it is the
/// node's own word about just that channel. Not for the graph.
pub(crate) fn terms_in_failure(
    update: &ChannelUpdate,
    short_channel_id: ShortChannelId,
    [speaker, next]: [&PublicKey; 2],
    chain_hash: ChainHash,
    now: UnixTime,
) -> Option<ForwardingPolicy> {
    let (speaker, next) = (speaker.serialize(), next.serialize());
    let is_meant = update.contents.short_channel_id == short_channel_id
        && update.contents.direction() == (next < speaker);
    let terms = if is_meant { terms(update, chain_hash, now)? } else { return None };
    verify_update(update, &speaker).ok().map(|()| terms)
}

/// Checks the signature of an update by the node that the channel's announcement names.
pub(super) fn verify_update(update: &ChannelUpdate, node_id: &NodeId) -> Result<(), Forged> {
    let key = PublicKey::from_slice(node_id).map_err(|_| Forged)?;
    ec::verify_ecdsa(&update.contents.digest(), &update.signature, &key).map_err(|_| Forged)
}

/// Checks the signature of a node about itself.
pub(super) fn verify_node(announcement: &NodeAnnouncement) -> Result<(), Forged> {
    let contents = &announcement.contents;
    ec::verify_ecdsa(&contents.digest(), &announcement.signature, &contents.node_id).map_err(|_| Forged)
}

/// Whether a timestamp is that of a clock that runs far ahead of ours.
pub(super) fn is_in_future(timestamp: u32, now: UnixTime) -> bool {
    u64::from(timestamp) > now.0.saturating_add(FUTURE_SECS)
}
