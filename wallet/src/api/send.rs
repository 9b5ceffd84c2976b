//! Paying: first a quote, then the payment.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::channels::parse_sat;
use super::parse::{OnchainTarget, Payable, parse_payable};
use super::receive::parse_msat;
use super::{Direction, Payment, PaymentStatus, Wallet, WalletError};
use bitcoin::Amount;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::DisplayHex;
use futures::future::select;
use kite_api::api;
use kite_core::chain::Urgency;
use kite_core::coins::Fee;
use kite_core::invoice::Invoice;
use kite_core::node::{self, Command, Node};
use kite_core::payment::{OutgoingState, PaymentRecord};
use kite_core::route::RouteError;
use kite_core::types::{Instant, MAX_MONEY_SAT, MilliSatoshi, PaymentId};

/// A payment to be made.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendRequest {
    /// What to pay: an invoice, an address, or a link with them.
    pub input: String,
    /// What is to arrive, in millisatoshi; unset if the input says it.
    pub amount_msat: Option<u64>,
    /// The most that may be paid on top over Lightning, in millisatoshi; unset: one percent, and no less than 10 000.
    pub max_fee_msat: Option<u64>,
    /// How long to look for a route, in seconds (1 to 3600); unset: 60. What is under way by then still counts.
    pub timeout_secs: Option<u32>,
    /// A name that the app gives this payment, at most 256 bytes. The same one never pays twice, whichever way it goes.
    /// Unset: the quote gets a new one.
    pub idempotency_key: Option<String>,
    /// Kept with the payment for the owner, at most 1000 bytes; unset: nothing.
    pub note: Option<String>,
}

/// What a payment would cost, and what [`Wallet::send`] needs to make it.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What will be paid: an invoice or an address.
    pub input: String,
    /// How it will be paid.
    pub kind: QuoteKind,
    /// What is to arrive, in millisatoshi.
    pub amount_msat: u64,
    /// What it would cost on top as things are now, in millisatoshi.
    pub fee_estimate_msat: u64,
    /// The most that may be paid on top, in millisatoshi. On-chain this is paid, no more and no less.
    pub max_fee_msat: u64,
    /// The least that this input can be paid with, in millisatoshi.
    pub min_amount_msat: u64,
    /// The most that this input can be paid with from this wallet now, in millisatoshi.
    pub max_amount_msat: u64,
    /// What it is for; unset if nothing says so.
    pub description: Option<String>,
    /// The node that is paid; unset on-chain.
    pub payee: Option<String>,
    /// Until when it can be paid, in seconds since 1970; unset on-chain.
    pub expires_at_secs: Option<u64>,
    /// How many nodes it would go through, the payee included; unset on-chain.
    pub hops: Option<u32>,
    /// The hash that is paid to; unset on-chain.
    pub payment_hash: Option<String>,
    /// The name of this payment: sending this quote again does not pay again.
    pub idempotency_key: String,
    /// How long to look for a route, in seconds.
    pub timeout_secs: u32,
    /// Kept with the payment for the owner; unset: nothing.
    pub note: Option<String>,
}

/// How a quote will be paid.
#[api(enumeration)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteKind {
    /// Over Lightning.
    Lightning,
    /// By a transaction.
    Onchain,
}

const DEFAULT_TIMEOUT_SECS: u32 = 60;

#[api]
impl Wallet {
    /// What a payment would cost. Nothing is sent and nothing is stored. A link with an invoice and an address is paid over
    /// Lightning where that is possible, else on-chain. For a name that was given to a payment of this before, what that one
    /// pays: [`Wallet::send`] gives it again.
    ///
    /// # Errors
    /// `InvalidInput`, `InvalidInvoice`, `InvoiceExpired`, `WrongNetwork`, `AmountRequired`, `AmountOutOfRange`,
    /// `InsufficientFunds`, `NoRoute`, `FeeTooHigh`, `AlreadyPaid`, `InFlight`.
    pub async fn prepare_send(&self, request: SendRequest) -> Result<Quote, WalletError> {
        let terms = Terms::new(&request, self.platform.entropy.as_ref())?;
        match parse_payable(&request.input, self.network)? {
            Payable::Onchain(target) => self.quote_onchain(&target, terms).await,
            Payable::Lightning { fallback: Some(target), .. }
                if self.paid_onchain(&terms).await?.is_some() =>
            {
                self.quote_onchain(&target, terms).await
            }
            Payable::Lightning { invoice, fallback } => {
                let quote = self.quote_lightning(*invoice, terms.clone()).await;
                match (quote, fallback) {
                    (Err(error), Some(target)) if leaves_fallback(&error) => {
                        // Why Lightning did not work says more than why the fallback did not either.
                        self.quote_onchain(&target, terms).await.map_err(|_| error)
                    }
                    (quote, _) => quote,
                }
            }
        }
    }

