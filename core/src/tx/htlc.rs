//! HTLC-timeout and HTLC-success transactions (BOLT 3).

use super::fees::htlc_tx_fee;
use super::sighash::p2wsh_sighash;
use super::{Commitment, CommitmentFormat, CommitmentHtlc, Direction, Htlc, SighashError, witness};
use crate::types::PaymentPreimage;
use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::ecdsa::Signature;
use bitcoin::transaction::Version;
use bitcoin::{Amount, EcdsaSighashType, OutPoint, ScriptBuf, Transaction, TxIn, TxOut, Txid, Witness};

/// The transaction by which the broadcaster claims (HTLC-success) or takes back (HTLC-timeout) one HTLC, without its
/// witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HtlcTx {
    /// The transaction.
    pub tx: Transaction,
    /// The HTLC.
    pub htlc: Htlc,
    /// Received: HTLC-success. Offered: HTLC-timeout.
    pub direction: Direction,
    /// The witness script of the output it spends.
    pub witness_script: ScriptBuf,
    /// What the output it spends holds.
    pub amount: Amount,
    /// The sighash type of that signature.
    pub countersignatory_sighash_type: EcdsaSighashType,
}

impl Commitment {
    /// The HTLC transactions of all untrimmed HTLCs, in the order of `htlc_signatures`.
    pub fn htlc_transactions(&self) -> Vec<HtlcTx> {
        if self.htlcs.is_empty() { Vec::new() } else { self.htlc_transactions_after(self.tx.compute_txid()) }
    }

    /// As [`Commitment::htlc_transactions`], where the txid of the commitment is known already.
    pub fn htlc_transactions_after(&self, txid: Txid) -> Vec<HtlcTx> {
        self.htlcs.iter().map(|htlc| self.htlc_transaction(txid, htlc)).collect()
    }

    fn htlc_transaction(&self, txid: Txid, htlc: &CommitmentHtlc) -> HtlcTx {
        let CommitmentHtlc { htlc, direction, output_index, witness_script } = htlc;
        let amount = htlc.amount_msat.to_amount_floor();
        let fee = htlc_tx_fee(self.feerate_per_kw, *direction, self.format);
        let tx = Transaction {
            version: Version::TWO,
            lock_time: match direction {
                Direction::Offered => LockTime::from_consensus(htlc.cltv_expiry.height()),
                Direction::Received => LockTime::ZERO,
            },
            input: vec![TxIn {
                previous_output: OutPoint { txid, vout: *output_index },
                script_sig: ScriptBuf::new(),
                sequence: self.format.htlc_input_sequence(),
                witness: Witness::new(),
            }],
            output: vec![TxOut {
                value: Amount::from_sat(amount.to_sat().saturating_sub(fee.to_sat())),
                script_pubkey: self.second_stage_output.clone(),
            }],
        };
        HtlcTx {
            tx,
            htlc: *htlc,
            direction: *direction,
            witness_script: witness_script.clone(),
            amount,
            countersignatory_sighash_type: CommitmentFormat::htlc_sighash_type(self.format),
        }
    }
}

impl HtlcTx {
    /// The digest that the countersignatory signs in `commitment_signed`.
    ///
    /// # Errors
    /// The transaction has lost its input.
    pub fn countersignatory_sighash(&self) -> Result<[u8; 32], SighashError> {
        let Self { tx, witness_script, amount, countersignatory_sighash_type, .. } = self;
        p2wsh_sighash(tx, 0, witness_script, *amount, *countersignatory_sighash_type)
    }

    /// The digest that the broadcaster signs when it publishes the transaction as it is, without further inputs.
    ///
    /// # Errors
    /// The transaction has lost its input.
    pub fn broadcaster_sighash(&self) -> Result<[u8; 32], SighashError> {
        p2wsh_sighash(&self.tx, 0, &self.witness_script, self.amount, EcdsaSighashType::All)
    }

    /// The witness of the HTLC input. `preimage` is what HTLC-success reveals; HTLC-timeout needs none and ignores it.
    /// Unset where HTLC-success lacks its preimage.
    pub fn witness(
        &self,
        broadcaster: &Signature,
        countersignatory: &Signature,
        preimage: Option<&PaymentPreimage>,
    ) -> Option<Witness> {
        let countersignatory = (countersignatory, self.countersignatory_sighash_type);
        Some(match self.direction {
            Direction::Offered => witness::htlc_timeout(countersignatory, broadcaster, &self.witness_script),
            Direction::Received => {
                witness::htlc_success(countersignatory, broadcaster, preimage?, &self.witness_script)
            }
        })
    }
}
