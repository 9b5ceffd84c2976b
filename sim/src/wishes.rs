//! What owners most often want, in one call.

use crate::world::World;
use bitcoin::Amount;
use kite_core::invoice::Invoice;
use kite_core::node::{Answer, ChannelInfo, Command, Event, SendRequest};
use kite_core::types::{FeeratePerKw, MilliSatoshi, PaymentHash, PaymentId};

/// The wish for the n-th payment of an invoice, over no more than a direct channel.
pub(crate) fn request(number: u64, invoice: Invoice, msat: u64) -> SendRequest {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    SendRequest {
        id: PaymentId(id),
        invoice,
        amount: MilliSatoshi::from_msat(msat),
        max_fee: MilliSatoshi::ZERO,
        timeout_secs: 600,
        note: None,
    }
}

impl World {
    /// Asks for a channel of a million satoshi, and settles.
    pub fn open_channel(&mut self, by: usize, with: usize) {
        let node_id = self.node_id(with);
        let feerate = FeeratePerKw::from_sat_per_kw(500);
        self.ask(by, Command::OpenChannel { node_id, amount: Amount::from_sat(1_000_000), feerate });
        self.settle();
    }

    /// The first channel of a host with another.
    pub fn channel(&self, of: usize, with: usize) -> Option<ChannelInfo> {
        let node_id = self.node_id(with);
        self.node(of).channels().into_iter().find(|channel| channel.node_id == node_id)
    }

    /// Asks for an invoice, settles, and asks to pay it. It is not on its way yet.
    ///
    /// # Panics
    /// There is no invoice.
    pub fn ask_to_pay(&mut self, payer: usize, payee: usize, msat: u64) -> PaymentHash {
        let request = self.request(payee, msat);
        let payment_hash = request.invoice.payment_hash;
        self.ask(payer, Command::Send(Box::new(request)));
        payment_hash
    }

    /// Asks for an invoice, settles, and gives what it takes to pay it.
    ///
    /// # Panics
    /// There is no invoice.
    pub fn request(&mut self, payee: usize, msat: u64) -> SendRequest {
        let amount = MilliSatoshi::from_msat(msat);
        let make =
            Command::MakeInvoice { amount: Some(amount), description: "tea".into(), expiry_secs: 360_000 };
        let Some(Ok(Answer::Invoice { invoice, id, .. })) = self.command(payee, make) else {
            panic!("no invoice: {}", self.story())
        };
        SendRequest {
            // Both sides name it: the names must differ where one node is both.
            id: PaymentId(id.0.map(|byte| !byte)),
            invoice: Invoice::decode(&invoice).expect("our own invoices are valid"),
            amount,
            max_fee: MilliSatoshi::ZERO,
            timeout_secs: 60,
            note: None,
        }
    }

    /// Pays, settles, and tells whether the payer heard that it arrived.
    pub fn pay(&mut self, payer: usize, payee: usize, msat: u64) -> bool {
        let hash = self.ask_to_pay(payer, payee, msat);
        self.settle();
        let is_sent =
            |event: &Event| matches!(event, Event::PaymentSent { payment_hash, .. } if *payment_hash == hash);
        self.hosts[payer].events().any(is_sent)
    }
}