    /// Makes a payment. It returns as soon as the payment is stored; events and [`Wallet::wait_payment`] tell the outcome.
    /// Sending the same quote again gives the same payment.
    ///
    /// # Errors
    /// What [`Wallet::prepare_send`] can fail with, and `NotSynced`.
    pub async fn send(&self, quote: Quote) -> Result<Payment, WalletError> {
        match quote.kind {
            QuoteKind::Lightning => self.send_lightning(quote).await,
            QuoteKind::Onchain => self.send_quoted_onchain(quote).await,
        }
    }

    /// Waits until a payment has arrived, failed or expired.
    ///
    /// # Errors
    /// `NotFound`; `Timeout` if it is still under way after so many seconds.
    pub async fn wait_payment(&self, id: String, timeout_secs: u32) -> Result<Payment, WalletError> {
        let clock = self.platform.clock.clone();
        let deadline = clock.now().mono.plus_secs(timeout_secs.into());
        loop {
            let version = self.handle.notices.version();
            let payment = self.get_payment(id.clone()).await?;
            if !matches!(payment.status, PaymentStatus::Pending | PaymentStatus::InFlight) {
                return Ok(payment);
            }
            if clock.now().mono >= deadline {
                return Err(WalletError::Timeout);
            }
            let changed = std::pin::pin!(self.handle.notices.changed_since(version));
            // Nothing tells that an invoice expires: the clock does.
            let expiry = clock.sleep_until(deadline.min(self.expiry(&payment)));
            select(changed, expiry).await;
        }
    }
}

impl Wallet {
    /// When an invoice of ours expires that waits to be paid; the end of time for all other payments.
    fn expiry(&self, payment: &Payment) -> Instant {
        let awaited = payment.direction == Direction::Incoming && payment.status == PaymentStatus::Pending;
        let invoice = payment.invoice.as_ref().filter(|_| awaited);
        let Some(invoice) = invoice.and_then(|text| Invoice::decode(text).ok()) else {
            return Instant(u64::MAX);
        };
        let now = self.platform.clock.now();
        now.mono.plus_secs(invoice.expires_at().0.saturating_sub(now.unix.0))
    }

    async fn quote_lightning(&self, invoice: Invoice, terms: Terms) -> Result<Quote, WalletError> {
        let (network, now) = (self.network, self.platform.clock.now().unix);
        if invoice.payee == self.own_node_id() {
            return Err(WalletError::Refused { reason: "this is your own invoice".into() });
        }
        self.ask(move |node| {
            // Also what has expired since: a link would be paid on-chain as well.
            if let Some(quote) = made_before(node, &invoice, &terms) {
                return Ok(quote);
            }
            not_paid_yet(node, &invoice, &terms)?;
            invoice.check_payable(network, now)?;
            lightning_quote(node, invoice, &terms)
        })
        .await?
    }

