//! Payments we make: from the owner's wish to the HTLC, and from its end to the next attempt or the outcome.

use super::attempt::{build_onion, read_failure};
use super::{Answer, CommandError, CommandId, Event, Node, SendRequest};
use crate::channel::{self, AddHtlc, ChannelError, Removal};
use crate::invoice::Invoice;
use crate::payment::{Attempt, FailureReason, Outgoing, OutgoingEvent, OutgoingState, PaymentRecord};
use crate::route::{Failed, FirstHop, Learnt, Lessons, Present, Route, RouteError, RouteRequest, find_route};
use crate::types::{HtlcId, Instant, MilliSatoshi, PaymentId, PaymentPreimage, ShortChannelId, UnixTime};
use bitcoin::blockdata::constants::ChainHash;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// More attempts than this are not made for one payment.
const MAX_ATTEMPTS: u32 = 25;

/// The last HTLC expires so many blocks later than it must, so that its distance does not name the payee (BOLT 7,
/// Recommendations for Routing: shadow route), and so that a payee that hears of blocks sooner than we do takes it.
const SHADOW_BLOCKS: RangeInclusive<u16> = 3..=42;

const OLD_TIP: &str =
    "the newest block that the chain server knows is hours old, and payments need the present height";

/// What a payment under way knows of its failed attempts.
#[derive(Debug, Default)]
pub(super) struct Search {
    lessons: Lessons,
    last_failure: LastFailure,
}

/// Where the last attempt failed and why, for the owner, in the terms of [`FailureReason::AllRoutesFailed`].
#[derive(Clone, Copy, Debug, Default)]
struct LastFailure {
    hop: u32,
    code: u16,
}

impl LastFailure {
    fn of(failed: &Failed<'_>) -> Self {
        let hop = failed.hop_index.and_then(|index| u32::try_from(index + 1).ok()).unwrap_or(0);
        Self { hop, code: failed.failure.failure_code() }
    }
}

impl Node {
    pub(super) fn send(&mut self, id: CommandId, request: SendRequest) {
        let answer = self.start_payment(request);
        self.answer(id, answer);
    }

    /// The payment is stored before anything of it leaves.
    fn start_payment(&mut self, request: SendRequest) -> Result<Answer, CommandError> {
        let hash = request.invoice.payment_hash;
        if self.onchain_payments.contains_key(&request.id) {
            return Err(CommandError::AlreadyPaid);
        }
        if self.payments.get(&request.id).is_some_and(|known| known.payment_hash() != hash) {
            return Err(CommandError::Refused { reason: "this id was used for another payment".into() });
        }
        let same_id = self.payments.contains_key(&request.id).then_some(&request.id);
        if let Some(known) = same_id.or(self.payment_ids.get(&hash)) {
            match &self.payments[known] {
                PaymentRecord::Incoming(_) => {
                    return Err(CommandError::Refused { reason: "this is your own invoice".into() });
                }
                PaymentRecord::Outgoing(known) if known.id == request.id => {
                    return Ok(Answer::Payment(known.id));
                }
                PaymentRecord::Outgoing(known) => match known.state {
                    OutgoingState::Sent { .. } => return Err(CommandError::AlreadyPaid),
                    OutgoingState::Pending | OutgoingState::InFlight(_) => {
                        return Err(CommandError::InFlight);
                    }
                    OutgoingState::Failed { .. } => {}
                },
            }
        }
        request.invoice.check_payable(self.config.network, self.now.unix)?;
        if request.invoice.payee == self.keys.node_id() {
            return Err(CommandError::Refused { reason: "this is your own invoice".into() });
        }
        check_amount(&request)?;
        let payment = Outgoing {
            id: request.id,
            payment_hash: hash,
            invoice: request.invoice.text.clone(),
            amount: request.amount,
            max_fee: request.max_fee,
            created: self.now.unix,
            give_up_at: UnixTime(self.now.unix.0.saturating_add(u64::from(request.timeout_secs))),
            attempts: 0,
            note: request.note,
            state: OutgoingState::Pending,
        };
        let id = payment.id;
        self.store_payment(PaymentRecord::Outgoing(payment));
        self.invoices.insert(id, request.invoice);
        self.payments_due = true;
        Ok(Answer::Payment(id))
    }

