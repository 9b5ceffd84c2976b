//! The reference model: what the owners wished, what they were told, and what they must therefore have.

use super::demands::Demand;
use crate::host::Host;
use crate::wishes::request;
use crate::world::World;
use bitcoin::{Amount, Network, OutPoint};
use kite_core::invoice::{Description, Invoice, InvoiceBuilder};
use kite_core::node::{Answer, ChannelInfo, Command, CommandId, Event, SendRequest};
use kite_core::payment::{IncomingState, OutgoingState, PaymentRecord};
use kite_core::types::{
    ChannelId, MilliSatoshi, Now, PaymentHash, PaymentId, PaymentPreimage, PaymentSecret,
};
use std::collections::{BTreeMap, BTreeSet};

/// A payment that an owner wished for.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) payer: usize,
    pub(super) payee: usize,
    pub(super) request: SendRequest,
    /// The payee has forgotten the invoice.
    pub(super) must_fail: bool,
    /// Our question, as long as it may be answered.
    question: CommandId,
}

/// A channel that was funded, or is about to be.
#[derive(Clone, Debug)]
pub(super) struct Funded {
    pub(super) opener: usize,
    pub(super) outpoint: OutPoint,
    pub(super) capacity: Amount,
}

/// What the owners know.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    /// The coins that each wallet was given.
    pub(super) given: [Amount; 2],
    pub(super) wishes: Vec<Wish>,
    /// Every channel that either wallet ever showed.
    pub(super) channels: BTreeMap<ChannelId, Funded>,
    /// Invoices that were shown, by payee.
    pub(super) invoices: Vec<(usize, PaymentId)>,
    /// What asked for the end of a channel by one side alone.
    demands: BTreeMap<ChannelId, BTreeSet<Demand>>,
    /// The HTLCs that channels ever had, by their hashes.
    htlcs: BTreeSet<(PaymentHash, ChannelId)>,
    next_payment: u64,
}

impl Ledger {
    pub(super) fn new(given: [Amount; 2]) -> Self {
        Self {
            given,
            wishes: Vec::new(),
            channels: BTreeMap::new(),
            invoices: Vec::new(),
            demands: BTreeMap::new(),
            htlcs: BTreeSet::new(),
            next_payment: 0,
        }
    }

    /// Notes the HTLCs that a store has.
    pub(super) fn note_htlcs(&mut self, stored: &BTreeSet<(PaymentHash, ChannelId)>) {
        self.htlcs.extend(stored);
    }

    /// The channels that ever had an HTLC with this hash.
    pub(super) fn carriers(&self, hash: PaymentHash) -> impl Iterator<Item = &Funded> {
        let all = (hash, ChannelId([0; 32]))..=(hash, ChannelId([0xff; 32]));
        self.htlcs.range(all).filter_map(|(_, id)| self.channels.get(id))
    }

    /// Something asks for the end of a channel.
    pub(super) fn demand(&mut self, id: ChannelId, demand: Demand) {
        self.demands.entry(id).or_default().insert(demand);
    }

    /// What asked for the end of a channel.
    pub(super) fn demands_of(&self, id: &ChannelId) -> BTreeSet<Demand> {
        self.demands.get(id).cloned().unwrap_or_default()
    }

    /// Whether no channel has a reason to end by one side alone.
    pub(super) fn has_no_demand(&self) -> bool {
        self.demands.is_empty()
    }

    /// Wishes for a payment, if the payee can make an invoice now.
    pub(super) fn pay(&mut self, world: &mut World, payer: usize, msat: u64, is_remembered: bool) {
        let payee = 1 - payer;
        if msat == 0 || world.hosts[payer].node().is_none() || world.hosts[payer].halted().is_some() {
            return;
        }
        let invoice = match is_remembered {
            true => self.invoice(world, payee, msat),
            false => self.forgotten_invoice(world, payee, msat),
        };
        if let Some(invoice) = invoice {
            self.send(world, payer, invoice, msat, !is_remembered);
        }
    }

    /// Wishes to pay the last invoice again, under another name.
    pub(super) fn pay_again(&mut self, world: &mut World, payer: usize) {
        if let Some(wish) = self.wishes.iter().rfind(|wish| wish.payer == payer).cloned() {
            let msat = wish.request.amount.to_msat();
            self.send(world, payer, wish.request.invoice, msat, wish.must_fail);
        }
    }

    /// Asks for the last payment again, under the same name.
    pub(super) fn repeat(&mut self, world: &mut World, payer: usize) {
        if let Some(wish) = self.wishes.iter_mut().rfind(|wish| wish.payer == payer) {
            wish.ask(world);
        }
    }

    /// Owners whose app was gone look, and ask again for what is not there.
    pub(super) fn wish_again(&mut self, world: &mut World) {
        for wish in &mut self.wishes {
            let is_known =
                world.hosts[wish.payer].node().is_none_or(|node| node.payment(&wish.request.id).is_some());
            if !is_known {
                wish.ask(world);
            }
        }
    }

    fn send(&mut self, world: &mut World, payer: usize, invoice: Invoice, msat: u64, must_fail: bool) {
        self.next_payment += 1;
        let request = request(self.next_payment, invoice, msat);
        let mut wish = Wish { payer, payee: 1 - payer, request, must_fail, question: CommandId(0) };
        wish.ask(world);
        self.wishes.push(wish);
    }

    fn invoice(&mut self, world: &mut World, payee: usize, msat: u64) -> Option<Invoice> {
        let now = world.now();
        let (id, invoice) = show_invoice(&mut world.hosts[payee], now, msat)?;
        self.invoices.push((payee, id));
        Some(invoice)
    }

