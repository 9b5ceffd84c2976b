//! Offering and taking updates: HTLCs, their removal, fee rates (BOLT 2, Normal Operation).

use super::changes::{HtlcKey, LiveHtlc, Removal, Update};
use super::command::{AddHtlc, Env};
use super::commitments::Commitments;
use super::effects::ChannelEvent;
use super::error::{ChannelError, Refusal, Violation};
use super::params::Party;
use crate::onion::Instruction;
use crate::types::{CltvExpiry, FeeratePerKw, HtlcId, PaymentPreimage};
use crate::wire::{
    Message, UpdateAddHtlc, UpdateFailHtlc, UpdateFailMalformedHtlc, UpdateFee, UpdateFulfillHtlc,
};
use std::sync::Arc;

/// Set in codes that mean that the onion itself could not be read (BOLT 4, Failure Messages).
const BADONION: u16 = 0x8000;

fn fail<T>(violation: Violation) -> Result<T, ChannelError> {
    Err(ChannelError::FailChannel(violation))
}

impl Commitments {
    /// Offers an HTLC.
    pub(super) fn offer(&mut self, env: &Env<'_>, add: AddHtlc) -> Result<Message, ChannelError> {
        let id = self.local_next_htlc_id;
        self.local_next_htlc_id = HtlcId(id.0.saturating_add(1));
        let key = HtlcKey::outgoing(id);
        let htlc = LiveHtlc {
            amount: add.amount,
            payment_hash: add.payment_hash,
            cltv_expiry: add.cltv_expiry,
            origin: Some(add.origin),
            onion: Some(Arc::clone(&add.onion)),
            instruction: None,
            path_key: None,
            removal: None,
        };
        self.htlcs.insert(key, htlc);
        self.local_changes.proposed.push(Update::Add(id));
        self.check_offered(env, &add)?;
        self.message_of(&Update::Add(id))
    }

    /// Removes one of the peer's HTLCs.
    pub(super) fn remove(&mut self, id: HtlcId, removal: Removal) -> Result<Message, ChannelError> {
        let key = HtlcKey::incoming(id);
        let irrevocable = self.is_irrevocable(key);
        let htlc = self.htlcs.get_mut(&key).ok_or(Refusal::UnknownHtlc { id })?;
        if htlc.removal.is_some() {
            return Err(Refusal::AlreadyRemoved { id }.into());
        }
        if !irrevocable {
            return Err(Refusal::NotIrrevocable { id }.into());
        }
        match &removal {
            Removal::Fulfilled(preimage) if preimage.payment_hash() != htlc.payment_hash => {
                return Err(Refusal::WrongPreimage { id }.into());
            }
            Removal::Malformed { failure_code, .. } if failure_code & BADONION == 0 => {
                return Err(Refusal::NotBadOnion { failure_code: *failure_code }.into());
            }
            _ => {}
        }
        htlc.removal = Some(removal);
        htlc.instruction = None;
        self.local_changes.proposed.push(Update::Remove(id));
        self.message_of(&Update::Remove(id))
    }

    /// Sets the fee rate.
    pub(super) fn offer_feerate(
        &mut self,
        env: &Env<'_>,
        feerate: FeeratePerKw,
    ) -> Result<Message, ChannelError> {
        if self.params.opener != Party::Local {
            return Err(Refusal::NotTheOpener.into());
        }
        let (least, most) = (env.config.min_feerate, env.config.max_feerate(env.feerates.commitment));
        if feerate < least || feerate > most {
            return Err(Refusal::Feerate { feerate, least, most }.into());
        }
        replace_feerate(&mut self.local_changes.proposed, feerate);
        self.check_offered_feerate()?;
        self.message_of(&Update::Fee(feerate))
    }

    /// The message that tells the peer one of our updates.
    pub(super) fn message_of(&self, update: &Update) -> Result<Message, ChannelError> {
        let channel_id = self.channel_id();
        let htlc =
            |key| self.htlcs.get(&key).ok_or(super::error::Fault::Broken("an update without its HTLC"));
        Ok(match update {
            Update::Fee(feerate) => UpdateFee { channel_id, feerate_per_kw: *feerate }.into(),
            Update::Add(id) => {
                let htlc = htlc(HtlcKey::outgoing(*id))?;
                let onion =
                    htlc.onion.as_ref().ok_or(super::error::Fault::Broken("an HTLC without its onion"))?;
                UpdateAddHtlc {
                    channel_id,
                    id: *id,
                    amount_msat: htlc.amount,
                    payment_hash: htlc.payment_hash,
                    cltv_expiry: htlc.cltv_expiry.height(),
                    onion_routing_packet: Box::new(**onion),
                    path_key: htlc.path_key,
                }
                .into()
            }
            Update::Remove(id) => {
                let htlc = htlc(HtlcKey::incoming(*id))?;
                let id = *id;
                match htlc
                    .removal
                    .as_ref()
                    .ok_or(super::error::Fault::Broken("a removal without its reason"))?
                {
                    Removal::Fulfilled(preimage) => {
                        UpdateFulfillHtlc { channel_id, id, payment_preimage: *preimage }.into()
                    }
                    Removal::Failed(reason) => {
                        UpdateFailHtlc { channel_id, id, reason: reason.clone() }.into()
                    }
                    Removal::Malformed { sha256_of_onion, failure_code } => UpdateFailMalformedHtlc {
                        channel_id,
                        id,
                        sha256_of_onion: *sha256_of_onion,
                        failure_code: *failure_code,
                    }
                    .into(),
                }
            }
        })
    }

