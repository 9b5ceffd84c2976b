//! The witnesses that spend the outputs of commitment and HTLC transactions (BOLT 3). The last item is always the
//! witness script. Signatures go in DER with the byte of their sighash type.

use crate::types::PaymentPreimage;
use bitcoin::ecdsa::SerializedSignature;
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use bitcoin::{EcdsaSighashType, Script, Witness};

/// A signature as a witness carries it.
pub fn der(signature: &Signature, sighash_type: EcdsaSighashType) -> SerializedSignature {
    bitcoin::ecdsa::Signature { signature: *signature, sighash_type }.serialize()
}

/// HTLC-success: the broadcaster claims a received HTLC with its preimage.
pub fn htlc_success(
    countersignatory: (&Signature, EcdsaSighashType),
    broadcaster: &Signature,
    preimage: &PaymentPreimage,
    witness_script: &Script,
) -> Witness {
    second_stage(countersignatory, broadcaster, &preimage.0, witness_script)
}

/// HTLC-timeout: the broadcaster takes an offered HTLC back.
pub fn htlc_timeout(
    countersignatory: (&Signature, EcdsaSighashType),
    broadcaster: &Signature,
    witness_script: &Script,
) -> Witness {
    second_stage(countersignatory, broadcaster, &[], witness_script)
}

fn second_stage(
    (countersignature, sighash_type): (&Signature, EcdsaSighashType),
    broadcaster: &Signature,
    preimage: &[u8],
    witness_script: &Script,
) -> Witness {
    let mut witness = Witness::new();
    witness.push([]);
    witness.push(der(countersignature, sighash_type));
    witness.push(der(broadcaster, EcdsaSighashType::All));
    witness.push(preimage);
    witness.push(witness_script);
    witness
}

/// The broadcaster spends `to_local`, or the output of an HTLC transaction, after its delay (`nSequence` is
/// `to_self_delay`).
pub fn delayed(signature: &Signature, witness_script: &Script) -> Witness {
    signed(signature, &[], witness_script)
}

/// The countersignatory takes `to_local`, or the output of an HTLC transaction, of a revoked commitment.
pub fn delayed_penalty(signature: &Signature, witness_script: &Script) -> Witness {
    signed(signature, &[1], witness_script)
}

/// The countersignatory takes an HTLC output of a revoked commitment.
pub fn htlc_penalty(
    signature: &Signature,
    revocation_pubkey: &PublicKey,
    witness_script: &Script,
) -> Witness {
    signed(signature, &revocation_pubkey.serialize(), witness_script)
}

/// The countersignatory claims an HTLC that the broadcaster offered, with its preimage.
pub fn htlc_preimage_claim(
    signature: &Signature,
    preimage: &PaymentPreimage,
    witness_script: &Script,
) -> Witness {
    signed(signature, &preimage.0, witness_script)
}

/// The countersignatory takes back an HTLC that the broadcaster received, after its expiry.
pub fn htlc_timeout_claim(signature: &Signature, witness_script: &Script) -> Witness {
    signed(signature, &[], witness_script)
}

fn signed(signature: &Signature, selector: &[u8], witness_script: &Script) -> Witness {
    let mut witness = Witness::new();
    witness.push(der(signature, EcdsaSighashType::All));
    witness.push(selector);
    witness.push(witness_script);
    witness
}

/// The countersignatory spends `to_remote` of an anchors commitment (`nSequence` is 1).
pub fn to_remote(signature: &Signature, witness_script: &Script) -> Witness {
    signature_alone(signature, witness_script)
}

/// A party spends its anchor.
pub fn anchor(signature: &Signature, witness_script: &Script) -> Witness {
    signature_alone(signature, witness_script)
}

/// Anyone spends an anchor 16 blocks after its commitment (`nSequence` is 16).
pub fn anchor_anyone(witness_script: &Script) -> Witness {
    let mut witness = Witness::new();
    witness.push([]);
    witness.push(witness_script);
    witness
}

fn signature_alone(signature: &Signature, witness_script: &Script) -> Witness {
    let mut witness = Witness::new();
    witness.push(der(signature, EcdsaSighashType::All));
    witness.push(witness_script);
    witness
}