    async fn send_lightning(&self, quote: Quote) -> Result<Payment, WalletError> {
        let Payable::Lightning { invoice, .. } = parse_payable(&quote.input, self.network)? else {
            return Err(WalletError::invalid("quote", "its input is not an invoice"));
        };
        let id = payment_id(&quote.idempotency_key);
        let hash = invoice.payment_hash;
        let request = node::SendRequest {
            id,
            amount: parse_msat("amount_msat", quote.amount_msat)?,
            max_fee: MilliSatoshi::try_from_msat(quote.max_fee_msat)
                .map_err(|error| WalletError::invalid("max_fee_msat", error))?,
            timeout_secs: quote.timeout_secs,
            note: quote.note,
            invoice: *invoice,
        };
        match self.command(Command::Send(Box::new(request))).await {
            Ok(_) => self.get_payment(id.to_string()).await,
            Err(error @ (WalletError::AlreadyPaid { .. } | WalletError::InFlight { .. })) => {
                let known = move |node: &Node| match node.onchain_payment(&id) {
                    Some(txid) => txid.to_string(),
                    None => node.payment_by_hash(&hash).map_or(id, PaymentRecord::id).to_string(),
                };
                Err(error.of_payment(&self.ask(known).await?))
            }
            Err(error) => Err(error),
        }
    }

    /// What was paid on-chain under this name; unset if nothing was.
    async fn paid_onchain(&self, terms: &Terms) -> Result<Option<PaidOnchain>, WalletError> {
        let id = payment_id(&terms.idempotency_key);
        self.ask(move |node| PaidOnchain::named(node, &id)).await
    }

    async fn quote_onchain(&self, target: &OnchainTarget, terms: Terms) -> Result<Quote, WalletError> {
        if let Some(PaidOnchain { amount, fee }) = self.paid_onchain(&terms).await? {
            // The coins that paid it are gone, and none are needed.
            return Ok(onchain_quote(target, terms, amount, fee, (amount, amount)));
        }
        let asked = terms.amount.map(MilliSatoshi::to_amount_ceil);
        let amount = asked.or(target.amount).ok_or(WalletError::AmountRequired)?;
        let minimum = target.address.script_pubkey().minimal_non_dust();
        let id = payment_id(&terms.idempotency_key);
        if amount < minimum || amount > Amount::MAX_MONEY {
            return Err(WalletError::AmountOutOfRange {
                min_msat: msat(minimum),
                max_msat: MAX_MONEY_SAT * 1_000,
            });
        }
        let script_pubkey = target.address.script_pubkey();
        let (fee, most) = self
            .ask(move |node| {
                not_paid_over_lightning(node.payment(&id))?;
                let rate = node.fee_rates().at(Urgency::Normal);
                let fee = node.onchain_cost(&script_pubkey, amount, rate)?;
                Ok::<_, WalletError>((fee, node.most_onchain(&script_pubkey, rate)?))
            })
            .await??;
        Ok(onchain_quote(target, terms, amount, fee, (minimum, most)))
    }

    /// What the chain server says of fees meanwhile does not count: the owner agreed to the quote.
    async fn send_quoted_onchain(&self, quote: Quote) -> Result<Payment, WalletError> {
        let fee = Fee::Exact(parse_sat("max_fee_msat", quote.max_fee_msat / 1_000)?);
        let amount_sat = Some(quote.amount_msat.div_ceil(1_000));
        self.pay_onchain(&quote.input, amount_sat, fee, Some(&quote.idempotency_key)).await
    }
}

/// What the request asks for, checked.
#[derive(Clone, Debug)]
struct Terms {
    amount: Option<MilliSatoshi>,
    max_fee: Option<MilliSatoshi>,
    timeout_secs: u32,
    idempotency_key: String,
    note: Option<String>,
}

impl Terms {
    fn new(request: &SendRequest, entropy: &dyn crate::platform::Entropy) -> Result<Self, WalletError> {
        let timeout_secs = request.timeout_secs.unwrap_or(DEFAULT_TIMEOUT_SECS);
        if !(1..=3_600).contains(&timeout_secs) {
            return Err(WalletError::invalid("timeout_secs", "must be between 1 and 3600"));
        }
        if request.note.as_ref().is_some_and(|note| note.len() > 1_000) {
            return Err(WalletError::invalid("note", "must not be longer than 1000 bytes"));
        }
        let idempotency_key = idempotency_key(request.idempotency_key.as_deref(), entropy)?;
        let max_fee = request.max_fee_msat.map(MilliSatoshi::try_from_msat).transpose();
        Ok(Self {
            amount: request.amount_msat.map(|msat| parse_msat("amount_msat", msat)).transpose()?,
            max_fee: max_fee.map_err(|error| WalletError::invalid("max_fee_msat", error))?,
            timeout_secs,
            idempotency_key,
            note: request.note.clone(),
        })
    }
}

