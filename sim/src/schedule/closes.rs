//! Channels on the chain: that wallets say the truth about them, and who has what in the end.

use super::Life;
use super::check::Breach;
use super::demands::Demand;
use super::trace::{End, Settled, Trace, trace};
use crate::chain::is_commitment;
use bitcoin::{Amount, Transaction};
use kite_core::channel::Closer;
use kite_core::node::{ChannelInfo, CloseInfo, Node};
use kite_core::types::ChannelId;
use std::ops::Add;

/// What schedules did on the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closes {
    /// Channels that were closed by one side alone.
    pub alone: usize,
    /// Of these, with a commitment that was revoked.
    pub revoked: usize,
    /// HTLCs that were taken back on the chain.
    pub timeouts: usize,
    /// HTLCs that were claimed there with their preimage.
    pub preimages: usize,
}

impl Add for Closes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            alone: self.alone + other.alone,
            revoked: self.revoked + other.revoked,
            timeouts: self.timeouts + other.timeouts,
            preimages: self.preimages + other.preimages,
        }
    }
}

impl Life {
    pub(super) fn closes(&self) -> Closes {
        let mut closes = Closes::default();
        for (id, trace) in self.traces() {
            let settled = |how| trace.ends.iter().filter(|end| end.settled == Some(how)).count();
            closes.alone += 1;
            closes.revoked += usize::from(self.punisher(id, &trace).is_some());
            closes.timeouts += settled(Settled::Timeout);
            closes.preimages += settled(Settled::Preimage);
        }
        closes
    }

    /// Channels that a commitment ended.
    fn traces(&self) -> impl Iterator<Item = (&ChannelId, Trace<'_>)> {
        let channels = self.ledger.channels.iter();
        channels.filter_map(|(id, funded)| Some((id, trace(&self.world.chain, funded.outpoint)?)))
    }

    /// What a wallet says of a close is so; and no bid is lower than the one before.
    pub(super) fn check_closes(&self) -> Result<(), Breach> {
        for host in (0..2).filter(|host| !self.is_lost[*host]) {
            for channel in self.world.hosts[host].node().map(Node::channels).unwrap_or_default() {
                if let Some(close) = &channel.close {
                    self.check_close(host, &channel, close)?;
                }
            }
        }
        let is_own = |(host, _, other): &&(usize, bitcoin::Txid, bitcoin::Txid)| {
            let other = self.world.chain.transaction(other).filter(|tx| !self.spends_funding(tx));
            other.and_then(|tx| self.world.first_to_publish(tx)) == Some(*host)
        };
        let mut outbid = self.world.outbid.iter().filter(|(host, ..)| self.restored_at[*host].is_none());
        match outbid.find(is_own) {
            Some((host, txid, other)) => {
                let what = format!("{txid} does not replace its own {other}");
                Err(Breach::Undone { host: *host, what })
            }
            None => Ok(()),
        }
    }

    /// A close together may be negotiated again, for any fee; a bid is for what came of a commitment.
    fn spends_funding(&self, tx: &Transaction) -> bool {
        let is_funding = |outpoint| self.ledger.channels.values().any(|channel| channel.outpoint == outpoint);
        tx.input.iter().any(|input| is_funding(input.previous_output))
    }

    fn check_close(&self, host: usize, channel: &ChannelInfo, close: &CloseInfo) -> Result<(), Breach> {
        let Some(txid) = channel.closing_txid.filter(|_| close.confirmations > 0) else { return Ok(()) };
        let Some(tx) = self.world.chain.transaction(&txid) else { return Ok(()) };
        let by = self.world.first_to_publish(tx);
        let is_true = self.is_closer(host, channel, tx, by, close.closer);
        let node_height = self.world.node(host).tip();
        let depth = self.world.chain.depth(&txid);
        let mut claims = close.claim_txids.clone();
        claims.sort_unstable();
        claims.dedup();
        let is_true = is_true && claims.len() == close.claim_txids.len();
        let is_deep = node_height.1 != self.world.chain.tip() || depth == Some(close.confirmations);
        if is_true && is_deep && close.amount <= channel.capacity {
            return Ok(());
        }
        Err(Breach::Channel {
            host,
            what: format!("{by:?} published it, {depth:?} deep, and it says {close:?}"),
        })
    }

    /// Whether the disk says the same of who closed, and with which commitment. A wallet that has lost nothing knows all of them.
    fn is_closer(
        &self,
        host: usize,
        channel: &ChannelInfo,
        tx: &Transaction,
        by: Option<usize>,
        closer: Closer,
    ) -> bool {
        let known = self.stored[host].channels.get(&channel.channel_id);
        let Some((known, number)) = known.zip(self.number_of(host, &channel.channel_id, tx)) else {
            return closer == Closer::Mutual && !is_commitment(tx);
        };
        let is_peers = by == Some(1 - host);
        match closer {
            Closer::Local => by == Some(host) && number == known.local,
            Closer::RemoteCurrent => is_peers && number == known.unrevoked,
            Closer::RemoteNext => is_peers && number == known.unrevoked + 1 && number == known.signed,
            Closer::RemoteRevoked { number: told } => {
                is_peers && number == told && number < known.unrevoked && self.is_lost[1 - host]
            }
            // A copy from just before its newer self closed has lost nothing that its peer has seen.
            Closer::LocalUnknown { number: told } => {
                let is_copy = self.restored_at[host].is_some();
                is_copy && by == Some(host) && number == told && number > known.local
            }
            Closer::Mutual | Closer::RemoteUnknown { .. } | Closer::Unexplained => false,
        }
    }

