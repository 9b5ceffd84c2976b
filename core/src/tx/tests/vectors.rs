//! BOLT 3, Appendices B, C and F.

use super::channel::{NUMBER, TestChannel, secret};
use super::spend_is_valid;
use crate::crypto::ec::{public_key, sign_ecdsa, verify_ecdsa};
use crate::tx::fees::commit_tx_fee;
use crate::tx::funding::{funding_output_script, funding_script};
use crate::tx::obscured::commitment_number;
use crate::tx::scripts::to_remote_output;
use crate::tx::{
    Commitment, CommitmentFormat, CommitmentOutput, CommitmentSpec, Direction, HtlcTx, build_commitment,
};
use crate::types::{FeeratePerKw, MilliSatoshi};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use bitcoin::sighash::SighashCache;
use bitcoin::{Amount, EcdsaSighashType, OutPoint, Transaction};
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases<T> {
    cases: Vec<T>,
}

/// A case of either appendix.
struct Case {
    name: String,
    spec: CommitmentSpec,
    dust_limit: Amount,
    remote_signature: String,
    tx: String,
    /// The remote signature and the signed transaction of every HTLC, in the order of the outputs.
    htlcs: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct StaticRemotekeyCase {
    name: String,
    to_local_msat: u64,
    to_remote_msat: u64,
    local_feerate_per_kw: u32,
    num_htlcs: usize,
    base_fee: Option<u64>,
    actual_fee: Option<u64>,
    htlc_outputs: Vec<HtlcOutput>,
    to_local: Option<Output>,
    to_remote: Option<Output>,
    remote_signature: String,
    local_signature: String,
    commit_tx: String,
    htlc_txs: Vec<StaticRemotekeyHtlcTx>,
}

#[derive(Deserialize)]
struct HtlcOutput {
    htlc: u64,
    direction: String,
    amount: u64,
    wscript: String,
}

#[derive(Deserialize)]
struct Output {
    amount: u64,
    #[serde(default)]
    wscript: String,
}

#[derive(Deserialize)]
struct StaticRemotekeyHtlcTx {
    output: u32,
    kind: String,
    htlc: u64,
    remote_htlc_signature: String,
    local_htlc_signature: String,
    tx: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnchorsCase {
    name: String,
    local_balance: u64,
    remote_balance: u64,
    dust_limit_satoshis: u64,
    fee_per_kw: u32,
    use_test_htlcs: bool,
    htlc_descs: Vec<AnchorsHtlc>,
    expected_commitment_tx_hex: String,
    remote_sig_hex: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnchorsHtlc {
    remote_sig_hex: String,
    resolution_tx_hex: String,
}

/// HTLCs 5 and 6 are only used in the "same amount and preimage" test, and there with HTLC 1 alone.
fn htlcs_of(name: &str, has_htlcs: bool) -> &'static [usize] {
    match (has_htlcs, name.contains("same amount and preimage")) {
        (false, _) => &[],
        (true, true) => &[1, 5, 6],
        (true, false) => &[0, 1, 2, 3, 4],
    }
}

fn spec(
    channel: &TestChannel,
    htlcs: &[usize],
    to_local: u64,
    to_remote: u64,
    feerate: u32,
) -> CommitmentSpec {
    CommitmentSpec {
        htlcs: htlcs.iter().map(|index| channel.htlcs[*index]).collect(),
        feerate_per_kw: FeeratePerKw::from_sat_per_kw(feerate),
        to_local: MilliSatoshi::from_msat(to_local),
        to_remote: MilliSatoshi::from_msat(to_remote),
    }
}

fn signature(der: &str) -> Signature {
    Signature::from_der(&hex::decode(der).unwrap()).unwrap()
}

/// Builds, signs and spends everything in one case.
fn check(channel: &mut TestChannel, case: &Case) -> (Commitment, Vec<HtlcTx>) {
    let Case { name, .. } = case;
    channel.params.broadcaster_dust_limit = case.dust_limit;
    let commitment = build_commitment(NUMBER, &channel.params, &channel.keys, &case.spec).unwrap();
    assert_eq!(commitment_number(&commitment.tx, channel.params.obscuring_factor), Some(NUMBER), "{name}");

    let remote_signature = sign_ecdsa(&commitment.sighash().unwrap(), &channel.remote.funding);
    assert_eq!(remote_signature, signature(&case.remote_signature), "{name}");
    let local_signature = sign_ecdsa(&commitment.sighash().unwrap(), &channel.local.funding);
    let signed = commitment.signed(&local_signature, &remote_signature);
    assert_eq!(serialize_hex(&signed), case.tx, "{name}");
    let (local, remote) = channel.basepoints();
    let funding = funding_output_script(&local.funding_pubkey, &remote.funding_pubkey);
    assert!(spend_is_valid(&signed, 0, &funding, channel.params.funding_amount), "{name}");

    let htlc_txs = commitment.htlc_transactions();
    assert_eq!(htlc_txs.len(), case.htlcs.len(), "{name}");
    for (htlc_tx, (remote_signature, tx)) in htlc_txs.iter().zip(&case.htlcs) {
        check_htlc(channel, name, &signed, htlc_tx, remote_signature, tx);
    }
    (commitment, htlc_txs)
}

fn check_htlc(
    channel: &TestChannel,
    name: &str,
    commitment: &Transaction,
    htlc_tx: &HtlcTx,
    remote_signature: &str,
    tx: &str,
) {
    let from_remote = sign_ecdsa(&htlc_tx.countersignatory_sighash().unwrap(), &channel.remote_htlc_key());
    assert_eq!(from_remote, signature(remote_signature), "{name}");
    let remote_key = channel.keys.htlc_keys().unwrap().countersignatory_htlc_pubkey;
    verify_ecdsa(&htlc_tx.countersignatory_sighash().unwrap(), &from_remote, &remote_key).unwrap();
    let from_local = sign_ecdsa(&htlc_tx.broadcaster_sighash().unwrap(), &channel.local_htlc_key());
    let preimage = usize::try_from(htlc_tx.htlc.id.0).map(|id| channel.preimages[id]).unwrap();
    let mut signed = htlc_tx.tx.clone();
    signed.input[0].witness = htlc_tx.witness(&from_local, &from_remote, Some(&preimage)).unwrap();
    assert_eq!(serialize_hex(&signed), tx, "{name}");
    let OutPoint { txid, vout } = signed.input[0].previous_output;
    assert_eq!(txid, commitment.compute_txid(), "{name}");
    let spent = &commitment.output[usize::try_from(vout).unwrap()];
    assert!(spend_is_valid(&signed, 0, &spent.script_pubkey, spent.value), "{name}");
}

#[test]
fn appendix_c_commitments_in_the_static_remotekey_format() {
    let mut channel = TestChannel::new(CommitmentFormat::StaticRemotekey);
    let dust_limit = channel.params.broadcaster_dust_limit;
    let text = include_str!("../../../tests/vectors/bolt03/commitment_static_remotekey.json");
    let cases = serde_json::from_str::<Cases<StaticRemotekeyCase>>(text).unwrap().cases;
    let (mut commitments, mut htlcs) = (0, 0);
    for vector in cases {
        let has_htlcs = vector.to_local_msat != 7_000_000_000;
        let indexes = htlcs_of(&vector.name, has_htlcs);
        let pairs = vector.htlc_txs.iter().map(|htlc| (htlc.remote_htlc_signature.clone(), htlc.tx.clone()));
        let case = Case {
            name: vector.name.clone(),
            spec: spec(
                &channel,
                indexes,
                vector.to_local_msat,
                vector.to_remote_msat,
                vector.local_feerate_per_kw,
            ),
            dust_limit,
            remote_signature: vector.remote_signature.clone(),
            tx: vector.commit_tx.clone(),
            htlcs: pairs.collect(),
        };
        let (commitment, htlc_txs) = check(&mut channel, &case);
        check_comments(&channel, &vector, &commitment, &htlc_txs);
        commitments += 1;
        htlcs += htlc_txs.len();
    }
    assert_eq!((commitments, htlcs), (16, 33));
}

/// The lines of Appendix C that say how a transaction came about.
fn check_comments(
    channel: &TestChannel,
    vector: &StaticRemotekeyCase,
    commitment: &Commitment,
    htlc_txs: &[HtlcTx],
) {
    let name = &vector.name;
    let local_signature = sign_ecdsa(&commitment.sighash().unwrap(), &channel.local.funding);
    assert_eq!(local_signature, signature(&vector.local_signature), "{name}");
    assert_eq!(htlc_txs.len(), vector.num_htlcs, "{name}");
    for expected in &vector.htlc_outputs {
        let htlc = commitment.htlcs.iter().find(|htlc| htlc.htlc.id.0 == expected.htlc).unwrap();
        assert_eq!(hex::encode(htlc.witness_script.as_bytes()), expected.wscript, "{name}");
        assert_eq!(htlc.htlc.amount_msat.to_amount_floor().to_sat(), expected.amount, "{name}");
        assert_eq!(htlc.direction == Direction::Offered, expected.direction == "offered", "{name}");
    }
    for (htlc_tx, expected) in htlc_txs.iter().zip(&vector.htlc_txs) {
        assert_eq!(htlc_tx.htlc.id.0, expected.htlc, "{name}");
        assert_eq!(htlc_tx.tx.input[0].previous_output.vout, expected.output, "{name}");
        assert_eq!(htlc_tx.direction == Direction::Received, expected.kind == "success", "{name}");
        let from_local = sign_ecdsa(&htlc_tx.broadcaster_sighash().unwrap(), &channel.local_htlc_key());
        assert_eq!(from_local, signature(&expected.local_htlc_signature), "{name}");
    }
    // The last case says nothing about fees and balances.
    let (Some(base_fee), Some(actual_fee)) = (vector.base_fee, vector.actual_fee) else {
        assert!(name.contains("same amount and preimage"));
        return;
    };
    let feerate = FeeratePerKw::from_sat_per_kw(vector.local_feerate_per_kw);
    let fee = commit_tx_fee(feerate, vector.num_htlcs, CommitmentFormat::StaticRemotekey);
    assert_eq!(fee.to_sat(), base_fee, "{name}");
    assert_eq!(commitment.fee.to_sat(), actual_fee, "{name}");
    let value_of = |kind| {
        let index = commitment.outputs.iter().position(|its| *its == kind)?;
        Some(commitment.tx.output[index].value.to_sat())
    };
    let to_local = vector.to_local.as_ref();
    assert_eq!(value_of(CommitmentOutput::ToLocal), to_local.map(|output| output.amount), "{name}");
    if let Some(output) = to_local {
        assert_eq!(hex::encode(commitment.delayed_script().as_bytes()), output.wscript, "{name}");
    }
    let to_remote = vector.to_remote.as_ref().map(|output| output.amount);
    assert_eq!(value_of(CommitmentOutput::ToRemote), to_remote, "{name}");
    let script =
        to_remote_output(&channel.keys.countersignatory_payment_pubkey, CommitmentFormat::StaticRemotekey);
    assert!(commitment.tx.output.iter().any(|output| output.script_pubkey == script), "{name}");
}

#[test]
fn appendix_f_commitments_with_anchors() {
    let mut channel = TestChannel::new(CommitmentFormat::AnchorsZeroFeeHtlcTx);
    let text = include_str!("../../../tests/vectors/bolt03/commitment_anchors.json");
    let cases = serde_json::from_str::<Cases<AnchorsCase>>(text).unwrap().cases;
    let (mut commitments, mut htlcs) = (0, 0);
    for vector in cases {
        let indexes = htlcs_of(&vector.name, vector.use_test_htlcs);
        let pairs =
            vector.htlc_descs.into_iter().map(|htlc| (htlc.remote_sig_hex, htlc.resolution_tx_hex)).collect();
        let case = Case {
            spec: spec(&channel, indexes, vector.local_balance, vector.remote_balance, vector.fee_per_kw),
            name: vector.name,
            dust_limit: Amount::from_sat(vector.dust_limit_satoshis),
            remote_signature: vector.remote_sig_hex,
            tx: vector.expected_commitment_tx_hex,
            htlcs: pairs,
        };
        let (_, htlc_txs) = check(&mut channel, &case);
        commitments += 1;
        htlcs += htlc_txs.len();
    }
    assert_eq!((commitments, htlcs), (9, 15));
}

#[derive(Deserialize)]
struct Funding {
    block_1_coinbase_transaction: String,
    block_1_coinbase_privkey: String,
    local_funding_pubkey: PublicKey,
    remote_funding_pubkey: PublicKey,
    funding_witness_script: String,
    input_txid: String,
    input_index: u32,
    input_satoshis: u64,
    funding_satoshis: u64,
    change_satoshis: u64,
    funding_output: usize,
    funding_tx: String,
    txid: String,
}

#[test]
fn appendix_b_funding_transaction() {
    let vector: Funding =
        serde_json::from_str(include_str!("../../../tests/vectors/bolt03/funding.json")).unwrap();
    let (local, remote) = (&vector.local_funding_pubkey, &vector.remote_funding_pubkey);
    let script = funding_script(local, remote);
    assert_eq!(hex::encode(script.as_bytes()), vector.funding_witness_script);
    assert_eq!(funding_script(remote, local), script);

    let tx: Transaction = deserialize_hex(&vector.funding_tx).unwrap();
    assert_eq!(tx.compute_txid().to_string(), vector.txid);
    let output = &tx.output[vector.funding_output];
    assert_eq!(output.script_pubkey, funding_output_script(local, remote));
    assert_eq!(output.value.to_sat(), vector.funding_satoshis);
    assert_eq!(tx.output[1 - vector.funding_output].value.to_sat(), vector.change_satoshis);

    let coinbase: Transaction = deserialize_hex(&vector.block_1_coinbase_transaction).unwrap();
    let spent = OutPoint { txid: vector.input_txid.parse().unwrap(), vout: vector.input_index };
    assert_eq!(coinbase.compute_txid(), spent.txid);
    assert_eq!(tx.input[0].previous_output, spent);
    let spent = &coinbase.output[0];
    assert_eq!(spent.value.to_sat(), vector.input_satoshis);
    assert!(spend_is_valid(&tx, 0, &spent.script_pubkey, spent.value));

    let key = secret(&vector.block_1_coinbase_privkey);
    let all = EcdsaSighashType::All;
    let digest = SighashCache::new(&tx).legacy_signature_hash(0, &spent.script_pubkey, all.to_u32()).unwrap();
    let signature = sign_ecdsa(&digest.to_byte_array(), &key);
    let der = bitcoin::ecdsa::Signature { signature, sighash_type: all }.serialize();
    let mut script_sig = vec![u8::try_from(der.len()).unwrap()];
    script_sig.extend_from_slice(&der);
    script_sig.push(33);
    script_sig.extend(public_key(&key).serialize());
    assert_eq!(tx.input[0].script_sig.as_bytes(), script_sig);
}
