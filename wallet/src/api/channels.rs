//! Channels.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::peers::parse_node_id;
use super::{Wallet, WalletError};
use bitcoin::Amount;
use kite_api::api;
use kite_core::channel::Closer;
use kite_core::node::{Answer, ChannelInfo, CloseInfo, Command, Node};
use kite_core::types::{ChannelId, MAX_MONEY_SAT, MilliSatoshi};

/// A channel.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The wallet's own name of it, which never changes.
    pub id: String,
    /// Its name on the network, which changes once while it is being opened.
    pub channel_id: String,
    /// The peer.
    pub node_id: String,
    /// Where it stands.
    pub state: ChannelState,
    /// Whether payments can be sent and received through it now.
    pub usable: bool,
    /// What it holds in all, in satoshi.
    pub capacity_sat: u64,
    /// What can be sent through it now, in millisatoshi.
    pub spendable_msat: u64,
    /// What can be received through it now, in millisatoshi.
    pub receivable_msat: u64,
    /// What of the owner's is on its way out through it, in millisatoshi.
    pub in_flight_msat: u64,
    /// What of the owner's must stay in it until it closes, in satoshi.
    pub reserve_sat: u64,
    /// The transaction that opens it; unset before there is one.
    pub funding_txid: Option<String>,
    /// How many blocks confirm it.
    pub confirmations: u32,
    /// How many it needs.
    pub confirmations_needed: u32,
    /// The transaction that closes it; unset before there is one.
    pub closing_txid: Option<String>,
    /// Why it closes, in words for the owner; unset as long as it does not.
    pub close_reason: Option<String>,
    /// The wallet opened it, and pays for its transactions.
    pub is_opener: bool,
    /// How it comes back on-chain; unset before a transaction closes it.
    pub close: Option<ChannelClose>,
}

/// How a channel comes back on-chain.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelClose {
    /// Who closed it.
    pub closed_by: ClosedBy,
    /// How many blocks confirm the transaction that closes it.
    pub confirmations: u32,
    /// What still comes back, before the fees of the transactions that bring it, in satoshi.
    pub amount_sat: u64,
    /// The transactions that claimed some of it, or are to.
    pub claim_txids: Vec<String>,
    /// The height of the block that is expected to bring the last of it; unset where nothing is left to claim.
    pub expected_height: Option<u32>,
}

/// Who closed a channel.
#[api(enumeration)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// Both together.
    Both,
    /// The wallet alone.
    Wallet,
    /// The peer alone.
    Peer,
    /// The peer, with an old state, to take what is not its own: all of the channel is claimed.
    Cheater,
    /// By a transaction that the wallet does not know, as after it was restored from an old copy.
    Unknown,
}

/// Where a channel stands.
#[api(enumeration)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelState {
    /// Being agreed on; nothing is on-chain.
    Opening,
    /// Waits for its funding transaction to be confirmed.
    Pending,
    /// Open.
    Ready,
    /// Being closed, or closed and waiting for blocks.
    Closing,
    /// Closed for good.
    Closed,
    /// Cannot be used any more: the peer broke the rules, or the wallet found an error of its own.
    Failed,
}

/// A channel to be opened.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenChannelRequest {
    /// With whom. The peer must be connected.
    pub node_id: String,
    /// What it holds in all, in satoshi: at least 1 and paid from the on-chain coins.
    pub amount_sat: u64,
    /// What its funding transaction pays, in satoshi per virtual byte (1 to 1000); unset: what is normal these days.
    pub feerate_sat_per_vb: Option<u32>,
}

/// What a channel would cost.
#[api(record)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenChannelQuote {
    /// What the channel would hold, in satoshi.
    pub amount_sat: u64,
    /// What its funding transaction would pay to miners with the coins and rates of now, in satoshi.
    pub fee_sat: u64,
    /// Both together, in satoshi.
    pub total_sat: u64,
    /// What would have to stay in it until it closes, in satoshi.
    pub reserve_sat: u64,
    /// About what could be sent through it at first, in millisatoshi.
    pub spendable_after_msat: u64,
}

#[api]
impl Wallet {
    /// Opens a channel with a connected peer and gives the id of the channel. Events tell when it is pending and ready.
    ///
    /// This returns once the peer is asked. Nothing is stored before the channel is pending: of an app that ends sooner there is
    /// no channel after the next start, and all coins are free. So look at the channels before asking again.
    ///
    /// # Errors
    /// `NotConnected`, `AmountOutOfRange`, `InsufficientFunds`, `NotSynced`, `Refused`, `InvalidInput`.
    pub async fn open_channel(&self, request: OpenChannelRequest) -> Result<String, WalletError> {
        let node_id = parse_node_id(&request.node_id)?;
        let amount = parse_sat("amount_sat", request.amount_sat)?;
        self.check_size(amount).await?;
        let feerate = self.feerate(request.feerate_sat_per_vb).await?;
        match self.command(Command::OpenChannel { node_id, amount, feerate }).await? {
            Answer::ChannelOpening { channel } => Ok(channel.to_string()),
            other => Err(unexpected(&other)),
        }
    }