    /// Blocks come until every channel that one side ended is over, and all that came of it is spent.
    pub(super) fn run_out(&mut self) -> Result<(), Breach> {
        self.check()?;
        for _ in 0..MOST_LOOKS {
            if self.still_closing().is_none() {
                return self.check_ends();
            }
            self.world.mine_at_once(BLOCKS_A_LOOK);
            self.settle();
            self.close_what_waits();
            self.check()?;
        }
        match self.still_closing() {
            Some((host, channel)) => {
                Err(Breach::Undone { host, what: format!("it is never over: {channel:?}") })
            }
            None => self.check_ends(),
        }
    }

    /// Whose wallet waits for a peer that has no such channel any more closes alone (ADR 0010).
    fn close_what_waits(&mut self) {
        for host in (0..2).filter(|host| !self.is_lost[*host]).collect::<Vec<_>>() {
            let channels = self.world.hosts[host].node().map(Node::channels).unwrap_or_default();
            let waits = |channel: &&ChannelInfo| {
                let is_living = !matches!(channel.state, "failed" | "closing" | "closed");
                is_living && !channel.is_usable && self.ledger.channels.contains_key(&channel.channel_id)
            };
            let waiting: Vec<ChannelId> =
                channels.iter().filter(waits).map(|channel| channel.channel_id).collect();
            if self.was_told_to_wait(host) {
                waiting.into_iter().for_each(|id| self.force_close_one(host, id));
            }
        }
    }

    /// A channel that something ended and that is not over.
    fn still_closing(&self) -> Option<(usize, ChannelInfo)> {
        let honest = (0..2).filter(|host| !self.is_lost[*host]);
        let mut channels = honest.flat_map(|host| {
            let channels = self.world.hosts[host].node().map(Node::channels).unwrap_or_default();
            channels.into_iter().map(move |channel| (host, channel))
        });
        channels.find(|(_, channel)| {
            let was_funded = self.ledger.channels.contains_key(&channel.channel_id);
            let is_demanded = !self.ledger.demands_of(&channel.channel_id).is_empty();
            was_funded && is_demanded && !channel.is_usable
        })
    }

    /// Every output of every commitment is spent by whose it was, for no more than it holds; a cheater holds nothing.
    fn check_ends(&self) -> Result<(), Breach> {
        for (id, trace) in self.traces() {
            let wrong = |what: String| Err(Breach::Output { what: format!("{id:?}: {what}") });
            let punisher = self.punisher(id, &trace);
            for end in trace.ends.iter().filter(|end| !end.is_anchor() && end.is_worth_it()) {
                let by = end.spend.and_then(|tx| self.world.first_to_publish(tx));
                let is_owed = |host: usize| !self.is_lost[host] && self.is_owed(host, id, &trace, end);
                if by.is_none() && (!self.has_lost() || (0..2).any(is_owed)) {
                    return wrong(format!("nobody spent {end:?}"));
                }
                if punisher.is_some() && by != punisher {
                    return wrong(format!("{by:?} and not {punisher:?} has {end:?}"));
                }
            }
            for (tx, fee) in self.world.chain.wallet_transactions() {
                let is_by_it = |end: &&End<'_>| end.spend == Some(tx) || end.settled_by == Some(tx);
                let claims = trace.ends.iter().filter(|end| !end.is_anchor()).filter(is_by_it);
                let claimed: Amount = claims.map(|end| end.amount).sum();
                if claimed > Amount::ZERO && fee > claimed {
                    return wrong(format!("{fee} were paid to claim {claimed} by {}", tx.compute_txid()));
                }
            }
        }
        Ok(())
    }

    /// What stays on the chain for ever: anchors, and what is too small to be claimed.
    pub(super) fn left(&self) -> Amount {
        let ends = self.traces().flat_map(|(_, trace)| trace.ends);
        ends.filter(|end: &End<'_>| end.spend.is_none()).map(|end| end.amount).sum()
    }

    /// What stays in a channel whose opener has lost it and whose peer had nothing in it: at the word that there is no such
    /// channel the peer forgets it, and nobody else could publish a commitment.
    pub(super) fn given_up(&self) -> Amount {
        let chain = &self.world.chain;
        let is_there = |outpoint: &bitcoin::OutPoint| {
            chain.confirmed_at(&outpoint.txid).is_some() && chain.spend_of(outpoint).is_none()
        };
        let channels = self.ledger.channels.values().filter(|channel| self.is_lost[channel.opener]);
        channels.filter(|channel| is_there(&channel.outpoint)).map(|channel| channel.capacity).sum()
    }

    /// Whoever has kept its state closes what the other has lost.
    pub(super) fn give_up_lost(&mut self) {
        let Some(honest) = (0..2).find(|host| !self.is_lost[*host]) else { return };
        let channels = self.world.hosts[honest].node().map(Node::channels).unwrap_or_default();
        for channel in channels.into_iter().filter(|channel| !channel.is_usable && channel.close.is_none()) {
            if self.ledger.demands_of(&channel.channel_id).contains(&Demand::Loss(1 - honest)) {
                self.force_close_one(honest, channel.channel_id);
            }
        }
    }
}

/// So many blocks come at a time: less than any deadline is away.
const BLOCKS_A_LOOK: u32 = 8;
/// Enough for an HTLC to expire, for every delay, and for all of it to be irrevocable.
const MOST_LOOKS: usize = 80;
