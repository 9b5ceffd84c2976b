//! What a row says before it is encoded: most rows are as they were, and comparing costs less than writing.

use super::{RowName, Rows, commitments, htlc, onchain, state};
use crate::channel::changes::LiveHtlc;
use crate::channel::{Channel, Commitments};
use bitcoin::secp256k1::ecdsa::Signature;
use std::sync::Arc;

/// Room for the rows of most channels besides those of their HTLCs.
const ROOM: usize = 32;

/// The content of a row.
pub(super) enum Part<'a> {
    /// [`RowName::Params`], which never changes.
    Params(&'a Channel, &'a Commitments),
    /// The signatures of [`RowName::Local`]: of the commitment, and of its HTLC transactions.
    Local(&'a Signature, &'a [Signature]),
    /// An HTLC.
    Htlc(&'a Arc<LiveHtlc>),
    /// A secret of the peer.
    Secret(&'a [u8; 32]),
    /// What is short enough to be encoded at once.
    Bytes(Vec<u8>),
}

impl Part<'_> {
    pub(super) fn encode(self) -> Vec<u8> {
        match self {
            Self::Params(channel, commitments) => state::encode_params(channel, commitments),
            Self::Local(signature, of_htlcs) => commitments::encode_local(signature, of_htlcs),
            Self::Htlc(of_row) => htlc::encode(of_row),
            Self::Secret(secret) => commitments::encode_secret(secret),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Whether the row is the same. Where it is not, the bytes still may be: not all of an HTLC is stored.
    fn is_as_before(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Params(..), Self::Params(..)) => true,
            (Self::Local(signature, of_htlcs), Self::Local(before, of_htlcs_before)) => {
                signature == before && of_htlcs == of_htlcs_before
            }
            (Self::Htlc(htlc), Self::Htlc(before)) => Arc::ptr_eq(htlc, before) || htlc == before,
            (Self::Secret(secret), Self::Secret(before)) => secret == before,
            (Self::Bytes(bytes), Self::Bytes(before)) => bytes == before,
            _ => false,
        }
    }

    /// The bytes of the row, if they are others than before.
    pub(super) fn encode_if_changed(self, before: Self) -> Option<Vec<u8>> {
        if self.is_as_before(&before) {
            return None;
        }
        let bytes = self.encode();
        (bytes != before.encode()).then_some(bytes)
    }
}

/// All rows of a channel without what the peer has not committed to, in the order of their names.
pub(super) fn parts(stored: &Channel) -> Vec<(RowName, Part<'_>)> {
    let Some(of_channel) = stored.commitments() else { return Vec::new() };
    let mut parts = Vec::with_capacity(ROOM + of_channel.htlcs.len());
    parts.push((RowName::Params, Part::Params(stored, of_channel)));
    parts.extend(state::encode(&stored.state).map(|bytes| (RowName::State, Part::Bytes(bytes))));
    commitments::push_parts(of_channel, &mut parts);
    let mut of_close = Rows::new();
    onchain::write(&stored.state, &mut of_close);
    parts.extend(of_close.into_iter().map(|(name, bytes)| (name, Part::Bytes(bytes))));
    // They are nearly in order, of which a stable sort makes use.
    parts.sort_by_key(|(name, _)| *name);
    parts
}
