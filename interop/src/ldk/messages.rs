//! Without a byte stream: payments that are planned beforehand, and messages handed over as values. For measurements.

use super::LdkPeer;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::PublicKey;
use lightning::ln::channelmanager::{PaymentId, RecipientOnionFields};
use lightning::ln::msgs::{BaseMessageHandler, ChannelMessageHandler, Init, MessageSendEvent};
use lightning::routing::router::{Path, Route, RouteHop};
use lightning::types::features::{ChannelFeatures, NodeFeatures};
use lightning::types::payment::PaymentHash;
use lightning_invoice::Bolt11Invoice;

/// A payment of which all is known but that it is made.
#[derive(Clone, Debug)]
pub struct PlannedPayment {
    /// Its hash.
    pub hash: PaymentHash,
    id: PaymentId,
    route: Route,
    onion: RecipientOnionFields,
}

impl LdkPeer {
    /// Plans to pay an invoice of a direct peer over the channel with it, with a hop that the caller may change.
    pub fn plan(&mut self, invoice: &str, change: impl FnOnce(&mut RouteHop)) -> PlannedPayment {
        let invoice: Bolt11Invoice = invoice.parse().expect("a valid invoice");
        let payee = invoice.payee_pub_key().copied().unwrap_or_else(|| invoice.recover_payee_pub_key());
        let usable = self.channels.list_usable_channels();
        let channel =
            usable.iter().find(|channel| channel.counterparty.node_id == payee).expect("a usable channel");
        let mut hop = RouteHop {
            pubkey: payee,
            node_features: NodeFeatures::empty(),
            short_channel_id: channel.get_outbound_payment_scid().expect("a usable channel has one"),
            channel_features: ChannelFeatures::empty(),
            fee_msat: invoice.amount_milli_satoshis().expect("an invoice with an amount"),
            cltv_expiry_delta: u32::try_from(invoice.min_final_cltv_expiry_delta()).expect("a sane delta"),
            maybe_announced_channel: false,
        };
        change(&mut hop);
        self.payments += 1;
        let mut id = [self.seed; 32];
        id[..8].copy_from_slice(&self.payments.to_be_bytes());
        PlannedPayment {
            hash: PaymentHash(invoice.payment_hash().to_byte_array()),
            id: PaymentId(id),
            route: Route { paths: vec![Path { hops: vec![hop], blinded_tail: None }], route_params: None },
            onion: RecipientOnionFields::secret_only(*invoice.payment_secret()),
        }
    }

    /// Makes a planned payment. Its messages wait to be taken.
    pub fn offer(&self, payment: PlannedPayment) {
        let PlannedPayment { hash, id, route, onion } = payment;
        self.channels.send_payment_with_route(route, hash, onion, id).expect("the channel is usable");
    }

    /// The messages that wait to leave, for every peer.
    pub fn take_messages(&self) -> Vec<MessageSendEvent> {
        self.channels.get_and_clear_pending_msg_events()
    }

    /// A peer is there, and no byte stream to it.
    pub fn meet(&self, peer: &Self) {
        let init =
            Init { features: peer.channels.init_features(), networks: None, remote_network_address: None };
        self.channels.peer_connected(peer.node_id(), &init, true).expect("features of the same kind");
    }

    /// A peer is gone.
    pub fn part_from(&self, peer: &Self) {
        self.channels.peer_disconnected(peer.node_id());
    }

    /// Takes what a peer wants to send in the course of a payment, or when the two meet again.
    ///
    /// # Panics
    /// Any other message: the peers are not doing what is measured.
    pub fn hand(&self, from: PublicKey, message: MessageSendEvent) {
        let channels = &self.channels;
        match message {
            MessageSendEvent::UpdateHTLCs { updates, .. } => {
                updates.update_add_htlcs.iter().for_each(|add| channels.handle_update_add_htlc(from, add));
                for fulfill in updates.update_fulfill_htlcs {
                    channels.handle_update_fulfill_htlc(from, fulfill);
                }
                let failed = !updates.update_fail_htlcs.is_empty() || updates.update_fee.is_some();
                assert!(!failed, "a payment that fails is not measured");
                let signed = &updates.commitment_signed;
                signed.iter().for_each(|signed| channels.handle_commitment_signed(from, signed));
            }
            MessageSendEvent::SendRevokeAndACK { msg, .. } => channels.handle_revoke_and_ack(from, &msg),
            MessageSendEvent::SendChannelReestablish { msg, .. } => {
                channels.handle_channel_reestablish(from, &msg);
            }
            MessageSendEvent::SendChannelReady { msg, .. } => channels.handle_channel_ready(from, &msg),
            MessageSendEvent::SendChannelUpdate { msg, .. } => channels.handle_channel_update(from, &msg),
            other => panic!("not part of a payment: {other:?}"),
        }
    }
}