    /// Lets every payment that waits for a way look for one, or give up.
    pub(super) fn advance_payments(&mut self) {
        let now = self.now.unix;
        let waiting: Vec<Outgoing> = self
            .pending_payments()
            .filter(|payment| self.payments_due || payment.give_up_at <= now)
            .cloned()
            .collect();
        self.payments_due = false;
        for payment in waiting {
            self.advance_payment(&payment);
        }
    }

    pub(super) fn next_payment_deadline(&self) -> Option<Instant> {
        self.pending_payments()
            .map(|payment| self.now.mono.plus_secs(payment.give_up_at.0.saturating_sub(self.now.unix.0)))
            .min()
    }

    fn pending_payments(&self) -> impl Iterator<Item = &Outgoing> {
        self.pending.iter().filter_map(|id| self.outgoing(id))
    }

    fn advance_payment(&mut self, payment: &Outgoing) {
        let Some(invoice) = self.invoice_of(payment) else {
            return self
                .give_up(payment, FailureReason::NoRoute { detail: "the stored invoice is damaged".into() });
        };
        if invoice.would_expire(self.now.unix) {
            return self.give_up(payment, FailureReason::InvoiceExpired);
        }
        if payment.give_up_at <= self.now.unix {
            let reason = match self.is_tip_old() {
                true => FailureReason::NoRoute { detail: OLD_TIP.into() },
                false => FailureReason::TimedOut,
            };
            return self.give_up(payment, reason);
        }
        if !self.knows_height() {
            return;
        }
        match self.try_ways(payment, &invoice) {
            Ok(()) => {}
            // The channel may be back in a moment.
            Err(RouteError::NoUsableChannel { .. }) if self.awaits_channel() => {}
            Err(error) => {
                let reason = self.why_no_way(payment, error);
                self.give_up(payment, reason);
            }
        }
    }

    /// The invoice as it was verified when it came, or again after a start.
    fn invoice_of(&mut self, payment: &Outgoing) -> Option<Invoice> {
        if let Some(invoice) = self.invoices.get(&payment.id) {
            return Some(invoice.clone());
        }
        let invoice = Invoice::decode(&payment.invoice).ok()?;
        self.invoices.insert(payment.id, invoice.clone());
        Some(invoice)
    }

    /// Nothing more will be tried: what was kept for it is forgotten.
    fn forget_search(&mut self, id: &PaymentId) {
        self.searches.remove(id);
        self.invoices.remove(id);
    }

    /// Whether a channel that could carry payments has its peer away.
    fn awaits_channel(&self) -> bool {
        self.channels.values().any(|entry| {
            matches!(entry.channel.state, channel::State::Normal(_))
                && entry.channel.link != channel::Link::Online
        })
    }

    fn why_no_way(&self, payment: &Outgoing, error: RouteError) -> FailureReason {
        match error {
            RouteError::FeeTooHigh { cheapest, limit } => FailureReason::FeeTooHigh { cheapest, limit },
            _ if payment.attempts > 0 => self.all_routes_failed(payment),
            error => FailureReason::NoRoute { detail: error.to_string() },
        }
    }

    fn all_routes_failed(&self, payment: &Outgoing) -> FailureReason {
        // Nothing of it is known after a start.
        let LastFailure { hop, code } =
            self.searches.get(&payment.id).map(|search| search.last_failure).unwrap_or_default();
        FailureReason::AllRoutesFailed { attempts: payment.attempts, hop, code }
    }

    /// Finds a way and offers the HTLC; a channel that refuses it is left out, and the next way is tried.
    fn try_ways(&mut self, payment: &Outgoing, invoice: &Invoice) -> Result<(), RouteError> {
        let mut first_hops = self.first_hops();
        let shadow = self.shadow_cltv_offset();
        loop {
            let route =
                self.route(&first_hops, payment.id, invoice, payment.amount, payment.max_fee, shadow)?;
            match self.attempt(payment, invoice, &route) {
                Ok(()) => return Ok(()),
                Err(_) => first_hops.retain(|hop| hop.channel != route.first_hop),
            }
        }
    }

    fn shadow_cltv_offset(&mut self) -> u16 {
        let (least, most) = SHADOW_BLOCKS.into_inner();
        least + u16::from_be_bytes(self.entropy.bytes()) % (most - least + 1)
    }

