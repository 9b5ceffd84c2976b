//! Every way to spend every output, judged by Bitcoin Core's code.

use super::channel::{NUMBER, TestChannel};
use super::spend_is_valid;
use crate::crypto::derive_revocation_private_key;
use crate::crypto::ec::sign_ecdsa;
use crate::tx::sighash::p2wsh_sighash;
use crate::tx::{
    Commitment, CommitmentFormat, CommitmentHtlc, CommitmentOutput, Direction, build_commitment, scripts,
    witness,
};
use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::{SecretKey, ecdsa::Signature};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, EcdsaSighashType, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
};

const FORMAT: CommitmentFormat = CommitmentFormat::AnchorsZeroFeeHtlcTx;

/// An output that is to be spent.
struct Spent<'a> {
    outpoint: OutPoint,
    output: &'a TxOut,
    script: &'a Script,
}

impl Spent<'_> {
    /// Whether the output can be spent so.
    fn is_spent(
        &self,
        sequence: u32,
        lock_time: u32,
        key: &SecretKey,
        witness: impl Fn(&Signature, &Script) -> Witness,
    ) -> bool {
        let mut tx = Transaction {
            version: Version::TWO,
            lock_time: LockTime::from_consensus(lock_time),
            input: vec![TxIn {
                previous_output: self.outpoint,
                script_sig: ScriptBuf::new(),
                sequence: Sequence(sequence),
                witness: Witness::new(),
            }],
            output: vec![TxOut { value: Amount::from_sat(200), script_pubkey: ScriptBuf::new() }],
        };
        let all = EcdsaSighashType::All;
        let digest = p2wsh_sighash(&tx, 0, self.script, self.output.value, all).unwrap();
        tx.input[0].witness = witness(&sign_ecdsa(&digest, key), self.script);
        spend_is_valid(&tx, 0, &self.output.script_pubkey, self.output.value)
    }
}

struct World {
    channel: TestChannel,
    commitment: Commitment,
    revocation_key: SecretKey,
    stranger: SecretKey,
}

impl World {
    fn new() -> Self {
        let channel = TestChannel::new(FORMAT);
        let spec = channel.spec(&[0, 1, 2, 3, 4], 1000);
        let commitment = build_commitment(NUMBER, &channel.params, &channel.keys, &spec).unwrap();
        let revocation_key =
            derive_revocation_private_key(&channel.remote.revocation_base, &channel.per_commitment_secret)
                .unwrap();
        Self { channel, commitment, revocation_key, stranger: SecretKey::from_slice(&[0x77; 32]).unwrap() }
    }

    fn spent<'a>(&'a self, output_index: u32, script: &'a Script) -> Spent<'a> {
        let tx = &self.commitment.tx;
        let outpoint = OutPoint { txid: tx.compute_txid(), vout: output_index };
        Spent { outpoint, output: &tx.output[usize::try_from(output_index).unwrap()], script }
    }

    fn spent_of<'a>(&'a self, kind: CommitmentOutput, script: &'a Script) -> Spent<'a> {
        self.spent(self.commitment.output_index(kind).unwrap(), script)
    }

    fn htlcs(&self, direction: Direction) -> impl Iterator<Item = &CommitmentHtlc> {
        self.commitment.htlcs.iter().filter(move |htlc| htlc.direction == direction)
    }
}

#[test]
fn to_local_by_delay_or_penalty() {
    let world = World::new();
    let delayed_key = world.channel.local_delayed_key();
    let spent = world.spent_of(CommitmentOutput::ToLocal, world.commitment.delayed_script());
    assert!(spent.is_spent(144, 0, &delayed_key, witness::delayed));
    assert!(!spent.is_spent(143, 0, &delayed_key, witness::delayed));
    assert!(!spent.is_spent(144, 0, &world.stranger, witness::delayed));
    assert!(spent.is_spent(u32::MAX, 0, &world.revocation_key, witness::delayed_penalty));
    assert!(!spent.is_spent(144, 0, &delayed_key, witness::delayed_penalty));
}

#[test]
fn to_remote_after_one_block() {
    let world = World::new();
    let script = scripts::to_remote_anchors(&world.channel.keys.countersignatory_payment_pubkey);
    let spent = world.spent_of(CommitmentOutput::ToRemote, &script);
    assert!(spent.is_spent(1, 0, &world.channel.remote.payment, witness::to_remote));
    assert!(!spent.is_spent(0, 0, &world.channel.remote.payment, witness::to_remote));
    assert!(!spent.is_spent(1, 0, &world.stranger, witness::to_remote));
}

#[test]
fn anchors_by_their_owner_or_by_anyone_after_16_blocks() {
    let world = World::new();
    let channel = &world.channel;
    for (kind, owner, other) in [
        (CommitmentOutput::BroadcasterAnchor, &channel.local.funding, &channel.remote.funding),
        (CommitmentOutput::CountersignatoryAnchor, &channel.remote.funding, &channel.local.funding),
    ] {
        let script = scripts::anchor(&crate::crypto::ec::public_key(owner));
        let spent = world.spent_of(kind, &script);
        assert!(spent.is_spent(u32::MAX, 0, owner, witness::anchor));
        assert!(!spent.is_spent(u32::MAX, 0, other, witness::anchor));
        assert!(spent.is_spent(16, 0, other, |_, script| witness::anchor_anyone(script)));
        assert!(!spent.is_spent(15, 0, other, |_, script| witness::anchor_anyone(script)));
    }
}

