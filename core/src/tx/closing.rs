//! Legacy closing transactions (BOLT 3, Legacy Closing Transaction).

use super::funding::{funding_script, funding_sighash, funding_witness};
use super::order::output_order;
use super::{ClosingError, SighashError};
use crate::types::MilliSatoshi;
use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};

/// What a cooperative close shares out, as one party sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosingParams {
    /// The output that is spent.
    pub funding_outpoint: OutPoint,
    /// What it holds.
    pub funding_amount: Amount,
    /// Our key of the funding output.
    pub local_funding_pubkey: PublicKey,
    /// The peer's key of the funding output.
    pub remote_funding_pubkey: PublicKey,
    /// Our final balance.
    pub to_local: MilliSatoshi,
    /// The peer's final balance.
    pub to_remote: MilliSatoshi,
    /// The `scriptpubkey` of our `shutdown`.
    pub local_script: ScriptBuf,
    /// The `scriptpubkey` of the peer's `shutdown`.
    pub remote_script: ScriptBuf,
    /// Whether we opened the channel, and so pay the fee.
    pub local_is_opener: bool,
}

/// A closing transaction without its witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The transaction.
    pub tx: Transaction,
    /// The index of our output; unset where it was left out.
    pub local_output: Option<u32>,
    /// The index of the peer's output; unset where it was left out.
    pub remote_output: Option<u32>,
    sighash: [u8; 32],
    local_funding_pubkey: PublicKey,
    remote_funding_pubkey: PublicKey,
}

impl Closing {
    /// The digest that both parties sign.
    pub const fn sighash(&self) -> [u8; 32] {
        self.sighash
    }

    /// The transaction with both signatures, ready to be published.
    pub fn signed(&self, local: &Signature, remote: &Signature) -> Transaction {
        let witness =
            funding_witness((&self.local_funding_pubkey, local), (&self.remote_funding_pubkey, remote));
        let mut tx = self.tx.clone();
        tx.input.iter_mut().for_each(|input| input.witness = witness.clone());
        tx
    }

    /// Refuses a transaction that nodes would not relay (BOLT 2, closing_signed: such a close fails the channel).
    ///
    /// # Errors
    /// [`ClosingError::Dust`] names the output.
    pub fn check_relayable(&self) -> Result<(), ClosingError> {
        self.tx.output.iter().try_for_each(|output| {
            let limit = script_dust_limit(&output.script_pubkey);
            if output.value >= limit {
                return Ok(());
            }
            Err(ClosingError::Dust { amount: output.value, script: output.script_pubkey.clone(), limit })
        })
    }
}

/// Builds the transaction that a party with this dust limit signs: outputs below the limit are left out.
///
/// # Errors
/// The opener cannot pay the fee, the balances are not the channel's, or no output is left.
pub fn build_closing(
    params: &ClosingParams,
    fee: Amount,
    dust_limit: Amount,
) -> Result<Closing, ClosingError> {
    let (local, remote) = amounts(params, fee)?;
    let kept = |amount: Amount| (amount >= dust_limit && amount > Amount::ZERO).then_some(amount);
    assemble(params, kept(local), kept(remote), dust_limit)
}

/// Every transaction the peer may have signed for this fee, the expected one first: it leaves out what is below its
/// dust limit and may give up its own output; where it goes by our limit, that is as good.
///
/// # Errors
/// As [`build_closing`], when no variant can be built.
pub fn remote_variants(
    params: &ClosingParams,
    fee: Amount,
    local_dust_limit: Amount,
    remote_dust_limit: Amount,
) -> Result<Vec<Closing>, ClosingError> {
    let (local, _) = amounts(params, fee)?;
    let without_remote = (local >= remote_dust_limit && local > Amount::ZERO).then_some(local);
    let mut variants = Vec::with_capacity(3);
    let mut first_error = None;
    for variant in [
        build_closing(params, fee, remote_dust_limit),
        assemble(params, without_remote, None, remote_dust_limit),
        build_closing(params, fee, local_dust_limit),
    ] {
        match variant {
            Ok(closing) if !variants.contains(&closing) => variants.push(closing),
            Ok(_) => {}
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    match first_error {
        Some(error) if variants.is_empty() => Err(error),
        _ => Ok(variants),
    }
}

/// The least amount Bitcoin nodes relay to this script (BOLT 3, Dust Limits).
pub fn script_dust_limit(script: &Script) -> Amount {
    let sat = if script.is_op_return() {
        0
    } else if script.is_p2pkh() {
        546
    } else if script.is_p2sh() {
        540
    } else if script.is_p2wpkh() {
        294
    } else if script.is_p2wsh() {
        330
    } else if script.as_bytes() == [0x51, 0x02, 0x4e, 0x73] {
        // pay to anchor
        240
    } else if script.is_witness_program() {
        354
    } else {
        546
    };
    Amount::from_sat(sat)
}

/// Both balances in whole satoshi, the opener's less the fee.
fn amounts(params: &ClosingParams, fee: Amount) -> Result<(Amount, Amount), ClosingError> {
    let total = params.to_local.checked_add(params.to_remote);
    let funding_msat = params.funding_amount.to_sat().checked_mul(1000).map(MilliSatoshi::from_msat);
    if total.is_none() || total != funding_msat {
        return Err(ClosingError::Unbalanced { total, funding: params.funding_amount });
    }
    let (local, remote) = (params.to_local.to_amount_floor(), params.to_remote.to_amount_floor());
    let balance = if params.local_is_opener { params.to_local } else { params.to_remote };
    let left =
        balance.to_amount_floor().checked_sub(fee).ok_or(ClosingError::OpenerCannotPay { balance, fee })?;
    Ok(if params.local_is_opener { (left, remote) } else { (local, left) })
}

fn assemble(
    params: &ClosingParams,
    local: Option<Amount>,
    remote: Option<Amount>,
    dust_limit: Amount,
) -> Result<Closing, ClosingError> {
    let output = |value, script: &ScriptBuf| TxOut { value, script_pubkey: script.clone() };
    let mut outputs: Vec<(bool, TxOut)> = Vec::with_capacity(2);
    outputs.extend(local.map(|value| (true, output(value, &params.local_script))));
    outputs.extend(remote.map(|value| (false, output(value, &params.remote_script))));
    if outputs.is_empty() {
        return Err(ClosingError::NoOutputs { dust_limit });
    }
    outputs.sort_by(|(_, a), (_, b)| output_order((a, 0), (b, 0)));
    let index_of = |is_local| (0u32..).zip(&outputs).find(|(_, (its, _))| *its == is_local).map(|(i, _)| i);
    let (local_output, remote_output) = (index_of(true), index_of(false));
    let tx = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: params.funding_outpoint,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: outputs.into_iter().map(|(_, output)| output).collect(),
    };
    let sighash = closing_sighash(params, &tx)?;
    Ok(Closing {
        tx,
        local_output,
        remote_output,
        sighash,
        local_funding_pubkey: params.local_funding_pubkey,
        remote_funding_pubkey: params.remote_funding_pubkey,
    })
}

fn closing_sighash(params: &ClosingParams, tx: &Transaction) -> Result<[u8; 32], SighashError> {
    let script = funding_script(&params.local_funding_pubkey, &params.remote_funding_pubkey);
    funding_sighash(tx, &script, params.funding_amount)
}