    /// The channels that can carry a payment now.
    pub(super) fn first_hops(&self) -> Vec<FirstHop> {
        self.channels
            .iter()
            .filter(|(_, entry)| entry.channel.is_usable())
            .filter_map(|(index, entry)| {
                let commitments = entry.channel.commitments()?;
                Some(FirstHop {
                    channel: *index,
                    short_channel_id: commitments.funding.short_channel_id?,
                    peer: entry.node_id,
                    max_htlc: entry.channel.sendable(),
                    min_htlc: commitments.params.remote.htlc_minimum,
                })
            })
            .collect()
    }

    pub(super) fn route(
        &self,
        first_hops: &[FirstHop],
        id: PaymentId,
        invoice: &Invoice,
        amount: MilliSatoshi,
        max_fee: MilliSatoshi,
        shadow_cltv_offset: u16,
    ) -> Result<Route, RouteError> {
        let none = Lessons::default();
        let request = RouteRequest {
            payee: invoice.payee,
            amount,
            max_fee,
            final_cltv_expiry_delta: invoice.min_final_cltv_expiry_delta.0,
            height: self.height(),
            shadow_cltv_offset,
            route_hints: &invoice.route_hints,
            lessons: self.searches.get(&id).map_or(&none, |search| &search.lessons),
            max_cltv: crate::route::DEFAULT_MAX_CLTV,
            max_hops: crate::route::DEFAULT_MAX_HOPS,
        };
        find_route(&self.graph, first_hops, &request)
    }

    /// The payment's record and the channel's step enter one batch (contract P6).
    fn attempt(&mut self, payment: &Outgoing, invoice: &Invoice, route: &Route) -> Result<(), ChannelError> {
        let Some(entry) = self.channels.get(&route.first_hop) else { return Ok(()) };
        let Some(commitments) = entry.channel.commitments() else { return Ok(()) };
        let Some(attempt) = Attempt::of(route, commitments.local_next_htlc_id) else { return Ok(()) };
        // A route of at most 20 hops fits; one that does not is left out like a channel that refuses.
        let Some((packet, _)) = build_onion(&self.keys, entry.node_id, &attempt, invoice) else {
            return Err(channel::Refusal::NothingToSign.into());
        };
        let add = AddHtlc {
            origin: payment.id,
            amount: attempt.sent,
            payment_hash: payment.payment_hash,
            cltv_expiry: attempt.cltv_expiry,
            onion: Arc::from(packet),
        };
        self.step(route.first_hop, channel::Command::AddHtlc(add))?;
        self.payment_event(payment.id, OutgoingEvent::Attempted(attempt));
        Ok(())
    }

    /// After a start: the onions of HTLCs that may have to be offered again. Nothing is stored of them but what they are
    /// made of. One that cannot be built stops its own channel, once it is to be sent, and nothing else.
    pub(super) fn rebuild_onions(&mut self) {
        let undelivered: Vec<(Outgoing, Attempt)> = self
            .payments
            .values()
            .filter_map(|payment| match payment {
                PaymentRecord::Outgoing(payment) => Some(payment),
                PaymentRecord::Incoming(_) => None,
            })
            .filter_map(|payment| match &payment.state {
                OutgoingState::InFlight(attempt) => Some((payment, attempt)),
                _ => None,
            })
            .filter(|(_, attempt)| {
                let entry = self.channels.get(&attempt.channel);
                entry.is_some_and(|entry| entry.channel.needs_onion(attempt.htlc_id))
            })
            .map(|(payment, attempt)| (payment.clone(), attempt.clone()))
            .collect();
        for (payment, attempt) in undelivered {
            let invoice = self.invoice_of(&payment);
            let Some(entry) = self.channels.get_mut(&attempt.channel) else { continue };
            let onion = invoice.and_then(|it| build_onion(&self.keys, entry.node_id, &attempt, &it));
            if let Some((packet, _)) = onion {
                entry.channel.attach_onion(attempt.htlc_id, Arc::from(packet));
            }
        }
    }

    /// The preimage of an HTLC of ours is known. May be told more than once.
    pub(super) fn payment_settled(
        &mut self,
        index: u32,
        id: PaymentId,
        htlc_id: HtlcId,
        preimage: PaymentPreimage,
    ) {
        if !self.outgoing(&id).is_some_and(|payment| payment.is_attempt(index, htlc_id)) {
            return;
        }
        self.payment_event(id, OutgoingEvent::Settled { preimage, at: self.now.unix });
        self.forget_search(&id);
        if let Some(Outgoing { payment_hash, state: OutgoingState::Sent { fee, .. }, .. }) =
            self.outgoing(&id)
        {
            let (payment_hash, fee) = (*payment_hash, *fee);
            self.emit(Event::PaymentSent { id, payment_hash, preimage, fee });
        }
    }

