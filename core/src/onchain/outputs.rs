//! What a published commitment pays, as far as it concerns us.

use crate::channel::Party;
use crate::types::{CltvExpiry, HtlcId, PaymentHash};
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, Txid};

/// A published commitment, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The commitment transaction.
    pub txid: Txid,
    /// The outputs that can be ours, or whose spends tell something.
    pub outputs: Vec<Output>,
    /// The witness script of `to_local` and of the outputs of HTLC transactions.
    pub delayed_script: ScriptBuf,
}

/// One output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its index.
    pub vout: u32,
    /// What it holds.
    pub amount: Amount,
    /// The witness script.
    pub witness_script: ScriptBuf,
    /// What it is.
    pub kind: OutputKind,
}

/// What an output is (BOLT 3, Commitment Transaction Outputs); as there, by who published the commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// The balance of who published it, delayed.
    ToLocal,
    /// The balance of the other side.
    ToRemote,
    /// The anchor that we can spend.
    OurAnchor,
    /// An HTLC.
    Htlc(HtlcOutput),
}

/// An HTLC with an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtlcOutput {
    /// Who offered it.
    pub offered_by: Party,
    /// Its number; unset on a revoked commitment, of which less is kept.
    pub id: Option<HtlcId>,
    /// What its preimage hashes to.
    pub payment_hash: PaymentHash,
    /// From which height on its offerer can take it back.
    pub cltv_expiry: CltvExpiry,
}

impl Close {
    /// A commitment of either side that we do not hold, because we have lost state: our balance, whose script needs no more
    /// than its number, and nothing else. What HTLCs it had nobody knows, and their transactions need the peer's signatures:
    /// of the other outputs only what others do with them is looked at.
    pub fn of_unknown(tx: &Transaction, kind: OutputKind, witness_script: ScriptBuf) -> Self {
        let paid_to = witness_script.to_p2wsh();
        let outputs = (0..).zip(&tx.output).filter(|(_, output)| output.script_pubkey == paid_to);
        let outputs = outputs.map(|(vout, output)| Output {
            vout,
            amount: output.value,
            witness_script: witness_script.clone(),
            kind,
        });
        Self { txid: tx.compute_txid(), outputs: outputs.collect(), delayed_script: ScriptBuf::new() }
    }

    /// Where an output of it is.
    pub const fn outpoint(&self, output: &Output) -> OutPoint {
        OutPoint { txid: self.txid, vout: output.vout }
    }

    /// The anchor that we can spend.
    pub fn our_anchor(&self) -> Option<&Output> {
        self.outputs.iter().find(|output| output.kind == OutputKind::OurAnchor)
    }

    /// The HTLC outputs, in the order of the outputs: the order of `htlc_signatures`.
    pub fn htlcs(&self) -> impl Iterator<Item = (&Output, &HtlcOutput)> {
        self.outputs.iter().filter_map(|output| match &output.kind {
            OutputKind::Htlc(htlc) => Some((output, htlc)),
            OutputKind::ToLocal | OutputKind::ToRemote | OutputKind::OurAnchor => None,
        })
    }

    /// The outputs whose spends matter, with their scripts. Nobody loses anything by an anchor.
    pub fn watched(&self) -> impl Iterator<Item = (OutPoint, ScriptBuf)> {
        let matters = self.outputs.iter().filter(|output| output.kind != OutputKind::OurAnchor);
        matters.map(|output| (self.outpoint(output), output.witness_script.to_p2wsh()))
    }
}
