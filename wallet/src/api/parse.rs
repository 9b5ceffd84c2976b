//! What a text that was scanned, pasted or typed stands for.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::error::network_name;
use super::peers::{parse_address as parse_peer_address, parse_node_id};
use super::{Wallet, WalletError};
use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, Amount, Denomination, Network};
use kite_api::api;
use kite_core::invoice::Invoice;

/// What a text stands for.
#[api(enumeration)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A Lightning invoice.
    Bolt11 {
        /// What it says.
        invoice: InvoiceDetails,
        /// An on-chain address of the payee for the same payment, for when Lightning does not work; unset if there is none.
        fallback_address: Option<String>,
    },
    /// A Bitcoin address, alone or in a `bitcoin:` link.
    BitcoinAddress {
        /// The address.
        address: String,
        /// What is to arrive, in satoshi; unset: the payer chooses.
        amount_sat: Option<u64>,
        /// Who is paid, as the link says; unset if it does not.
        label: Option<String>,
        /// What it is for, as the link says; unset if it does not.
        link_message: Option<String>,
    },
    /// A Lightning node that can be connected to.
    NodeAddress {
        /// Its node id.
        node_id: String,
        /// `host:port`; unset if the text has none.
        address: Option<String>,
    },
}

/// What an invoice says.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceDetails {
    /// The invoice itself, in lower case.
    pub invoice: String,
    /// The hash that is paid to.
    pub payment_hash: String,
    /// The node that is paid.
    pub payee: String,
    /// What is to be paid, in millisatoshi; unset: the payer chooses.
    pub amount_msat: Option<u64>,
    /// What it is for, safe to show in one line; unset if the invoice has only the hash of a description.
    pub description: Option<String>,
    /// When it was made, in seconds since 1970.
    pub created_at_secs: u64,
    /// Until when it can be paid, in seconds since 1970.
    pub expires_at_secs: u64,
    /// Its network.
    pub network: String,
}

/// What can be paid, read and checked.
#[derive(Clone, Debug)]
pub(super) enum Payable {
    Lightning { invoice: Box<Invoice>, fallback: Option<OnchainTarget> },
    Onchain(OnchainTarget),
}

#[derive(Clone, Debug)]
pub(super) struct OnchainTarget {
    pub(super) address: Address,
    pub(super) amount: Option<Amount>,
    pub(super) label: Option<String>,
    pub(super) message: Option<String>,
}

/// Longer than anything that can be paid.
const MAX_TEXT: usize = 8_192;

#[api]
impl Wallet {
    /// Tells what a text stands for: an invoice, an address, a `lightning:` or `bitcoin:` link, or a node. Upper case and
    /// spaces around it do no harm. An expired invoice is no error here.
    ///
    /// # Errors
    /// `InvalidInput`, `InvalidInvoice`, `WrongNetwork`.
    pub fn parse(&self, text: String) -> Result<Parsed, WalletError> {
        parse(&text, self.network)
    }
}

pub(super) fn parse(text: &str, network: Network) -> Result<Parsed, WalletError> {
    let text = text.trim();
    if let Some(node) = parse_node(text)? {
        return Ok(node);
    }
    Ok(match parse_payable(text, network)? {
        Payable::Lightning { invoice, fallback } => Parsed::Bolt11 {
            invoice: details(&invoice),
            fallback_address: fallback.map(|target| target.address.to_string()),
        },
        Payable::Onchain(target) => Parsed::BitcoinAddress {
            address: target.address.to_string(),
            amount_sat: target.amount.map(Amount::to_sat),
            label: target.label,
            link_message: target.message,
        },
    })
}

/// What can be paid on this network.
pub(super) fn parse_payable(text: &str, network: Network) -> Result<Payable, WalletError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(WalletError::invalid("text", "nothing was given"));
    }
    if text.len() > MAX_TEXT {
        return Err(WalletError::invalid("text", "too long to be a payment request"));
    }
    if let Some(rest) = strip_scheme(text, "lightning:") {
        return lightning(rest, network, None);
    }
    if let Some(rest) = strip_scheme(text, "bitcoin:") {
        return link(rest, network);
    }
    let lower = text.to_ascii_lowercase();
    if is_invoice(&lower) {
        return lightning(text, network, None);
    }
    for (prefix, what) in [("lno1", "Offers (BOLT 12)"), ("lnurl1", "LNURL"), ("lni1", "Invoices of BOLT 12")]
    {
        if lower.starts_with(prefix) {
            return Err(WalletError::invalid("text", format!("{what} cannot be paid by this version")));
        }
    }
    if text.contains('@') {
        return Err(WalletError::invalid("text", "Lightning addresses cannot be paid by this version"));
    }
    let address = parse_address(text, network)?;
    Ok(Payable::Onchain(OnchainTarget { address, amount: None, label: None, message: None }))
}

