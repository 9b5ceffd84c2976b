//! A start from what the node wrote.

use super::{LdkPeer, NoRouter, config, peers, watchtower};
use bitcoin::BlockHash;
use lightning::chain::channelmonitor::ChannelMonitor;
use lightning::io::Cursor;
use lightning::ln::channelmanager::ChannelManagerReadArgs;
use lightning::onion_message::messenger::NullMessageRouter;
use lightning::sign::{InMemorySigner, KeysManager};
use lightning::types::payment::{PaymentHash, PaymentPreimage};
use lightning::util::ser::{ReadableArgs, Writeable};
use std::rc::Rc;

/// All that a node needs to start.
#[derive(Clone, Debug)]
pub struct Written {
    channels: Vec<u8>,
    monitors: Vec<Vec<u8>>,
    held: Vec<(PaymentHash, PaymentPreimage)>,
}

impl LdkPeer {
    /// Writes the channels down.
    pub(super) fn store(&mut self) {
        self.stored_channels = self.channels.encode();
    }

    /// What the node would find on its disk now.
    pub fn written(&mut self) -> Written {
        if self.stored_channels.is_empty() || self.channels.get_and_clear_needs_persistence() {
            self.store();
        }
        let monitors = self.watchtower.list_monitors().into_iter();
        let monitors = monitors.map(|id| self.watchtower.get_monitor(id).expect("it is listed").encode());
        let (channels, monitors) = (self.stored_channels.clone(), monitors.collect());
        Written { channels, monitors, held: self.held.clone() }
    }

    /// Ends the node and starts it again. Every connection is gone; follow with [`LdkPeer::settle`].
    pub fn restart(&mut self) {
        let written = self.written();
        self.start_from(&written);
    }

    /// Ends the node and starts it from what it wrote.
    pub fn start_from(&mut self, written: &Written) {
        self.starts += 1;
        self.sockets.clear();
        self.held.clone_from(&written.held);
        self.keys = Rc::new(KeysManager::new(&[self.seed; 32], u64::from(self.seed), self.starts, true));
        self.watchtower = watchtower(&self.keys, &self.broadcasts, &self.fees, &self.log);
        let monitors: Vec<ChannelMonitor<InMemorySigner>> = written
            .monitors
            .iter()
            .map(|bytes| {
                let keys = (self.keys.as_ref(), self.keys.as_ref());
                let (_, monitor) =
                    <(BlockHash, ChannelMonitor<InMemorySigner>)>::read(&mut Cursor::new(bytes), keys)
                        .expect("it was just written");
                monitor
            })
            .collect();
        let args = ChannelManagerReadArgs::new(
            self.keys.clone(),
            self.keys.clone(),
            self.keys.clone(),
            self.fees.clone(),
            self.watchtower.clone(),
            self.broadcasts.clone(),
            Rc::new(NoRouter),
            Rc::new(NullMessageRouter {}),
            self.log.clone(),
            config(),
            monitors.iter().collect(),
        );
        let mut bytes = Cursor::new(&written.channels);
        let (_, channels) =
            <(BlockHash, super::Channels)>::read(&mut bytes, args).expect("it was just written");
        self.channels = Rc::new(channels);
        for monitor in monitors {
            let id = monitor.channel_id();
            self.watchtower.load_existing_monitor(id, monitor).expect("each is loaded once");
        }
        self.peers = peers(&self.channels, &self.keys, &self.log, self.seed, self.starts);
    }
}
