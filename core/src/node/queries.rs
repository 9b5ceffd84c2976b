//! What an app can look at. Nothing here changes anything.

use super::{Node, SendRequest};
use crate::chain::{History, ProofError};
use crate::channel::{Closer, Commitments, Link, Party, State, sendable_at_first};
use crate::coins::{CoinsError, OnchainBalance, OnchainTransaction};
use crate::payment::{OutgoingState, PaymentRecord};
use crate::route::{Route, RouteError};
use crate::types::{BlockHeight, ChannelId, FeeratePerKw, MilliSatoshi, PaymentHash, PaymentId, UnixTime};
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, BlockHash, Script, ScriptBuf, Transaction, Txid, WScriptHash};

/// What the wallet holds, and what of it can be used for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Everything that is the owner's.
    pub total: MilliSatoshi,
    /// What can be sent now over channels, fees on the way not counted.
    pub spendable: MilliSatoshi,
    /// What can be received now over channels.
    pub receivable: MilliSatoshi,
    /// What is on its way out and not decided.
    pub in_flight: MilliSatoshi,
    /// What comes back from channels that are closing.
    pub closing: Amount,
    /// On-chain coins.
    pub onchain: OnchainBalance,
    /// What is kept on-chain to pay for closing channels.
    pub reserved: Amount,
}

/// A channel, as an owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelInfo {
    /// The wallet's own name of it.
    pub index: u32,
    /// Its name on the wire.
    pub channel_id: ChannelId,
    /// The peer.
    pub node_id: PublicKey,
    /// The name of its state.
    pub state: &'static str,
    /// Whether payments can be sent and received now.
    pub is_usable: bool,
    /// Whether we opened it.
    pub is_opener: bool,
    /// What it holds in all.
    pub capacity: Amount,
    /// What can be sent now.
    pub spendable: MilliSatoshi,
    /// What can be received now.
    pub receivable: MilliSatoshi,
    /// Our own balance, the reserve included.
    pub local_balance: MilliSatoshi,
    /// What of ours is on its way out.
    pub in_flight: MilliSatoshi,
    /// What of ours must stay in it.
    pub reserve: Amount,
    /// The funding transaction.
    pub funding_txid: Option<Txid>,
    /// How many blocks confirm it.
    pub confirmations: u32,
    /// How many it needs.
    pub confirmations_needed: u32,
    /// The transaction that closes it.
    pub closing_txid: Option<Txid>,
    /// Why it closes.
    pub close_reason: Option<String>,
    /// How it ends, once its funding output is spent.
    pub close: Option<CloseInfo>,
}

/// How a channel ends, as an owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseInfo {
    /// Who closed it.
    pub closer: Closer,
    /// How many blocks confirm the transaction that closes it.
    pub confirmations: u32,
    /// What still comes back, before the fees of the transactions that bring it.
    pub amount: Amount,
    /// The transactions that claimed some of it, or are to.
    pub claim_txids: Vec<Txid>,
    /// The height of the block that is expected to bring the last of it; unset where nothing is left to claim.
    pub expected_height: Option<BlockHeight>,
}

/// A peer, as an owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Who.
    pub node_id: PublicKey,
    /// `host:port`.
    pub address: String,
    /// Whether messages flow.
    pub is_connected: bool,
    /// How many channels there are with it.
    pub channels: usize,
}

impl Node {
    /// Our own node id.
    pub fn node_id(&self) -> PublicKey {
        self.keys.node_id()
    }

    /// The tip of the chain as it is known here.
    pub fn tip(&self) -> (BlockHeight, BlockHash) {
        let tip = self.chain.tip();
        (tip.height, tip.hash)
    }

    /// The hash of the block at this height, to find out where a source's chain leaves ours.
    pub fn block_hash(&self, height: BlockHeight) -> Option<BlockHash> {
        self.chain.hash(height)
    }

    /// When the block at this height was found, by its miner's clock; unset where its header is not known.
    pub fn block_time(&self, height: BlockHeight) -> Option<UnixTime> {
        self.chain.header(height).map(|header| UnixTime(header.time.into()))
    }

    /// Whether what a source says of a script can be believed as the chain is known here.
    ///
    /// # Errors
    /// The first proof that proves nothing; such a transaction would be left out.
    pub fn check_history(&self, history: &History) -> Result<(), ProofError> {
        let claims = history.transactions.iter().filter_map(|seen| Some((&seen.tx, seen.proof.as_ref()?)));
        claims.into_iter().try_for_each(|(tx, proof)| proof.check(tx, &self.chain).map(drop))
    }

    /// When the newest known block was found, by its miner's clock.
    pub fn tip_time(&self) -> UnixTime {
        self.block_time(self.chain.height()).unwrap_or(UnixTime(0))
    }

    /// Whether the newest known block is too old to be the newest there is: then deadlines are not known, and nothing that
    /// depends on them is begun.
    pub fn is_tip_old(&self) -> bool {
        let age_secs = self.now.unix.0.saturating_sub(self.tip_time().0);
        self.config.max_tip_age_secs.is_some_and(|most| age_secs > most)
    }