/// An address of this network.
pub(super) fn parse_address(text: &str, network: Network) -> Result<Address, WalletError> {
    let address: Address<NetworkUnchecked> = text.trim().parse().map_err(|_| {
        WalletError::invalid("address", "not an invoice, an address or a node: check for missing characters")
    })?;
    if address.is_valid_for_network(network) {
        return Ok(address.assume_checked());
    }
    let networks = [Network::Bitcoin, Network::Testnet, Network::Signet, Network::Regtest];
    let found = networks.into_iter().find(|other| address.is_valid_for_network(*other));
    Err(WalletError::wrong_network(network, found.unwrap_or(Network::Bitcoin)))
}

fn details(invoice: &Invoice) -> InvoiceDetails {
    InvoiceDetails {
        invoice: invoice.text.clone(),
        payment_hash: invoice.payment_hash.to_string(),
        payee: invoice.payee.to_string(),
        amount_msat: invoice.amount.map(|amount| amount.to_msat()),
        description: invoice.description.to_display(),
        created_at_secs: invoice.timestamp.0,
        expires_at_secs: invoice.expires_at().0,
        network: network_name(invoice.network),
    }
}

/// `node_id`, or `node_id@host:port`.
fn parse_node(text: &str) -> Result<Option<Parsed>, WalletError> {
    let (node_id, address) = match text.split_once('@') {
        Some((node_id, address)) => (node_id, Some(address)),
        None => (text, None),
    };
    let is_id = node_id.len() == 66 && node_id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        return Ok(None);
    }
    let node_id = parse_node_id(node_id)?.to_string();
    let address = address.map(parse_peer_address).transpose()?;
    Ok(Some(Parsed::NodeAddress { node_id, address }))
}

fn lightning(text: &str, network: Network, fallback: Option<OnchainTarget>) -> Result<Payable, WalletError> {
    let text = text.split(['?', '&']).next().unwrap_or_default().trim();
    let invoice = Box::new(Invoice::decode(text)?);
    // Nothing has expired at 0: whether it did is for the payer to see.
    invoice.check_payable(network, kite_core::types::UnixTime(0))?;
    Ok(Payable::Lightning { invoice, fallback })
}

/// A `bitcoin:` link (BIP 21), with an invoice in it (`lightning=`) or without.
fn link(rest: &str, network: Network) -> Result<Payable, WalletError> {
    let invalid = |reason: String| WalletError::invalid("text", reason);
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut amount, mut label, mut message, mut invoice) = (None, None, None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key.to_ascii_lowercase().as_str() {
            "amount" => {
                amount = Some(link_amount(value).ok_or_else(|| invalid("the amount is not one".into()))?)
            }
            "label" => label = Some(decoded(value)),
            "message" => message = Some(decoded(value)),
            "lightning" => invoice = Some(value.to_owned()),
            required if required.starts_with("req-") => {
                return Err(invalid(format!(
                    "the link needs {required:?}, which this version does not know"
                )));
            }
            _ => {}
        }
    }
    let target = match address.trim() {
        "" => None,
        address => {
            let address = parse_address(address, network)?;
            Some(OnchainTarget { address, amount, label, message })
        }
    };
    match (invoice, target) {
        // An invoice that is no good leaves the address.
        (Some(text), Some(target)) => {
            Ok(lightning(&text, network, Some(target.clone())).unwrap_or(Payable::Onchain(target)))
        }
        (Some(text), None) => lightning(&text, network, None),
        (None, Some(target)) => Ok(Payable::Onchain(target)),
        (None, None) => Err(invalid("the link has neither an address nor an invoice".into())),
    }
}

/// An amount in bitcoin, as BIP 21 writes it: no sign, no exponent, no comma.
fn link_amount(text: &str) -> Option<Amount> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let amount = Amount::from_str_in(text, Denomination::Bitcoin).ok().filter(|_| plain)?;
    (amount > Amount::ZERO && amount <= Amount::MAX_MONEY).then_some(amount)
}

fn is_invoice(lower: &str) -> bool {
    ["lnbc", "lntb", "lnsb", "lntbs"].iter().any(|prefix| lower.starts_with(prefix))
}

/// What follows a scheme in any case, with or without `//`.
fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let head = text.get(..scheme.len())?;
    let rest = &text[scheme.len()..];
    head.eq_ignore_ascii_case(scheme).then(|| rest.strip_prefix("//").unwrap_or(rest).trim())
}

/// Percent-encoded text as one line that is safe to show.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let hex = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            // Two hexadecimal digits make one byte.
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = ahead;
            }
            (b'+', ..) => bytes.push(b' '),
            (byte, ..) => bytes.push(byte),
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    kite_core::invoice::Description::Text(text).to_display().unwrap_or_default()
}

#[cfg(test)]
mod tests;
