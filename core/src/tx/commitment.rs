//! Commitment transactions (BOLT 3, Commitment Transaction Construction).

use super::fees::{anchors_cost, commit_tx_fee};
use super::funding::{funding_script, funding_sighash, funding_witness};
use super::obscured::obscure;
use super::order::output_order;
use super::trim::untrimmed;
use super::weight::{ANCHOR_AMOUNT, MAX_ACCEPTED_HTLCS};
use super::{
    CommitmentError, CommitmentFormat, CommitmentKeys, CommitmentSpec, Direction, FixedOutputs, Htlc,
    SighashError, scripts,
};
use crate::types::{CommitmentNumber, FeeratePerKw, MilliSatoshi};
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, TxIn, TxOut, Witness};

/// What stays the same on every commitment of one party to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitmentParams {
    /// The format the channel's type asks for.
    pub format: CommitmentFormat,
    /// The output that is spent.
    pub funding_outpoint: OutPoint,
    /// What it holds.
    pub funding_amount: Amount,
    /// The `dust_limit_satoshis` of the broadcaster.
    pub broadcaster_dust_limit: Amount,
    /// How many blocks the broadcaster waits for its money: the `to_self_delay` that the countersignatory sent.
    pub to_self_delay: u16,
    /// Whether the broadcaster sent `open_channel`, and so pays fee and anchors.
    pub opener_is_broadcaster: bool,
    /// From [`obscuring_factor`](super::obscured::obscuring_factor).
    pub obscuring_factor: u64,
    /// The scripts of `to_remote` and the anchors.
    pub fixed_outputs: FixedOutputs,
}

/// A commitment transaction without its witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// The transaction.
    pub tx: Transaction,
    /// What each of its outputs is.
    pub outputs: Vec<CommitmentOutput>,
    /// Its untrimmed HTLCs, in the order of their outputs: the order of `htlc_signatures`.
    pub htlcs: Vec<CommitmentHtlc>,
    /// The fee it pays: funding amount less all outputs.
    pub fee: Amount,
    pub(super) format: CommitmentFormat,
    pub(super) feerate_per_kw: FeeratePerKw,
    pub(super) second_stage_script: ScriptBuf,
    /// What pays to that script.
    pub(super) second_stage_output: ScriptBuf,
    broadcaster_funding_pubkey: PublicKey,
    countersignatory_funding_pubkey: PublicKey,
    funding_amount: Amount,
}

/// What an output of a commitment transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitmentOutput {
    /// The broadcaster's balance, delayed.
    ToLocal,
    /// The countersignatory's balance.
    ToRemote,
    /// The broadcaster's anchor.
    BroadcasterAnchor,
    /// The countersignatory's anchor.
    CountersignatoryAnchor,
    /// An HTLC: the index into [`Commitment::htlcs`].
    Htlc(usize),
}

/// An HTLC with an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitmentHtlc {
    /// The HTLC.
    pub htlc: Htlc,
    /// Which way it goes, as the broadcaster sees it.
    pub direction: Direction,
    /// The index of its output.
    pub output_index: u32,
    /// The witness script of its output.
    pub witness_script: ScriptBuf,
}

impl Commitment {
    /// The digest that both parties sign.
    ///
    /// # Errors
    /// The transaction has lost its input.
    pub fn sighash(&self) -> Result<[u8; 32], SighashError> {
        let funding_script =
            funding_script(&self.broadcaster_funding_pubkey, &self.countersignatory_funding_pubkey);
        funding_sighash(&self.tx, &funding_script, self.funding_amount)
    }

    /// The witness script of `to_local` and of the outputs of the HTLC transactions.
    pub const fn delayed_script(&self) -> &ScriptBuf {
        &self.second_stage_script
    }

    /// The index of the output of a kind; unset where there is none.
    pub fn output_index(&self, kind: CommitmentOutput) -> Option<u32> {
        (0u32..).zip(&self.outputs).find(|(_, its)| **its == kind).map(|(index, _)| index)
    }

    /// The transaction with both signatures, ready to be published.
    pub fn signed(&self, broadcaster: &Signature, countersignatory: &Signature) -> Transaction {
        let witness = funding_witness(
            (&self.broadcaster_funding_pubkey, broadcaster),
            (&self.countersignatory_funding_pubkey, countersignatory),
        );
        let mut tx = self.tx.clone();
        tx.input.iter_mut().for_each(|input| input.witness = witness.clone());
        tx
    }
}

