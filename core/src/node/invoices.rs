//! Invoices we make.

use super::channel_entry::ChannelEntry;
use super::terms::InboundPolicy;
use super::{Answer, CommandError, CommandId, Node};
use crate::invoice::{
    DEFAULT_OWN_MIN_FINAL_CLTV_EXPIRY_DELTA, Description, InvoiceBuilder, RouteHint, RouteHintHop,
};
use crate::payment::{Incoming, IncomingState, PaymentRecord};
use crate::types::{MilliSatoshi, PaymentId, PaymentPreimage, PaymentSecret, UnixTime};
use bitcoin::secp256k1::PublicKey;
use std::cmp::Reverse;

/// No payer needs more ways than this.
const MAX_HINTS: usize = 3;

impl Node {
    /// The payment is stored before its invoice is shown (contract P2).
    pub(super) fn make_invoice(
        &mut self,
        id: CommandId,
        amount: Option<MilliSatoshi>,
        description: &str,
        expiry_secs: u32,
    ) {
        let answer = self.new_invoice(amount, description, expiry_secs);
        self.answer(id, answer);
    }

    fn new_invoice(
        &mut self,
        amount: Option<MilliSatoshi>,
        description: &str,
        expiry_secs: u32,
    ) -> Result<Answer, CommandError> {
        let preimage = PaymentPreimage(self.entropy.bytes32());
        let payment_secret = PaymentSecret(self.entropy.bytes32());
        let payment_hash = preimage.payment_hash();
        let builder = InvoiceBuilder::new(
            self.config.network,
            payment_hash,
            payment_secret,
            Description::Text(description.into()),
        )
        .expiry_secs(u64::from(expiry_secs));
        let builder = amount.into_iter().fold(builder, InvoiceBuilder::amount);
        let builder = self.route_hints(amount).into_iter().fold(builder, InvoiceBuilder::route_hint);
        let invoice = builder.sign(self.keys.node_secret(), self.now.unix)?;
        let id = PaymentId(self.entropy.bytes());
        self.store_payment(PaymentRecord::Incoming(Incoming {
            id,
            preimage,
            payment_secret,
            amount,
            description: description.into(),
            invoice: invoice.text.clone(),
            created: self.now.unix,
            expires_at: UnixTime(self.now.unix.0.saturating_add(u64::from(expiry_secs))),
            min_final_cltv_expiry_delta: DEFAULT_OWN_MIN_FINAL_CLTV_EXPIRY_DELTA.0,
            state: IncomingState::Expecting,
        }));
        Ok(Answer::Invoice { id, payment_hash, invoice: invoice.text })
    }

    /// Ways through our channels, those with the most room first. They are unannounced: without a way in its invoice nobody
    /// but our peers can pay it (BOLT 11, `r`). Where no channel could bring the amount at this moment, those are named that
    /// come closest, because a peer may be back and there may be room, or payers that split, before it is paid.
    fn route_hints(&self, amount: Option<MilliSatoshi>) -> Vec<RouteHint> {
        let least = amount.unwrap_or(MilliSatoshi::ZERO).max(MilliSatoshi::from_msat(1));
        let has_room = |entry: &ChannelEntry| entry.channel.receivable() >= least;
        let prospect = |entry: &ChannelEntry| (has_room(entry), entry.channel.is_usable());
        let mut ways: Vec<_> =
            self.channels.values().filter_map(|entry| Some((entry, entry.inbound_policy()?))).collect();
        let best = ways.iter().map(|(entry, _)| prospect(entry)).max();
        ways.retain(|(entry, _)| Some(prospect(entry)) == best);
        ways.sort_by_key(|(entry, _)| Reverse(entry.channel.receivable()));
        ways.into_iter().take(MAX_HINTS).map(|(entry, policy)| route_hint(entry.node_id, policy)).collect()
    }
}

fn route_hint(node_id: PublicKey, policy: InboundPolicy) -> RouteHint {
    RouteHint {
        hops: vec![RouteHintHop {
            node_id,
            short_channel_id: policy.short_channel_id,
            fee_base_msat: policy.fee_base_msat,
            fee_proportional_millionths: policy.fee_proportional_millionths,
            cltv_expiry_delta: policy.cltv_expiry_delta,
        }],
    }
}