    /// Takes an HTLC from the peer. Its onion is read at once and not kept; what it says is acted upon when the HTLC is
    /// irrevocably committed.
    pub(super) fn receive_add(&mut self, env: &Env<'_>, add: &UpdateAddHtlc) -> Result<(), ChannelError> {
        let expected = self.remote_next_htlc_id;
        if add.id != expected {
            return fail(Violation::HtlcId { found: add.id, expected });
        }
        let Some(cltv_expiry) = CltvExpiry::new(add.cltv_expiry) else {
            return fail(Violation::ExpiryTooLarge { cltv_expiry: add.cltv_expiry });
        };
        let key = HtlcKey::incoming(add.id);
        let htlc = LiveHtlc {
            amount: add.amount_msat,
            payment_hash: add.payment_hash,
            cltv_expiry,
            origin: None,
            onion: None,
            instruction: None,
            path_key: add.path_key,
            removal: None,
        };
        self.remote_next_htlc_id = HtlcId(expected.0.saturating_add(1));
        self.htlcs.insert(key, htlc);
        self.remote_changes.proposed.push(Update::Add(add.id));
        self.check_received(key)?;
        let instruction = Instruction::read(&add.onion_routing_packet, env.node_secret, &add.payment_hash);
        if let Some(htlc) = self.htlcs.get_mut(&key) {
            htlc.instruction = Some(instruction);
        }
        Ok(())
    }

    /// Takes the removal of one of our HTLCs. The preimage is news at once.
    pub(super) fn receive_removal(
        &mut self,
        id: HtlcId,
        removal: Removal,
    ) -> Result<Option<ChannelEvent>, ChannelError> {
        let key = HtlcKey::outgoing(id);
        let committed = self.local.spec.htlcs.contains(&key);
        let settled = match &removal {
            Removal::Fulfilled(preimage) => self.settled_by(id, preimage),
            Removal::Failed(_) | Removal::Malformed { .. } => None,
        };
        let Some(htlc) = self.htlcs.get_mut(&key) else { return fail(Violation::UnknownHtlc(key)) };
        if htlc.removal.is_some() {
            return fail(Violation::RemovedTwice(key));
        }
        if !committed {
            return fail(Violation::UnknownHtlc(key));
        }
        let event = match &removal {
            Removal::Fulfilled(_) => {
                if settled.is_none() {
                    return fail(Violation::WrongPreimage(key));
                }
                settled
            }
            Removal::Failed(_) => None,
            Removal::Malformed { failure_code, .. } => {
                if failure_code & BADONION == 0 {
                    return fail(Violation::NotBadOnion { failure_code: *failure_code });
                }
                None
            }
        };
        htlc.removal = Some(removal);
        self.remote_changes.proposed.push(Update::Remove(id));
        Ok(event)
    }

    /// The news that this preimage opens one of our HTLCs, if it does.
    pub(super) fn settled_by(&self, id: HtlcId, preimage: &PaymentPreimage) -> Option<ChannelEvent> {
        let htlc = self.htlcs.get(&HtlcKey::outgoing(id))?;
        let origin = htlc.origin.filter(|_| preimage.payment_hash() == htlc.payment_hash)?;
        Some(ChannelEvent::HtlcSettled { origin, id, preimage: *preimage })
    }

    /// Takes a fee rate from the peer.
    pub(super) fn receive_feerate(
        &mut self,
        env: &Env<'_>,
        feerate: FeeratePerKw,
    ) -> Result<(), ChannelError> {
        if self.params.opener != Party::Remote {
            return fail(Violation::FeeFromAccepter);
        }
        let (least, most) = (env.config.min_feerate, env.config.max_feerate(env.feerates.commitment));
        if feerate < least || feerate > most {
            // Forgotten with the connection. Not worth a channel: estimates differ.
            return Err(ChannelError::Disconnect(Violation::Feerate { feerate, least, most }));
        }
        let before = self.local.spec.feerate;
        replace_feerate(&mut self.remote_changes.proposed, feerate);
        self.check_received_feerate(before)
    }
}

/// One pending fee rate at most: a new one takes the place of the old.
fn replace_feerate(proposed: &mut Vec<Update>, feerate: FeeratePerKw) {
    proposed.retain(|update| !matches!(update, Update::Fee(_)));
    proposed.push(Update::Fee(feerate));
}