    /// Whether the present height is known, from which deadlines count.
    pub(super) fn knows_height(&self) -> bool {
        self.synced_at.is_some() && !self.is_tip_old()
    }

    /// When everything was last in step with the chain, in this run; unset before.
    pub fn synced_at(&self) -> Option<UnixTime> {
        self.synced_at
    }

    /// The fee rates that are used.
    pub fn fee_rates(&self) -> crate::chain::FeeRates {
        self.fee_rates
    }

    /// What the wallet holds.
    pub fn balance(&self) -> Balance {
        let channels = self.channels();
        let sum = |part: fn(&ChannelInfo) -> MilliSatoshi| {
            channels.iter().map(part).fold(MilliSatoshi::ZERO, MilliSatoshi::saturating_add)
        };
        let (local, in_flight) = (sum(|info| info.local_balance), sum(|info| info.in_flight));
        let closing: Amount = self.channels.values().map(|entry| self.closing_amount(entry).0).sum();
        let onchain = self.coins.balance();
        let total = MilliSatoshi::from_amount(onchain.total() + closing).saturating_add(local);
        Balance {
            total: total.saturating_add(in_flight),
            spendable: sum(|info| info.spendable),
            receivable: sum(|info| info.receivable),
            in_flight,
            closing,
            onchain,
            reserved: self.reserve().min(onchain.spendable),
        }
    }

    /// What an on-chain payment would cost at this rate, with the coins as they are.
    ///
    /// # Errors
    /// [`CoinsError::Insufficient`].
    pub fn onchain_cost(
        &self,
        script_pubkey: &Script,
        amount: Amount,
        feerate: FeeratePerKw,
    ) -> Result<Amount, CoinsError> {
        self.coins.cost(script_pubkey, amount, feerate, self.reserve())
    }

    /// The most that can be paid on-chain at this rate.
    ///
    /// # Errors
    /// See [`crate::coins::Coins::most_payable`].
    pub fn most_onchain(&self, script_pubkey: &Script, feerate: FeeratePerKw) -> Result<Amount, CoinsError> {
        self.coins.most_payable(script_pubkey, feerate, self.reserve())
    }

    /// What the funding transaction of a new channel would cost at this rate, with the coins as they are.
    ///
    /// # Errors
    /// [`CoinsError::Insufficient`].
    pub fn funding_cost(&self, amount: Amount, feerate: FeeratePerKw) -> Result<Amount, CoinsError> {
        // All funding scripts have the same size.
        let script_pubkey = ScriptBuf::new_p2wsh(&WScriptHash::all_zeros());
        self.coins.cost(&script_pubkey, amount, feerate, self.reserve() + self.config.reserve_per_channel)
    }

    /// What could be put into a new channel, the fee of its funding transaction included.
    pub fn openable(&self) -> Amount {
        self.onchain_spendable().checked_sub(self.config.reserve_per_channel).unwrap_or(Amount::ZERO)
    }

    /// The least and the most that a channel may hold.
    pub fn channel_sizes(&self) -> (Amount, Amount) {
        let config = &self.config.channel;
        (config.min_funding, config.funding_limit - Amount::ONE_SAT)
    }

    /// What a new channel that holds so much could send, if the peer asks for this reserve.
    pub fn sendable_after_opening(&self, funding: Amount, reserve: Amount) -> MilliSatoshi {
        sendable_at_first(funding, reserve, self.commitment_feerate())
    }

    /// All channels, closing ones included.
    pub fn channels(&self) -> Vec<ChannelInfo> {
        self.channels.iter().map(|(index, entry)| self.channel_info(*index, entry)).collect()
    }

    /// All peers that are kept connected.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.connections
            .acquaintances
            .iter()
            .map(|(node_id, known)| PeerInfo {
                node_id: *node_id,
                address: known.address.clone(),
                is_connected: self.connections.ready(node_id).is_some(),
                channels: self.channels.values().filter(|entry| entry.node_id == *node_id).count(),
            })
            .collect()
    }

    /// All payments, in no particular order.
    pub fn payments(&self) -> impl Iterator<Item = &PaymentRecord> {
        self.payments.values()
    }

    /// One payment.
    pub fn payment(&self, id: &PaymentId) -> Option<&PaymentRecord> {
        self.payments.get(id)
    }

    /// The payment for this hash.
    pub fn payment_by_hash(&self, hash: &PaymentHash) -> Option<&PaymentRecord> {
        self.payments.get(self.payment_ids.get(hash)?)
    }

    /// The transaction that was made for an on-chain payment with this id.
    pub fn onchain_payment(&self, id: &PaymentId) -> Option<Txid> {
        self.onchain_payments.get(id).copied()
    }

    /// All on-chain transactions of the owner.
    pub fn onchain_transactions(&self) -> Vec<OnchainTransaction> {
        self.coins.transactions()
    }

    /// What a payment would cost now, and over how many nodes.
    ///
    /// # Errors
    /// Why there is no way.
    pub fn estimate_route(&self, request: &SendRequest) -> Result<Route, RouteError> {
        self.route(&self.first_hops(), request.id, &request.invoice, request.amount, request.max_fee, 0)
    }

    /// Why the app should not be closed now; unset when it can be.
    pub fn why_not_close(&self) -> Option<&'static str> {
        let payments = self.payments.values().any(|payment| match payment {
            PaymentRecord::Outgoing(payment) => !payment.is_final(),
            PaymentRecord::Incoming(_) => false,
        });
        if payments {
            return Some("a payment is on its way");
        }
        let htlcs = |entry: &super::channel_entry::ChannelEntry| {
            entry.channel.commitments().is_some_and(|c| !c.htlcs.is_empty())
        };
        if self.channels.values().any(htlcs) {
            return Some("a channel has payments in flight");
        }
        if !self.outbox.is_idle() {
            return Some("something is being stored");
        }
        None
    }
}

