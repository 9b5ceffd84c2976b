//! Invoices we make.

use super::{Answer, CommandError, CommandId, Node};
use crate::invoice::{
    DEFAULT_OWN_MIN_FINAL_CLTV_EXPIRY_DELTA, Description, InvoiceBuilder, RouteHint, RouteHintHop,
};
use crate::payment::{Incoming, IncomingState, PaymentRecord};
use crate::types::{MilliSatoshi, PaymentId, PaymentPreimage, PaymentSecret, UnixTime};

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

    /// Ways through our channels, those with the most room first. They are unannounced, so a payer needs them.
    fn route_hints(&self, amount: Option<MilliSatoshi>) -> Vec<RouteHint> {
        let mut usable: Vec<_> = self
            .channels
            .values()
            .filter_map(|entry| Some((entry.receivable(), entry.inbound_policy()?, entry)))
            .collect();
        usable.retain(|(room, ..)| *room > MilliSatoshi::ZERO && amount.is_none_or(|amount| amount <= *room));
        usable.sort_by_key(|(room, ..)| std::cmp::Reverse(*room));
        usable
            .into_iter()
            .take(MAX_HINTS)
            .map(|(_, policy, entry)| RouteHint {
                hops: vec![RouteHintHop {
                    node_id: entry.node_id,
                    short_channel_id: policy.short_channel_id,
                    fee_base_msat: policy.fee_base_msat,
                    fee_proportional_millionths: policy.fee_proportional_millionths,
                    cltv_expiry_delta: policy.cltv_expiry_delta,
                }],
            })
            .collect()
    }
}
