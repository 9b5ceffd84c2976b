//! What an LDK node asks of its host: fees, broadcast, storage, routes, a log, sockets.

use bitcoin::Transaction;
use bitcoin::secp256k1::{PublicKey, Secp256k1, Signing, Verification};
use lightning::blinded_path::payment::{BlindedPaymentPath, ReceiveTlvs};
use lightning::chain::ChannelMonitorUpdateStatus;
use lightning::chain::chaininterface::{BroadcasterInterface, ConfirmationTarget, FeeEstimator};
use lightning::chain::chainmonitor::Persist;
use lightning::chain::channelmonitor::{ChannelMonitor, ChannelMonitorUpdate};
use lightning::ln::channel_state::ChannelDetails;
use lightning::ln::peer_handler::SocketDescriptor;
use lightning::routing::router::{InFlightHtlcs, Route, RouteParameters, Router};
use lightning::sign::InMemorySigner;
use lightning::util::logger::{Level, Logger, Record};
use lightning::util::persist::MonitorName;
use std::cell::{Cell, RefCell};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// Gathers what the node wants to publish.
#[derive(Debug, Default)]
pub(super) struct Broadcasts(pub(super) RefCell<Vec<Vec<Transaction>>>);

impl BroadcasterInterface for Broadcasts {
    fn broadcast_transactions(&self, txs: &[&Transaction]) {
        self.0.borrow_mut().push(txs.iter().map(|tx| (*tx).clone()).collect());
    }
}

/// One fee rate for everything, in satoshi per 1000 weight units.
#[derive(Debug)]
pub(super) struct Fees(pub(super) Cell<u32>);

impl FeeEstimator for Fees {
    fn get_est_sat_per_1000_weight(&self, target: ConfirmationTarget) -> u32 {
        match target {
            ConfirmationTarget::MaximumFeeEstimate => self.0.get().saturating_mul(10).max(25_000),
            ConfirmationTarget::MinAllowedAnchorChannelRemoteFee
            | ConfirmationTarget::MinAllowedNonAnchorChannelRemoteFee => 253,
            _ => self.0.get(),
        }
    }
}

/// Monitors are read from the node itself when it restarts, so nothing has to be written.
#[derive(Debug)]
pub(super) struct Monitors;

impl Persist<InMemorySigner> for Monitors {
    fn persist_new_channel(
        &self,
        _: MonitorName,
        _: &ChannelMonitor<InMemorySigner>,
    ) -> ChannelMonitorUpdateStatus {
        ChannelMonitorUpdateStatus::Completed
    }

    fn update_persisted_channel(
        &self,
        _: MonitorName,
        _: Option<&ChannelMonitorUpdate>,
        _: &ChannelMonitor<InMemorySigner>,
    ) -> ChannelMonitorUpdateStatus {
        ChannelMonitorUpdateStatus::Completed
    }

    fn archive_persisted_channel(&self, _: MonitorName) {}
}

/// Payments come with their route, so none is ever looked for.
#[derive(Debug)]
pub(super) struct NoRouter;

impl Router for NoRouter {
    fn find_route(
        &self,
        _: &PublicKey,
        _: &RouteParameters,
        _: Option<&[&ChannelDetails]>,
        _: InFlightHtlcs,
    ) -> Result<Route, &'static str> {
        Err("this node looks for no routes")
    }

    fn create_blinded_payment_paths<T: Signing + Verification>(
        &self,
        _: PublicKey,
        _: Vec<ChannelDetails>,
        _: ReceiveTlvs,
        _: Option<u64>,
        _: &Secp256k1<T>,
    ) -> Result<Vec<BlindedPaymentPath>, ()> {
        Err(())
    }
}

/// What the node says about itself, for the trace of a failed test.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: RefCell<Vec<String>>,
    is_silent: Cell<bool>,
}

impl Log {
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    pub(super) fn silence(&self) {
        self.is_silent.set(true);
    }
}

impl Logger for Log {
    fn log(&self, record: Record<'_>) {
        if record.level >= Level::Debug && !self.is_silent.get() {
            self.lines.borrow_mut().push(format!("{:?} {}", record.level, record.args));
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) outgoing: Vec<u8>,
    pub(super) is_closed: bool,
}

/// One byte stream, as LDK sees it.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    pub(super) number: u64,
    pub(super) wire: Rc<RefCell<Wire>>,
}

impl PartialEq for Socket {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Socket {}

impl Hash for Socket {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl SocketDescriptor for Socket {
    fn send_data(&mut self, data: &[u8], _continue_read: bool) -> usize {
        self.wire.borrow_mut().outgoing.extend_from_slice(data);
        data.len()
    }

    fn disconnect_socket(&mut self) {
        self.wire.borrow_mut().is_closed = true;
    }
}