/// Builds a commitment transaction of the party whose view `spec`, `params` and `keys` are.
///
/// # Errors
/// The content does not fit the channel, the opener cannot pay, or nothing would be left to pay out. An error is a fault
/// in the update that led here: the caller checks what it can afford before it proposes or accepts one.
pub fn build_commitment(
    number: CommitmentNumber,
    params: &CommitmentParams,
    keys: &CommitmentKeys,
    spec: &CommitmentSpec,
) -> Result<Commitment, CommitmentError> {
    check_total(params, spec)?;
    let (lock_time, sequence) =
        obscure(number, params.obscuring_factor).ok_or(CommitmentError::NumberOutOfRange { number })?;
    let delayed_script =
        scripts::to_local(&keys.revocation_pubkey, params.to_self_delay, &keys.broadcaster_delayed_pubkey);
    let delayed_output = delayed_script.to_p2wsh();

    let mut drafts = htlc_drafts(params, keys, spec)?;
    let (to_local, to_remote) = balances_after_costs(params, spec, drafts.len())?;
    push_balances_and_anchors(&mut drafts, params, &delayed_output, to_local, to_remote);
    if drafts.is_empty() {
        return Err(CommitmentError::NoOutputs { dust_limit: params.broadcaster_dust_limit });
    }
    drafts.sort_by(Draft::order);

    let (output, outputs, htlcs) = arrange(drafts);
    let paid = output.iter().map(|output| output.value.to_sat()).sum();
    let tx = Transaction {
        version: Version::TWO,
        lock_time,
        input: vec![TxIn {
            previous_output: params.funding_outpoint,
            script_sig: ScriptBuf::new(),
            sequence,
            witness: Witness::new(),
        }],
        output,
    };
    Ok(Commitment {
        tx,
        outputs,
        htlcs,
        fee: Amount::from_sat(params.funding_amount.to_sat().saturating_sub(paid)),
        format: params.format,
        feerate_per_kw: spec.feerate_per_kw,
        second_stage_script: delayed_script,
        second_stage_output: delayed_output,
        broadcaster_funding_pubkey: keys.broadcaster_funding_pubkey,
        countersignatory_funding_pubkey: keys.countersignatory_funding_pubkey,
        funding_amount: params.funding_amount,
    })
}

fn check_total(params: &CommitmentParams, spec: &CommitmentSpec) -> Result<(), CommitmentError> {
    let count = spec.htlcs.len();
    if count > 2 * usize::from(MAX_ACCEPTED_HTLCS) {
        return Err(CommitmentError::TooManyHtlcs { count });
    }
    let total = spec.total();
    let funding_msat = params.funding_amount.to_sat().checked_mul(1000).map(MilliSatoshi::from_msat);
    if total.is_none() || total != funding_msat {
        return Err(CommitmentError::Unbalanced { total, funding: params.funding_amount });
    }
    Ok(())
}

/// Both balances in whole satoshi, the opener's less base fee and anchors.
fn balances_after_costs(
    params: &CommitmentParams,
    spec: &CommitmentSpec,
    untrimmed_htlcs: usize,
) -> Result<(Amount, Amount), CommitmentError> {
    let fee = commit_tx_fee(spec.feerate_per_kw, untrimmed_htlcs, params.format);
    let anchors = anchors_cost(params.format);
    let balance = if params.opener_is_broadcaster { spec.to_local } else { spec.to_remote };
    let left = fee
        .checked_add(anchors)
        .and_then(|cost| balance.to_amount_floor().checked_sub(cost))
        .or_else(|| pays_what_it_has(params.format))
        .ok_or(CommitmentError::OpenerCannotPay { balance, fee, anchors })?;
    Ok(if params.opener_is_broadcaster {
        (left, spec.to_remote.to_amount_floor())
    } else {
        (spec.to_local.to_amount_floor(), left)
    })
}

/// BOLT 3's Appendix C has a commitment whose opener pays all it has, less than the fee. No update may lead there, so
/// the format that is negotiated refuses it.
fn pays_what_it_has(format: CommitmentFormat) -> Option<Amount> {
    match format {
        CommitmentFormat::StaticRemotekey => Some(Amount::ZERO),
        CommitmentFormat::AnchorsZeroFeeHtlcTx => None,
    }
}

