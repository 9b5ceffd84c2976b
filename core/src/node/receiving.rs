//! Payments that arrive: from the HTLC of a channel to the payment it belongs to.

use super::{Event, Node};
use crate::channel::{self, IncomingHtlc, Removal};
use crate::onion::{FailureMessage, Instruction, SharedSecret, build_failure};
use crate::payment::{Part, PartKey, PaymentRecord, Verdict};
use crate::types::{HtlcId, MilliSatoshi, PaymentHash};

impl Node {
    /// Takes up every HTLC that waits for an answer: once the present height is known.
    pub(super) fn take_up_htlcs(&mut self) {
        for index in self.channels.keys().copied().collect::<Vec<_>>() {
            self.take_up_htlcs_of(index);
        }
    }

    /// Takes up those of one channel: once its peer has proved what was loaded.
    pub(super) fn take_up_htlcs_of(&mut self, index: u32) {
        let Some(entry) = self.channels.get(&index) else { return };
        let htlcs = self.with_env(entry, |env| entry.channel.unresolved_incoming(env));
        self.arrived.extend(htlcs.into_iter().map(|htlc| (index, htlc)));
    }

    /// Answers the HTLCs that arrived with this input.
    pub(super) fn answer_htlcs(&mut self) {
        for (index, htlc) in std::mem::take(&mut self.arrived) {
            self.htlc_arrived(index, &htlc);
        }
        self.run_channels();
    }

    /// An HTLC is irrevocably committed on both sides: do what its onion says.
    fn htlc_arrived(&mut self, index: u32, htlc: &IncomingHtlc) {
        let key = (index, htlc.id);
        let is_answerable = self.channels.get(&index).is_some_and(|entry| entry.channel.answers_htlcs());
        // Whether it can be settled in time depends on the present height.
        if !self.knows_height() || self.part_secrets.contains_key(&key) || !is_answerable {
            return;
        }
        let Some(instruction) = &htlc.instruction else { return };
        let secret = match instruction {
            Instruction::Receive { shared_secret, .. } | Instruction::Fail { shared_secret, .. } => {
                shared_secret
            }
            Instruction::Malformed { failure_code, sha256_of_onion } => {
                let (failure_code, sha256_of_onion) = (*failure_code, *sha256_of_onion);
                return self.remove_htlc(key, Removal::Malformed { sha256_of_onion, failure_code });
            }
        };
        if htlc.over_dust_exposure || !htlc.is_funded {
            let failure = FailureMessage::TemporaryChannelFailure { channel_update: Vec::new() };
            return self.fail_htlc(key, secret, &failure);
        }
        match instruction {
            Instruction::Fail { failure, .. } => self.fail_htlc(key, secret, failure),
            Instruction::Receive {
                amt_to_forward,
                outgoing_cltv_value,
                payment_secret: Some(payment_secret),
                total_msat,
                ..
            } => {
                let part = Part {
                    amount: htlc.amount,
                    amt_to_forward: *amt_to_forward,
                    cltv_expiry: htlc.cltv_expiry,
                    outgoing_cltv_value: *outgoing_cltv_value,
                    total: *total_msat,
                    payment_secret: *payment_secret,
                };
                self.part_arrived(key, htlc.payment_hash, part, secret);
            }
            Instruction::Receive { .. } | Instruction::Malformed { .. } => {
                self.refuse_as_unknown(key, secret, htlc.amount);
            }
        }
    }

    fn part_arrived(&mut self, key: PartKey, hash: PaymentHash, part: Part, secret: &SharedSecret) {
        let payment = self.payment_ids.get(&hash).and_then(|id| match self.payments.get(id) {
            Some(PaymentRecord::Incoming(payment)) => Some(payment),
            Some(PaymentRecord::Outgoing(_)) | None => None,
        });
        let now = (self.now.mono, self.now.unix);
        match self.parts.arrived(key, &part, payment, self.chain.height(), now) {
            Verdict::Wait => {
                self.part_secrets.insert(key, secret.clone());
            }
            Verdict::Settle { amount, parts } => self.receive(hash, amount, &parts),
            Verdict::RefuseUnknown => self.refuse_as_unknown(key, secret, part.amount),
            Verdict::RefuseCltv => {
                let failure =
                    FailureMessage::FinalIncorrectCltvExpiry { cltv_expiry: part.cltv_expiry.height() };
                self.fail_htlc(key, secret, &failure);
            }
            Verdict::RefuseAmount => {
                let failure = FailureMessage::FinalIncorrectHtlcAmount { incoming_htlc_amt: part.amount };
                self.fail_htlc(key, secret, &failure);
            }
        }
    }

    /// All parts are there: the payment and every HTLC that pays it change in one batch (contract P6).
    fn receive(&mut self, hash: PaymentHash, amount: MilliSatoshi, parts: &[PartKey]) {
        let Some(id) = self.payment_ids.get(&hash).copied() else { return };
        let Some(PaymentRecord::Incoming(payment)) = self.payments.get(&id) else { return };
        let Some(received) = payment.received(amount, self.now.unix) else { return };
        let preimage = received.preimage;
        self.store_payment(PaymentRecord::Incoming(received));
        for key in parts {
            self.part_secrets.remove(key);
            self.remove_htlc(*key, Removal::Fulfilled(preimage));
        }
        self.emit(Event::PaymentReceived { id, payment_hash: hash, amount });
    }

    /// The parts of a channel that answers no more are no parts: a payment that counted them would give its preimage away
    /// for less than it asks.
    pub(super) fn forget_parts(&mut self, index: u32) {
        self.parts.forget_channel(index);
        self.part_secrets.retain(|(channel, _), _| *channel != index);
    }

    pub(super) fn time_out_parts(&mut self) {
        for key in self.parts.timed_out(self.now.mono) {
            if let Some(secret) = self.part_secrets.remove(&key) {
                self.fail_htlc(key, &secret, &FailureMessage::MppTimeout);
            }
        }
    }

    fn refuse_as_unknown(&mut self, key: PartKey, secret: &SharedSecret, amount: MilliSatoshi) {
        let height = self.chain.height();
        let failure = FailureMessage::IncorrectOrUnknownPaymentDetails { htlc_msat: amount, height };
        self.fail_htlc(key, secret, &failure);
    }

    fn fail_htlc(&mut self, key: PartKey, secret: &SharedSecret, failure: &FailureMessage) {
        self.remove_htlc(key, Removal::Failed(build_failure(secret, failure)));
    }

    fn remove_htlc(&mut self, (index, id): (u32, HtlcId), removal: Removal) {
        self.todo.push_back((index, channel::Command::RemoveHtlc { id, removal }));
    }
}