/// What a transaction of ours paid to others.
#[derive(Clone, Copy, Debug)]
struct PaidOnchain {
    amount: Amount,
    fee: Amount,
}

impl PaidOnchain {
    fn named(node: &Node, id: &PaymentId) -> Option<Self> {
        let txid = node.onchain_payment(id)?;
        let made = node.onchain_transactions().into_iter().find(|made| made.txid == txid);
        let fee = made.as_ref().and_then(|made| made.fee).unwrap_or(Amount::ZERO);
        let left = Amount::from_sat(made.map_or(0, |made| made.net_sat.unsigned_abs()));
        Some(Self { amount: left.checked_sub(fee).unwrap_or(Amount::ZERO), fee })
    }
}

fn onchain_quote(
    target: &OnchainTarget,
    terms: Terms,
    amount: Amount,
    fee: Amount,
    (least, most): (Amount, Amount),
) -> Quote {
    Quote {
        input: target.address.to_string(),
        kind: QuoteKind::Onchain,
        amount_msat: msat(amount),
        fee_estimate_msat: msat(fee),
        max_fee_msat: msat(fee),
        min_amount_msat: msat(least),
        max_amount_msat: msat(most),
        description: target.message.clone().or_else(|| target.label.clone()),
        payee: None,
        expires_at_secs: None,
        hops: None,
        payment_hash: None,
        idempotency_key: terms.idempotency_key,
        timeout_secs: terms.timeout_secs,
        note: terms.note,
    }
}

/// Neither this invoice nor anything under this name.
fn not_paid_yet(node: &Node, invoice: &Invoice, terms: &Terms) -> Result<(), WalletError> {
    if let Some(txid) = node.onchain_payment(&payment_id(&terms.idempotency_key)) {
        return Err(WalletError::AlreadyPaid { id: txid.to_string() });
    }
    not_paid_over_lightning(node.payment_by_hash(&invoice.payment_hash))
}

/// What failed left nothing behind.
fn not_paid_over_lightning(known: Option<&PaymentRecord>) -> Result<(), WalletError> {
    let Some(PaymentRecord::Outgoing(known)) = known else { return Ok(()) };
    let id = known.id.to_string();
    match known.state {
        OutgoingState::Sent { .. } => Err(WalletError::AlreadyPaid { id }),
        OutgoingState::Pending | OutgoingState::InFlight(_) => Err(WalletError::InFlight { id }),
        OutgoingState::Failed { .. } => Ok(()),
    }
}

/// The payment of this invoice under this name, unless it failed.
fn made_before(node: &Node, invoice: &Invoice, terms: &Terms) -> Option<Quote> {
    let PaymentRecord::Outgoing(made) = node.payment(&payment_id(&terms.idempotency_key))? else {
        return None;
    };
    if made.payment_hash != invoice.payment_hash {
        return None;
    }
    let (fee, hops) = match &made.state {
        OutgoingState::Failed { .. } => return None,
        OutgoingState::Pending | OutgoingState::InFlight(_) => (made.max_fee, None),
        OutgoingState::Sent { fee, hops, .. } => (*fee, Some(*hops)),
    };
    let quote =
        Quote { fee_estimate_msat: fee.to_msat(), hops, ..invoice_quote(invoice, terms, made.amount) };
    Some(Quote { max_fee_msat: made.max_fee.to_msat(), ..quote })
}