#[test]
fn offered_htlcs_by_preimage_or_penalty() {
    let world = World::new();
    let key = world.channel.remote_htlc_key();
    for htlc in world.htlcs(Direction::Offered) {
        let spent = world.spent(htlc.output_index, &htlc.witness_script);
        let preimage = |id: u64| world.channel.preimages[usize::try_from(id).unwrap()];
        let (right, wrong) = (preimage(htlc.htlc.id.0), preimage(0));
        let claim = |preimage| {
            move |signature: &_, script: &_| witness::htlc_preimage_claim(signature, &preimage, script)
        };
        assert!(spent.is_spent(1, 0, &key, claim(right)));
        assert!(!spent.is_spent(0, 0, &key, claim(right)));
        assert!(!spent.is_spent(1, 0, &key, claim(wrong)));
        assert!(!spent.is_spent(1, 600, &key, witness::htlc_timeout_claim));
        check_htlc_penalty(&world, &spent);
    }
    assert_eq!(world.htlcs(Direction::Offered).count(), 2);
}

#[test]
fn received_htlcs_by_timeout_or_penalty() {
    let world = World::new();
    let key = world.channel.remote_htlc_key();
    for htlc in world.htlcs(Direction::Received) {
        let spent = world.spent(htlc.output_index, &htlc.witness_script);
        let expiry = htlc.htlc.cltv_expiry.height();
        assert!(spent.is_spent(1, expiry, &key, witness::htlc_timeout_claim));
        assert!(!spent.is_spent(1, expiry - 1, &key, witness::htlc_timeout_claim));
        assert!(!spent.is_spent(0, expiry, &key, witness::htlc_timeout_claim));
        check_htlc_penalty(&world, &spent);
    }
    assert_eq!(world.htlcs(Direction::Received).count(), 3);
}

fn check_htlc_penalty(world: &World, spent: &Spent<'_>) {
    let penalty = |signature: &_, script: &_| {
        witness::htlc_penalty(signature, &world.channel.keys.revocation_pubkey, script)
    };
    assert!(spent.is_spent(u32::MAX, 0, &world.revocation_key, penalty));
    assert!(!spent.is_spent(u32::MAX, 0, &world.stranger, penalty));
}

#[test]
fn htlc_transactions_need_both_signatures_and_their_outputs_are_delayed() {
    let world = World::new();
    let channel = &world.channel;
    for htlc_tx in world.commitment.htlc_transactions() {
        let preimage = channel.preimages[usize::try_from(htlc_tx.htlc.id.0).unwrap()];
        let from_remote =
            sign_ecdsa(&htlc_tx.countersignatory_sighash().unwrap(), &channel.remote_htlc_key());
        let from_local = sign_ecdsa(&htlc_tx.broadcaster_sighash().unwrap(), &channel.local_htlc_key());
        let spent = world.spent(htlc_tx.tx.input[0].previous_output.vout, &htlc_tx.witness_script);
        let is_valid = |local, remote| {
            let mut signed = htlc_tx.tx.clone();
            signed.input[0].witness = htlc_tx.witness(local, remote, Some(&preimage)).unwrap();
            spend_is_valid(&signed, 0, &spent.output.script_pubkey, spent.output.value)
        };
        assert!(is_valid(&from_local, &from_remote));
        assert!(!is_valid(&from_remote, &from_local));
        assert!(!is_valid(&from_local, &from_local));
        assert_eq!(
            htlc_tx.witness(&from_local, &from_remote, None).is_some(),
            htlc_tx.direction == Direction::Offered
        );

        let second_stage = Spent {
            outpoint: OutPoint { txid: htlc_tx.tx.compute_txid(), vout: 0 },
            output: &htlc_tx.tx.output[0],
            script: world.commitment.delayed_script(),
        };
        assert!(second_stage.is_spent(144, 0, &channel.local_delayed_key(), witness::delayed));
        assert!(!second_stage.is_spent(143, 0, &channel.local_delayed_key(), witness::delayed));
        assert!(second_stage.is_spent(0, 0, &world.revocation_key, witness::delayed_penalty));
    }
}

/// The countersignatory's signature must stand when the broadcaster adds an input and an output to pay the fee.
#[test]
fn an_htlc_transaction_may_gain_inputs_and_outputs() {
    let world = World::new();
    let channel = &world.channel;
    let htlc_tx = world.commitment.htlc_transactions().remove(0);
    let from_remote = sign_ecdsa(&htlc_tx.countersignatory_sighash().unwrap(), &channel.remote_htlc_key());
    let mut tx = htlc_tx.tx.clone();
    let fee_input =
        TxIn { previous_output: OutPoint { vout: 7, ..channel.params.funding_outpoint }, ..TxIn::default() };
    tx.input.push(fee_input);
    tx.output.push(TxOut { value: Amount::from_sat(9), script_pubkey: ScriptBuf::new() });
    let digest =
        p2wsh_sighash(&tx, 0, &htlc_tx.witness_script, htlc_tx.amount, EcdsaSighashType::All).unwrap();
    let from_local = sign_ecdsa(&digest, &channel.local_htlc_key());
    let preimage = channel.preimages[usize::try_from(htlc_tx.htlc.id.0).unwrap()];
    tx.input[0].witness = htlc_tx.witness(&from_local, &from_remote, Some(&preimage)).unwrap();
    let spent = world.spent(tx.input[0].previous_output.vout, &htlc_tx.witness_script);
    assert!(spend_is_valid(&tx, 0, &spent.output.script_pubkey, spent.output.value));
}