    /// An HTLC of ours is gone for ever and was not paid.
    pub(super) fn attempt_failed(&mut self, index: u32, id: PaymentId, htlc_id: HtlcId, reason: &Removal) {
        let Some(payment) = self.outgoing(&id).filter(|payment| payment.is_attempt(index, htlc_id)).cloned()
        else {
            return;
        };
        let OutgoingState::InFlight(attempt) = &payment.state else { return };
        let invoice = self.invoice_of(&payment);
        let Some(entry) = self.channels.get(&index) else { return };
        let (hop_index, failure) = read_failure(&self.keys, entry.node_id, attempt, invoice.as_ref(), reason);
        let first = entry.channel.commitments().and_then(|commitments| commitments.funding.short_channel_id);
        let hops = attempt.hops(entry.node_id, first.unwrap_or(ShortChannelId(0)));
        let final_cltv_expiry_delta = invoice.map_or(0, |invoice| invoice.min_final_cltv_expiry_delta.0);
        let failed = Failed { hops: &hops, hop_index, failure: &failure, final_cltv_expiry_delta };
        let chain_hash = ChainHash::using_genesis_block_const(self.config.network);
        let present = Present { graph: &self.graph, chain_hash, now: self.now.unix, height: self.height() };
        let search = self.searches.entry(id).or_default();
        search.last_failure = LastFailure::of(&failed);
        let learnt = search.lessons.learn(failed, present);
        match learnt {
            Learnt::PayeeRefused => self.give_up(&payment, FailureReason::RecipientRefused),
            Learnt::Final => {
                self.give_up(&payment, FailureReason::RecipientError { code: failure.failure_code() });
            }
            Learnt::Retry if payment.attempts >= MAX_ATTEMPTS => {
                let reason = self.all_routes_failed(&payment);
                self.give_up(&payment, reason);
            }
            Learnt::Retry => {
                self.payment_event(id, OutgoingEvent::AttemptFailed);
                self.payments_due = true;
            }
        }
    }

    /// The HTLC was taken back before it was in any commitment, or the chain gave it back: another way may be tried.
    pub(super) fn attempt_came_to_nothing(&mut self, index: u32, id: PaymentId, htlc_id: HtlcId) {
        if self.outgoing(&id).is_some_and(|payment| payment.is_attempt(index, htlc_id)) {
            self.payment_event(id, OutgoingEvent::AttemptFailed);
            self.payments_due = true;
        }
    }

    fn give_up(&mut self, payment: &Outgoing, reason: FailureReason) {
        let (id, payment_hash) = (payment.id, payment.payment_hash);
        self.payment_event(id, OutgoingEvent::GaveUp { reason: reason.clone(), at: self.now.unix });
        self.forget_search(&id);
        self.emit(Event::PaymentFailed { id, payment_hash, reason });
    }

    fn outgoing(&self, id: &PaymentId) -> Option<&Outgoing> {
        match self.payments.get(id) {
            Some(PaymentRecord::Outgoing(payment)) => Some(payment),
            Some(PaymentRecord::Incoming(_)) | None => None,
        }
    }

    /// A step that the table does not have changes nothing: the payment stays as it is.
    fn payment_event(&mut self, id: PaymentId, event: OutgoingEvent) {
        if let Some(Ok(next)) = self.outgoing(&id).map(|payment| payment.after(event)) {
            self.store_payment(PaymentRecord::Outgoing(next));
        }
    }
}

/// BOLT 11: pay what is asked, and at most twice that.
fn check_amount(request: &SendRequest) -> Result<(), CommandError> {
    let asked = request.amount;
    let refuse = |reason| Err(CommandError::Amount { asked, reason });
    match request.invoice.amount {
        _ if asked == MilliSatoshi::ZERO => refuse("it is nothing"),
        Some(amount) if asked < amount => refuse("the invoice asks for more"),
        Some(amount) if asked > amount.saturating_add(amount) => {
            refuse("it is more than twice what the invoice asks for")
        }
        _ => Ok(()),
    }
}