/// An output before it has its place.
struct Draft {
    output: TxOut,
    kind: DraftKind,
}

enum DraftKind {
    Plain(CommitmentOutput),
    Htlc { direction: Direction, htlc: Htlc, witness_script: ScriptBuf },
}

impl Draft {
    fn plain(kind: CommitmentOutput, value: Amount, script_pubkey: ScriptBuf) -> Self {
        Self { output: TxOut { value, script_pubkey }, kind: DraftKind::Plain(kind) }
    }

    /// HTLCs that are alike in every respect keep the order of their numbers: the same content gives the same order.
    fn order(a: &Self, b: &Self) -> std::cmp::Ordering {
        let (a_expiry, a_id) = a.expiry_and_id();
        let (b_expiry, b_id) = b.expiry_and_id();
        output_order((&a.output, a_expiry), (&b.output, b_expiry)).then(a_id.cmp(&b_id))
    }

    fn expiry_and_id(&self) -> (u32, u64) {
        match &self.kind {
            DraftKind::Plain(_) => (0, 0),
            DraftKind::Htlc { htlc, .. } => (htlc.cltv_expiry.height(), htlc.id.0),
        }
    }
}

fn htlc_drafts(
    params: &CommitmentParams,
    keys: &CommitmentKeys,
    spec: &CommitmentSpec,
) -> Result<Vec<Draft>, CommitmentError> {
    let format = params.format;
    untrimmed(spec, params.broadcaster_dust_limit, format)
        .map(|(direction, htlc)| {
            let htlc_keys = keys.htlc_keys()?;
            let witness_script = scripts::htlc(*direction, htlc, htlc_keys, format);
            let value = htlc.amount_msat.to_amount_floor();
            let output = TxOut { value, script_pubkey: witness_script.to_p2wsh() };
            Ok(Draft { output, kind: DraftKind::Htlc { direction: *direction, htlc: *htlc, witness_script } })
        })
        .collect()
}

fn push_balances_and_anchors(
    drafts: &mut Vec<Draft>,
    params: &CommitmentParams,
    delayed_output: &ScriptBuf,
    to_local: Amount,
    to_remote: Amount,
) {
    let fixed = &params.fixed_outputs;
    let has_htlcs = !drafts.is_empty();
    let has_to_local = to_local >= params.broadcaster_dust_limit && to_local > Amount::ZERO;
    let has_to_remote = to_remote >= params.broadcaster_dust_limit && to_remote > Amount::ZERO;
    if has_to_local {
        drafts.push(Draft::plain(CommitmentOutput::ToLocal, to_local, delayed_output.clone()));
    }
    if has_to_remote {
        drafts.push(Draft::plain(CommitmentOutput::ToRemote, to_remote, fixed.to_remote.clone()));
    }
    if !params.format.has_anchors() {
        return;
    }
    if has_to_local || has_htlcs {
        let script = fixed.broadcaster_anchor.clone();
        drafts.push(Draft::plain(CommitmentOutput::BroadcasterAnchor, ANCHOR_AMOUNT, script));
    }
    if has_to_remote || has_htlcs {
        let script = fixed.countersignatory_anchor.clone();
        drafts.push(Draft::plain(CommitmentOutput::CountersignatoryAnchor, ANCHOR_AMOUNT, script));
    }
}

fn arrange(drafts: Vec<Draft>) -> (Vec<TxOut>, Vec<CommitmentOutput>, Vec<CommitmentHtlc>) {
    let mut output = Vec::with_capacity(drafts.len());
    let mut outputs = Vec::with_capacity(drafts.len());
    let mut htlcs = Vec::new();
    for (draft, output_index) in drafts.into_iter().zip(0u32..) {
        output.push(draft.output);
        outputs.push(match draft.kind {
            DraftKind::Plain(kind) => kind,
            DraftKind::Htlc { direction, htlc, witness_script } => {
                htlcs.push(CommitmentHtlc { htlc, direction, output_index, witness_script });
                CommitmentOutput::Htlc(htlcs.len() - 1)
            }
        });
    }
    (output, outputs, htlcs)
}
