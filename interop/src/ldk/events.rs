//! What the node tells, and what it is answered at once.

use super::{Arriving, LdkPeer};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, OutPoint, Transaction};
use kite_sim::chain::Chain;
use lightning::events::bump_transaction::BumpTransactionEvent;
use lightning::events::{Event, EventsProvider};
use lightning::types::payment::{PaymentHash, PaymentPreimage};
use std::cell::RefCell;

/// What a test may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerEvent {
    /// A channel waits for its funding transaction.
    ChannelPending {
        /// With whom.
        node_id: PublicKey,
        /// The output.
        funding: OutPoint,
    },
    /// A channel can be used.
    ChannelReady {
        /// With whom.
        node_id: PublicKey,
    },
    /// A channel ended.
    ChannelClosed {
        /// Why.
        reason: String,
    },
    /// A payment is ours.
    Received {
        /// Its hash.
        hash: PaymentHash,
        /// How much.
        amount_msat: u64,
    },
    /// A payment waits to be claimed.
    Held {
        /// Its hash.
        hash: PaymentHash,
    },
    /// A payment arrived.
    Sent {
        /// Its hash.
        hash: PaymentHash,
        /// The proof.
        preimage: PaymentPreimage,
    },
    /// A payment failed.
    Failed {
        /// Its hash.
        hash: Option<PaymentHash>,
        /// What the onion said.
        failure: Option<String>,
    },
    /// A path of a payment failed: what the failing node said.
    PathFailed {
        /// Its hash.
        hash: PaymentHash,
        /// Whether another try makes no sense.
        is_permanent: bool,
    },
    /// Coins came back from a channel.
    Spendable {
        /// How much.
        amount: Amount,
    },
}

impl LdkPeer {
    /// Answers what the node asks. Tells whether it asked.
    pub(super) fn handle_events(&mut self, chain: &mut Chain) -> bool {
        let gathered = RefCell::new(Vec::new());
        let gather = |event: Event| {
            gathered.borrow_mut().push(event);
            Ok(())
        };
        self.channels.process_pending_events(&gather);
        self.watchtower.process_pending_events(&gather);
        let events = gathered.into_inner();
        let any = !events.is_empty();
        for event in events {
            self.handle_event(event, chain);
        }
        any
    }

    fn handle_event(&mut self, event: Event, chain: &mut Chain) {
        match event {
            Event::OpenChannelRequest { temporary_channel_id, counterparty_node_id, .. } => self
                .channels
                .accept_inbound_channel(&temporary_channel_id, &counterparty_node_id, 0, None)
                .expect("a channel that was just offered"),
            Event::FundingGenerationReady {
                temporary_channel_id,
                counterparty_node_id,
                channel_value_satoshis,
                output_script,
                ..
            } => {
                let tx: Transaction = chain.fund(output_script, Amount::from_sat(channel_value_satoshis));
                self.channels
                    .funding_transaction_generated(temporary_channel_id, counterparty_node_id, tx)
                    .expect("a channel that was just agreed on");
            }
            Event::PaymentClaimable { payment_hash, purpose, .. } => {
                self.arrived(payment_hash, purpose.preimage())
            }
            Event::BumpTransaction(BumpTransactionEvent::ChannelClose { commitment_tx, .. }) => {
                self.broadcasts.0.borrow_mut().push(vec![commitment_tx]);
            }
            Event::BumpTransaction(BumpTransactionEvent::HTLCResolution {
                htlc_descriptors,
                tx_lock_time,
                ..
            }) => self.claim_htlcs(&htlc_descriptors, tx_lock_time, chain),
            other => self.events.extend(PeerEvent::of(other)),
        }
    }

    fn arrived(&mut self, hash: PaymentHash, preimage: Option<PaymentPreimage>) {
        let Some(preimage) = preimage.filter(|_| self.arriving != Arriving::Fail) else {
            return self.channels.fail_htlc_backwards(&hash);
        };
        if self.arriving == Arriving::Claim {
            return self.channels.claim_funds(preimage);
        }
        self.held.push((hash, preimage));
        self.events.push(PeerEvent::Held { hash });
    }
}

impl PeerEvent {
    fn of(event: Event) -> Option<Self> {
        Some(match event {
            Event::ChannelPending { counterparty_node_id, funding_txo, .. } => {
                Self::ChannelPending { node_id: counterparty_node_id, funding: funding_txo }
            }
            Event::ChannelReady { counterparty_node_id, .. } => {
                Self::ChannelReady { node_id: counterparty_node_id }
            }
            Event::ChannelClosed { reason, .. } => Self::ChannelClosed { reason: reason.to_string() },
            Event::PaymentClaimed { payment_hash, amount_msat, .. } => {
                Self::Received { hash: payment_hash, amount_msat }
            }
            Event::PaymentSent { payment_hash, payment_preimage, .. } => {
                Self::Sent { hash: payment_hash, preimage: payment_preimage }
            }
            Event::PaymentFailed { payment_hash, reason, .. } => {
                Self::Failed { hash: payment_hash, failure: reason.map(|reason| format!("{reason:?}")) }
            }
            Event::PaymentPathFailed { payment_hash, payment_failed_permanently, .. } => {
                Self::PathFailed { hash: payment_hash, is_permanent: payment_failed_permanently }
            }
            Event::SpendableOutputs { outputs, .. } => Self::Spendable {
                amount: outputs
                    .iter()
                    .map(|output| match output {
                        lightning::sign::SpendableOutputDescriptor::StaticOutput { output, .. } => {
                            output.value
                        }
                        lightning::sign::SpendableOutputDescriptor::DelayedPaymentOutput(output) => {
                            output.output.value
                        }
                        lightning::sign::SpendableOutputDescriptor::StaticPaymentOutput(output) => {
                            output.output.value
                        }
                    })
                    .sum(),
            },
            _ => return None,
        })
    }
}
