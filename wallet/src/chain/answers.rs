//! Transactions in the form of the API. `esplora-client` has it as well, but reads versions as signed, which servers write
//! as unsigned: whoever pays with version 2^31 would make a history unreadable.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use esplora_client::api::{TxStatus, Vin, Vout};
use serde::Deserialize;

/// A transaction in a history.
#[derive(Deserialize)]
pub(super) struct Tx {
    pub(super) txid: Txid,
    pub(super) status: TxStatus,
    version: i64,
    locktime: u32,
    vin: Vec<Vin>,
    vout: Vec<Vout>,
}

impl Tx {
    /// The transaction, whose id may be another than the server says.
    pub(super) fn into_transaction(self) -> Transaction {
        let input = |input: Vin| TxIn {
            previous_output: OutPoint { txid: input.txid, vout: input.vout },
            script_sig: input.scriptsig,
            sequence: Sequence(input.sequence),
            witness: Witness::from_slice(&input.witness),
        };
        let output = |output: Vout| TxOut {
            value: Amount::from_sat(output.value),
            script_pubkey: output.scriptpubkey,
        };
        Transaction {
            // The same 32 bits, with or without a sign.
            version: Version(self.version as i32),
            lock_time: LockTime::from_consensus(self.locktime),
            input: self.vin.into_iter().map(input).collect(),
            output: self.vout.into_iter().map(output).collect(),
        }
    }
}
