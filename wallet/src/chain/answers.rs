//! Transactions in the form of the API, as far as they are used. `esplora-client` reads versions as signed, which servers
//! write as unsigned: whoever pays with version 2^31 would make a history unreadable.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, BlockHash, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use esplora_client::api::Vout;
use serde::Deserialize;

/// A transaction in a history.
#[derive(Deserialize)]
pub(super) struct Tx {
    pub(super) txid: Txid,
    pub(super) status: Status,
    version: i64,
    locktime: u32,
    vin: Vec<Vin>,
    vout: Vec<Vout>,
}

/// Where a transaction stands.
#[derive(Clone, Deserialize)]
pub(super) struct Status {
    pub(super) confirmed: bool,
    pub(super) block_height: Option<u32>,
    pub(super) block_hash: Option<BlockHash>,
}

/// What spends an output; unset while nothing does.
#[derive(Deserialize)]
pub(super) struct Spend {
    pub(super) txid: Option<Txid>,
    pub(super) status: Option<Status>,
}

#[derive(Deserialize)]
struct Vin {
    txid: Txid,
    vout: u32,
    scriptsig: ScriptBuf,
    /// Bytes in hex, as scripts are.
    #[serde(default)]
    witness: Vec<ScriptBuf>,
    sequence: u32,
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