    /// What opening this channel would cost. Nothing is opened.
    ///
    /// # Errors
    /// `AmountOutOfRange`, `InsufficientFunds`, `InvalidInput`.
    pub async fn estimate_open_channel(
        &self,
        request: OpenChannelRequest,
    ) -> Result<OpenChannelQuote, WalletError> {
        parse_node_id(&request.node_id)?;
        let amount = parse_sat("amount_sat", request.amount_sat)?;
        self.check_size(amount).await?;
        let feerate = self.feerate(request.feerate_sat_per_vb).await?;
        // Peers ask for a hundredth, and for no less than the dust limit.
        let reserve = Amount::from_sat((amount.to_sat() / 100).max(354));
        let known = move |node: &Node| {
            (node.funding_cost(amount, feerate), node.sendable_after_opening(amount, reserve))
        };
        let (fee, spendable_after) = self.ask(known).await?;
        let fee = fee?;
        Ok(OpenChannelQuote {
            amount_sat: amount.to_sat(),
            fee_sat: fee.to_sat(),
            total_sat: (amount + fee).to_sat(),
            reserve_sat: reserve.to_sat(),
            spendable_after_msat: spendable_after.to_msat(),
        })
    }

    /// All channels, closing and closed ones included.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable`.
    pub async fn list_channels(&self) -> Result<Vec<Channel>, WalletError> {
        let all = |node: &Node| [node.past_channels(), node.channels()].concat();
        Ok(self.ask(all).await?.into_iter().map(Channel::from).collect())
    }

    /// Closes a channel together with the peer, which must be connected. What is in it comes back on-chain.
    ///
    /// # Errors
    /// `NotFound`, `Refused`.
    pub async fn close_channel(&self, id: String) -> Result<(), WalletError> {
        let channel_id = self.channel_named(&id).await?;
        self.command(Command::CloseChannel { channel_id }).await?;
        Ok(())
    }

    /// Closes a channel alone and at once, whether the peer is there or not. What is in it comes back on-chain after days,
    /// and costs more than closing together; payments under way are settled on-chain. For a peer that does not answer.
    ///
    /// # Errors
    /// `NotFound`, `Refused`.
    pub async fn force_close_channel(&self, id: String) -> Result<(), WalletError> {
        let channel_id = self.channel_named(&id).await?;
        self.command(Command::ForceClose { channel_id }).await?;
        Ok(())
    }
}

impl Wallet {
    async fn check_size(&self, funding: Amount) -> Result<(), WalletError> {
        let (least, most) = self.ask(Node::channel_sizes).await?;
        match (least..=most).contains(&funding) {
            true => Ok(()),
            false => Err(WalletError::AmountOutOfRange {
                min_msat: MilliSatoshi::from_amount(least).to_msat(),
                max_msat: MilliSatoshi::from_amount(most).to_msat(),
            }),
        }
    }

    async fn channel_named(&self, id: &str) -> Result<ChannelId, WalletError> {
        let index: u32 = id.trim().parse().map_err(|_| WalletError::not_found("channel"))?;
        let find = move |node: &Node| {
            node.channels().into_iter().find(|channel| channel.index == index).map(|found| found.channel_id)
        };
        self.ask(find).await?.ok_or_else(|| WalletError::not_found("channel"))
    }
}

impl From<ChannelInfo> for Channel {
    fn from(info: ChannelInfo) -> Self {
        Self {
            id: info.index.to_string(),
            channel_id: info.channel_id.to_string(),
            node_id: info.node_id.to_string(),
            state: ChannelState::named(info.state),
            usable: info.is_usable,
            capacity_sat: info.capacity.to_sat(),
            spendable_msat: info.spendable.to_msat(),
            receivable_msat: info.receivable.to_msat(),
            in_flight_msat: info.in_flight.to_msat(),
            reserve_sat: info.reserve.to_sat(),
            funding_txid: info.funding_txid.map(|txid| txid.to_string()),
            confirmations: info.confirmations,
            confirmations_needed: info.confirmations_needed,
            closing_txid: info.closing_txid.map(|txid| txid.to_string()),
            close_reason: info.close_reason,
            is_opener: info.is_opener,
            close: info.close.map(ChannelClose::from),
        }
    }
}

impl From<CloseInfo> for ChannelClose {
    fn from(info: CloseInfo) -> Self {
        Self {
            closed_by: match info.closer {
                Closer::Mutual => ClosedBy::Both,
                Closer::Local => ClosedBy::Wallet,
                Closer::RemoteCurrent | Closer::RemoteNext => ClosedBy::Peer,
                Closer::RemoteRevoked { .. } => ClosedBy::Cheater,
                Closer::RemoteUnknown { .. } | Closer::LocalUnknown { .. } | Closer::Unexplained => {
                    ClosedBy::Unknown
                }
            },
            confirmations: info.confirmations,
            amount_sat: info.amount.to_sat(),
            claim_txids: info.claim_txids.iter().map(ToString::to_string).collect(),
            expected_height: info.expected_height,
        }
    }
}

impl ChannelState {
    /// From the name that the node gives a state (BOLT 2).
    fn named(name: &str) -> Self {
        match name {
            "wait_for_funding_confirmed" | "wait_for_channel_ready" => Self::Pending,
            "normal" => Self::Ready,
            "shutting_down" | "negotiating" | "closing" => Self::Closing,
            "closed" => Self::Closed,
            "failed" | "frozen" => Self::Failed,
            _ => Self::Opening,
        }
    }
}

/// An amount of at least one satoshi and at most all there can be.
pub(super) fn parse_sat(field: &str, sat: u64) -> Result<Amount, WalletError> {
    match sat {
        1..=MAX_MONEY_SAT => Ok(Amount::from_sat(sat)),
        _ => Err(WalletError::invalid(field, "must be at least 1 and at most all bitcoin")),
    }
}

/// The node answers every command with what belongs to it; another answer is an error of ours and says so.
pub(super) fn unexpected(answer: &Answer) -> WalletError {
    WalletError::Refused { reason: format!("an unexpected answer of the node: {answer:?}") }
}