impl Node {
    fn is_paid(&self, id: &PaymentId) -> bool {
        let Some(PaymentRecord::Outgoing(payment)) = self.payments.get(id) else { return false };
        matches!(payment.state, OutgoingState::Sent { .. })
    }

    /// What comes back from a channel whose funding output is spent, until the wallet itself sees it arrive, and from which
    /// height on all of it can be claimed.
    fn closing_amount(&self, entry: &super::channel_entry::ChannelEntry) -> (Amount, Option<BlockHeight>) {
        match &entry.channel.state {
            State::Closing(closing) if closing.closer == Closer::Mutual && !self.sees_close(entry) => {
                (closing.to_us, None)
            }
            _ => {
                // A claim counts once it was in a block.
                let has_come = |outpoint| self.coins.has_spend_of(outpoint, |_| false);
                let amount = entry.channel.closing_amount(self.chain.height(), has_come);
                amount.unwrap_or((Amount::ZERO, None))
            }
        }
    }

    fn close_info(&self, entry: &super::channel_entry::ChannelEntry) -> Option<CloseInfo> {
        let State::Closing(closing) = &entry.channel.state else { return None };
        let (amount, expected_height) = self.closing_amount(entry);
        let pays_us = |tx: &Transaction| {
            tx.output.iter().any(|output| output.script_pubkey == entry.terms.shutdown_script)
        };
        let confirmed = closing.spends.iter().filter(|(_, tx, _)| pays_us(tx)).map(|(txid, ..)| *txid);
        let waiting = closing.bids.live().iter().map(|bid| bid.tx.compute_txid());
        let waiting = waiting.filter(|txid| closing.spends.iter().all(|(confirmed, ..)| confirmed != txid));
        Some(CloseInfo {
            closer: closing.closer,
            confirmations: closing.height.map_or(0, |height| self.depth(height)),
            amount,
            claim_txids: confirmed.chain(waiting).collect(),
            expected_height,
        })
    }

    /// Whether what a close together pays is among the coins. Coins and channels hear of it one after the other.
    fn sees_close(&self, entry: &super::channel_entry::ChannelEntry) -> bool {
        // A restart takes a negotiation back to its `shutdown`.
        let is_closing =
            matches!(entry.channel.state, State::ShuttingDown(_) | State::Negotiating(_) | State::Closing(_));
        let outpoint = entry.funding_outpoint().filter(|_| is_closing);
        let is_signed = |tx: &Transaction| entry.channel.is_signed_spend(tx);
        outpoint.is_some_and(|outpoint| self.coins.has_spend_of(outpoint, is_signed))
    }

    pub(super) fn channel_info(&self, index: u32, entry: &super::channel_entry::ChannelEntry) -> ChannelInfo {
        let channel = &entry.channel;
        let commitments = channel.commitments();
        let params = commitments.map(|commitments| &commitments.params);
        let is_over = matches!(channel.state, State::Closing(_) | State::Closed(_)) || self.sees_close(entry);
        // What a peer promises to put into a channel is nobody's before it is there.
        let living = commitments.filter(|_| !is_over && !channel.awaits_remote_funding());
        ChannelInfo {
            index,
            channel_id: channel.id,
            node_id: entry.node_id,
            state: channel.state.name(),
            is_usable: channel.is_usable() && channel.link == Link::Online,
            is_opener: params.is_none_or(|params| params.opener == Party::Local),
            capacity: params.map_or(Amount::ZERO, |params| params.funding_amount),
            spendable: if channel.is_usable() { channel.sendable() } else { MilliSatoshi::ZERO },
            receivable: entry.receivable(),
            local_balance: living.map_or(MilliSatoshi::ZERO, Commitments::local_balance),
            in_flight: living.map_or(MilliSatoshi::ZERO, |commitments| {
                commitments.outgoing_in_flight(|payment| self.is_paid(&payment))
            }),
            reserve: params.map_or(Amount::ZERO, |params| params.reserve_of(Party::Local)),
            funding_txid: params.map(|params| params.funding_outpoint.txid),
            confirmations: entry.funding_seen.as_ref().map_or(0, |(_, seen)| self.depth(seen.height)),
            confirmations_needed: params.map_or(0, |params| params.minimum_depth),
            closing_txid: entry.closing_txid(),
            close_reason: entry.close_reason(),
            close: self.close_info(entry),
        }
    }
}
