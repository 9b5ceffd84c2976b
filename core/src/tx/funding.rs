//! The funding output and how it is spent (BOLT 3, Funding Transaction Output).

use super::SighashError;
use super::sighash::p2wsh_sighash;
use super::witness::der;
use bitcoin::opcodes::all::OP_CHECKMULTISIG;
use bitcoin::script::Builder;
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use bitcoin::{Amount, EcdsaSighashType, Script, ScriptBuf, Transaction, Witness};

/// The witness script: two of two, the lesser key first. The order of the arguments does not matter.
pub fn funding_script(a: &PublicKey, b: &PublicKey) -> ScriptBuf {
    let (a, b) = (a.serialize(), b.serialize());
    let (lesser, greater) = if a <= b { (a, b) } else { (b, a) };
    Builder::new()
        .push_int(2)
        .push_slice(lesser)
        .push_slice(greater)
        .push_int(2)
        .push_opcode(OP_CHECKMULTISIG)
        .into_script()
}

/// The script of the funding output.
pub fn funding_output_script(a: &PublicKey, b: &PublicKey) -> ScriptBuf {
    funding_script(a, b).to_p2wsh()
}

/// The digest both parties sign to spend the funding output with the only input of `tx`.
///
/// # Errors
/// The transaction has no input.
pub fn funding_sighash(
    tx: &Transaction,
    funding_script: &Script,
    funding_amount: Amount,
) -> Result<[u8; 32], SighashError> {
    p2wsh_sighash(tx, 0, funding_script, funding_amount, EcdsaSighashType::All)
}

/// The witness that spends the funding output. Each signature comes with the key it was made for; the order does not
/// matter.
pub fn funding_witness(
    (a_key, a_signature): (&PublicKey, &Signature),
    (b_key, b_signature): (&PublicKey, &Signature),
) -> Witness {
    let (lesser, greater) = if a_key.serialize() <= b_key.serialize() {
        (a_signature, b_signature)
    } else {
        (b_signature, a_signature)
    };
    let mut witness = Witness::new();
    witness.push([]);
    witness.push(der(lesser, EcdsaSighashType::All));
    witness.push(der(greater, EcdsaSighashType::All));
    witness.push(funding_script(a_key, b_key));
    witness
}
