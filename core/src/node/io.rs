//! Everything that goes into the node and comes out of it.

use super::{Command, CommandError, CommandId, EventRecord};
use crate::chain::ChainFact;
use crate::store::Batch;
use crate::types::{ConnId, Instant, PaymentHash, PaymentId};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Address, Transaction, Txid};

/// What happened outside.
#[derive(Debug)]
pub enum Input {
    /// A deadline passed, or the app came to the front. Extra ones do no harm.
    Wake,
    /// Fresh randomness to mix in.
    Entropy([u8; 32]),
    /// The store promises that this batch, and every one before it, survives a loss of power.
    Persisted {
        /// The number of the batch.
        seq: u64,
    },
    /// The store could not write. The node stops; load it again from the store.
    PersistFailed {
        /// The number of the batch.
        seq: u64,
        /// What the owner can do about it.
        failure: StoreFailure,
    },
    /// The byte stream that [`Output::Connect`] asked for is open.
    Connected {
        /// Which one.
        conn: ConnId,
    },
    /// A peer opened a byte stream to us. Hosts that listen give it a number with the highest bit set.
    Accepted {
        /// Which one.
        conn: ConnId,
    },
    /// The network came back, or the app came to the front: connect again without delay.
    Hurry,
    /// Write now what would be written in a moment: the app is about to close.
    Flush,
    /// Bytes of a peer, in any pieces.
    Received {
        /// From where.
        conn: ConnId,
        /// At least one.
        bytes: Vec<u8>,
    },
    /// The byte stream ended or could not be opened.
    Disconnected {
        /// Which one.
        conn: ConnId,
        /// Why, for the owner.
        reason: String,
    },
    /// Something about the chain, to be checked.
    Chain(ChainFact),
    /// The app wants something; [`Output::Answer`] carries the result.
    Command {
        /// Any number the app chooses.
        id: CommandId,
        /// What it wants.
        command: Box<Command>,
    },
    /// The app has dealt with this event and every earlier one.
    EventHandled {
        /// Its number.
        seq: u64,
    },
}

/// Why the store stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFailure {
    /// Another tab, process or copy took the wallet over (contract P8).
    FenceLost,
    /// There is no room left.
    Full,
    /// Anything else: an aborted transaction, a closed database.
    Failed,
}

/// What the host is to do. Poll until [`Output::Idle`], then give one input, and so on.
#[derive(Debug)]
pub enum Output {
    /// Apply this batch and answer with [`Input::Persisted`] or [`Input::PersistFailed`].
    Persist(Batch),
    /// Open a byte stream to this node.
    Connect {
        /// Its number from now on.
        conn: ConnId,
        /// Who is to be reached.
        node_id: PublicKey,
        /// `host:port`.
        address: String,
    },
    /// Write these bytes, after all earlier ones.
    Send {
        /// To where.
        conn: ConnId,
        /// What.
        bytes: Vec<u8>,
    },
    /// Close this byte stream.
    Disconnect {
        /// Which one.
        conn: ConnId,
    },
    /// Publish these transactions, parents first, as a package where the backend can.
    Broadcast(Vec<Transaction>),
    /// The result of a command; what it tells is durable.
    Answer {
        /// Which command.
        id: CommandId,
        /// What came of it.
        result: Box<Result<Answer, CommandError>>,
    },
    /// Something happened; it is durable and comes again at every start until it is handled.
    Event(EventRecord),
    /// [`super::Node::watches`] changed: look at the new scripts soon.
    WatchesChanged,
    /// The store failed and the node does nothing any more (contract P4). Start the wallet again.
    Halted(StoreFailure),
    /// Nothing else to do until there is an input.
    Idle {
        /// Give [`Input::Wake`] at this moment, if set.
        wake_at: Option<Instant>,
    },
}

/// What a command achieved.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Nothing more to say.
    Done,
    /// The channel is being opened; [`super::Event::ChannelPending`] tells its id.
    ChannelOpening {
        /// The channel key index, the wallet's own name of the channel.
        channel: u32,
    },
    /// The payment is stored and on its way.
    Payment(PaymentId),
    /// An invoice that can now be shown.
    Invoice {
        /// The payment that waits for it.
        id: PaymentId,
        /// Its hash.
        payment_hash: PaymentHash,
        /// The BOLT 11 text.
        invoice: String,
    },
    /// An address that can now be shown.
    Address(Address),
    /// The transaction is stored and on its way.
    Sent(Txid),
}