fn lightning_quote(node: &Node, invoice: Invoice, terms: &Terms) -> Result<Quote, WalletError> {
    let id = payment_id(&terms.idempotency_key);
    let amount = match (invoice.amount, terms.amount) {
        (Some(fixed), Some(asked)) if fixed != asked => {
            return Err(WalletError::AmountOutOfRange {
                min_msat: fixed.to_msat(),
                max_msat: fixed.to_msat(),
            });
        }
        (Some(amount), _) | (None, Some(amount)) => amount,
        (None, None) => return Err(WalletError::AmountRequired),
    };
    let spendable = node.balance().spendable;
    if amount > spendable {
        return Err(WalletError::InsufficientFunds {
            needed_msat: amount.to_msat(),
            available_msat: spendable.to_msat(),
        });
    }
    let max_fee = terms.max_fee.unwrap_or_else(|| usual_max_fee(amount));
    let request = node::SendRequest {
        id,
        amount,
        max_fee,
        timeout_secs: terms.timeout_secs,
        note: None,
        invoice: invoice.clone(),
    };
    let route = node.estimate_route(&request).map_err(|error| route_error(error, amount, spendable))?;
    let (least, most) = match invoice.amount {
        Some(fixed) => (fixed, fixed),
        None => (MilliSatoshi::from_msat(1), spendable),
    };
    Ok(Quote {
        fee_estimate_msat: route.fee.to_msat(),
        max_fee_msat: max_fee.to_msat(),
        min_amount_msat: least.to_msat(),
        max_amount_msat: most.to_msat(),
        hops: Some(super::info::saturating(route.hops.len())),
        ..invoice_quote(&invoice, terms, amount)
    })
}

/// What invoice and request say of a payment, at no cost and over no way yet.
fn invoice_quote(invoice: &Invoice, terms: &Terms, amount: MilliSatoshi) -> Quote {
    Quote {
        input: invoice.text.clone(),
        kind: QuoteKind::Lightning,
        amount_msat: amount.to_msat(),
        fee_estimate_msat: 0,
        max_fee_msat: 0,
        min_amount_msat: amount.to_msat(),
        max_amount_msat: amount.to_msat(),
        description: invoice.description.to_display(),
        payee: Some(invoice.payee.to_string()),
        expires_at_secs: Some(invoice.expires_at().0),
        hops: None,
        payment_hash: Some(invoice.payment_hash.to_string()),
        idempotency_key: terms.idempotency_key.clone(),
        timeout_secs: terms.timeout_secs,
        note: terms.note.clone(),
    }
}

fn route_error(error: RouteError, amount: MilliSatoshi, spendable: MilliSatoshi) -> WalletError {
    match error {
        RouteError::FeeTooHigh { cheapest, limit } => {
            WalletError::FeeTooHigh { cheapest_msat: cheapest.to_msat(), limit_msat: limit.to_msat() }
        }
        RouteError::FeeDoesNotFit { needed, largest } => WalletError::InsufficientFunds {
            needed_msat: needed.to_msat(),
            available_msat: largest.to_msat(),
        },
        RouteError::NoUsableChannel { largest } if spendable > MilliSatoshi::ZERO => {
            WalletError::InsufficientFunds {
                needed_msat: amount.to_msat(),
                available_msat: largest.to_msat(),
            }
        }
        other => WalletError::NoRoute { reason: other.to_string() },
    }
}

/// One percent, and enough for the base fees of a few hops.
fn usual_max_fee(amount: MilliSatoshi) -> MilliSatoshi {
    MilliSatoshi::from_msat((amount.to_msat() / 100).max(10_000))
}

/// The app's name of a payment; a fresh one where it gave none.
pub(super) fn idempotency_key(
    given: Option<&str>,
    entropy: &dyn crate::platform::Entropy,
) -> Result<String, WalletError> {
    match given {
        Some(key) if (1..=256).contains(&key.len()) => Ok(key.into()),
        Some(_) => Err(WalletError::invalid("idempotency_key", "must have 1 to 256 bytes")),
        None => Ok(entropy.bytes()?[..16].to_lower_hex_string()),
    }
}

/// The node's name of a payment, whichever way it goes, from the app's.
pub(super) fn payment_id(idempotency_key: &str) -> PaymentId {
    let hash = sha256::Hash::hash(format!("kite payment {idempotency_key}").as_bytes()).to_byte_array();
    // A SHA-256 has 32 bytes.
    PaymentId(*hash.first_chunk().expect("16 of 32 bytes"))
}

fn leaves_fallback(error: &WalletError) -> bool {
    matches!(
        error,
        WalletError::NoRoute { .. }
            | WalletError::InsufficientFunds { .. }
            | WalletError::FeeTooHigh { .. }
            | WalletError::InvoiceExpired { .. }
    )
}

fn msat(amount: Amount) -> u64 {
    MilliSatoshi::from_amount(amount).to_msat()
}