    /// The payee's keys make it, and the payee never hears of it.
    fn forgotten_invoice(&self, world: &World, payee: usize, msat: u64) -> Option<Invoice> {
        let mut preimage = [0xaa; 32];
        preimage[..8].copy_from_slice(&self.next_payment.to_be_bytes());
        let hash = PaymentPreimage(preimage).payment_hash();
        let description = Description::Text("sim".into());
        let builder = InvoiceBuilder::new(Network::Regtest, hash, PaymentSecret([7; 32]), description);
        let amount = MilliSatoshi::from_msat(msat);
        builder.amount(amount).sign(world.hosts[payee].keys().node_secret(), world.now().unix).ok()
    }

    /// Forgets wishes that were refused: there is no such payment.
    pub(super) fn forget_refused(&mut self, world: &World) {
        self.wishes.retain(|wish| {
            let host = &world.hosts[wish.payer];
            let is_refused = matches!(host.answer(wish.question), Some(Err(_)));
            !is_refused || host.node().is_none_or(|node| node.payment(&wish.request.id).is_some())
        });
    }

    /// Notes every channel that a wallet shows and whose funding transaction was published.
    pub(super) fn note_channels(&mut self, world: &World, host: usize, channels: &[ChannelInfo]) {
        for channel in channels {
            let Some(txid) =
                channel.funding_txid.filter(|_| !self.channels.contains_key(&channel.channel_id))
            else {
                continue;
            };
            let Some(tx) = world.chain.transaction(&txid) else { continue };
            let outpoints = (0..).zip(&tx.output).map(|(vout, _)| OutPoint { txid, vout });
            for outpoint in outpoints {
                if ChannelId::from_funding(outpoint) == channel.channel_id {
                    let opener = if channel.is_opener { host } else { 1 - host };
                    let funded = Funded { opener, outpoint, capacity: channel.capacity };
                    self.channels.insert(channel.channel_id, funded);
                }
            }
        }
    }

    /// How many payments arrived.
    pub(super) fn paid(&self, world: &World) -> usize {
        self.wishes.iter().filter(|wish| wish.state(world).is_some_and(is_sent)).count()
    }

    /// What a wallet was paid and what it paid, as its own records have it.
    pub(super) fn payments_of(&self, world: &World, host: usize) -> (u64, u64) {
        let (mut received, mut sent) = (0, 0);
        for payment in world.hosts[host].node().into_iter().flat_map(|node| node.payments()) {
            match payment {
                PaymentRecord::Outgoing(payment) if is_sent(&payment.state) => {
                    sent += payment.amount.to_msat()
                }
                PaymentRecord::Incoming(payment) => {
                    if let IncomingState::Received { amount, .. } = payment.state {
                        received += amount.to_msat();
                    }
                }
                PaymentRecord::Outgoing(_) => {}
            }
        }
        (received, sent)
    }
}

impl Wish {
    fn ask(&mut self, world: &mut World) {
        let now = world.now();
        let command = Command::Send(Box::new(self.request.clone()));
        self.question = world.hosts[self.payer].command(now, command);
    }

    pub(super) fn hash(&self) -> PaymentHash {
        self.request.invoice.payment_hash
    }

    /// Where it stands with the payer, if the payer runs and knows it.
    pub(super) fn state<'a>(&self, world: &'a World) -> Option<&'a OutgoingState> {
        match world.hosts[self.payer].node()?.payment(&self.request.id)? {
            PaymentRecord::Outgoing(payment) => Some(&payment.state),
            PaymentRecord::Incoming(_) => None,
        }
    }

    /// What the payee has of it.
    pub(super) fn received(&self, world: &World) -> Option<u64> {
        match world.hosts[self.payee].node()?.payment_by_hash(&self.hash())? {
            PaymentRecord::Incoming(payment) => match payment.state {
                IncomingState::Received { amount, .. } => Some(amount.to_msat()),
                IncomingState::Expecting => None,
            },
            PaymentRecord::Outgoing(_) => None,
        }
    }

    /// How many times the payer was told that it was sent, that it failed, and the payee that it was received.
    pub(super) fn told(&self, world: &World) -> (usize, usize, usize) {
        let count = |host: usize, is: &dyn Fn(&Event) -> bool| {
            world.hosts[host].events().filter(|event| is(event)).count()
        };
        let (wished, hash) = (self.request.id, self.hash());
        (
            count(self.payer, &|event| matches!(event, Event::PaymentSent { id, .. } if *id == wished)),
            count(self.payer, &|event| matches!(event, Event::PaymentFailed { id, .. } if *id == wished)),
            count(
                self.payee,
                &|event| matches!(event, Event::PaymentReceived { payment_hash, .. } if *payment_hash == hash),
            ),
        )
    }
}

pub(super) const fn is_sent(state: &OutgoingState) -> bool {
    matches!(state, OutgoingState::Sent { .. })
}

pub(super) const fn is_failed(state: &OutgoingState) -> bool {
    matches!(state, OutgoingState::Failed { .. })
}

/// An invoice of a device, if it can make one now.
pub(super) fn show_invoice(host: &mut Host, now: Now, msat: u64) -> Option<(PaymentId, Invoice)> {
    let amount = Some(MilliSatoshi::from_msat(msat));
    let make = Command::MakeInvoice { amount, description: "sim".into(), expiry_secs: 360_000 };
    let question = host.command(now, make);
    while host.answer(question).is_none() && host.acknowledge(now) {}
    let Some(Ok(Answer::Invoice { invoice, id, .. })) = host.answer(question).cloned() else { return None };
    Some((id, Invoice::decode(&invoice).expect("our own invoices are valid")))
}
