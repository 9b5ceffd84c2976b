use super::channel::TestChannel;
use super::spend_is_valid;
use crate::crypto::ec::sign_ecdsa;
use crate::tx::closing::{remote_variants, script_dust_limit};
use crate::tx::funding::funding_output_script;
use crate::tx::weight::closing_weight;
use crate::tx::{Closing, ClosingError, ClosingParams, CommitmentFormat, build_closing};
use crate::types::MilliSatoshi;
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, ScriptBuf, Sequence};

const DUST_LIMIT: Amount = Amount::from_sat(354);
const FEE: Amount = Amount::from_sat(1000);

fn script(byte: u8) -> ScriptBuf {
    ScriptBuf::from_bytes([vec![0x00, 0x14], vec![byte; 20]].concat())
}

fn params(channel: &TestChannel, to_local_msat: u64, local_is_opener: bool) -> ClosingParams {
    let to_local = MilliSatoshi::from_msat(to_local_msat);
    ClosingParams {
        funding_outpoint: channel.params.funding_outpoint,
        funding_amount: channel.params.funding_amount,
        local_funding_pubkey: channel.keys.broadcaster_funding_pubkey,
        remote_funding_pubkey: channel.keys.countersignatory_funding_pubkey,
        to_local,
        to_remote: MilliSatoshi::from(channel.params.funding_amount).checked_sub(to_local).unwrap(),
        local_script: script(1),
        remote_script: script(2),
        local_is_opener,
    }
}

fn amounts(closing: &Closing) -> (Option<u64>, Option<u64>) {
    let value = |index: Option<u32>| Some(closing.tx.output[usize::try_from(index?).unwrap()].value.to_sat());
    (value(closing.local_output), value(closing.remote_output))
}

#[test]
fn the_opener_pays_the_fee_and_both_round_down() {
    let channel = TestChannel::new(CommitmentFormat::default());
    let closing = build_closing(&params(&channel, 4_000_000_500, true), FEE, DUST_LIMIT).unwrap();
    assert_eq!(amounts(&closing), (Some(3_999_000), Some(5_999_999)));
    let closing = build_closing(&params(&channel, 4_000_000_500, false), FEE, DUST_LIMIT).unwrap();
    assert_eq!(amounts(&closing), (Some(4_000_000), Some(5_998_999)));
    assert_eq!((closing.tx.version, closing.tx.lock_time), (Version::TWO, LockTime::ZERO));
    assert_eq!(closing.tx.input[0].sequence, Sequence::MAX);
}

#[test]
fn the_close_spends_the_funding_output_and_both_parties_build_it_alike() {
    let channel = TestChannel::new(CommitmentFormat::default());
    let ours = params(&channel, 4_000_000_000, true);
    let closing = build_closing(&ours, FEE, DUST_LIMIT).unwrap();
    let theirs = ClosingParams {
        local_funding_pubkey: ours.remote_funding_pubkey,
        remote_funding_pubkey: ours.local_funding_pubkey,
        to_local: ours.to_remote,
        to_remote: ours.to_local,
        local_script: ours.remote_script.clone(),
        remote_script: ours.local_script.clone(),
        local_is_opener: false,
        ..ours
    };
    let theirs = build_closing(&theirs, FEE, DUST_LIMIT).unwrap();
    assert_eq!((theirs.sighash(), &theirs.tx), (closing.sighash(), &closing.tx));
    let local = sign_ecdsa(&closing.sighash(), &channel.local.funding);
    let remote = sign_ecdsa(&closing.sighash(), &channel.remote.funding);
    let funding = funding_output_script(&ours.local_funding_pubkey, &ours.remote_funding_pubkey);
    let signed = closing.signed(&local, &remote);
    assert!(spend_is_valid(&signed, 0, &funding, ours.funding_amount));
    assert_eq!(theirs.signed(&remote, &local), signed);
    assert!(!spend_is_valid(&closing.signed(&remote, &local), 0, &funding, ours.funding_amount));
    let (weight, expected) = (signed.weight().to_wu(), closing_weight([&*script(1), &*script(2)]));
    assert!((expected - 4..=expected).contains(&weight), "{weight} {expected}");
}

#[test]
fn outputs_below_the_dust_limit_are_left_out() {
    let channel = TestChannel::new(CommitmentFormat::default());
    let closing = build_closing(&params(&channel, 354_000, false), FEE, DUST_LIMIT).unwrap();
    assert_eq!(amounts(&closing), (Some(354), Some(9_998_646)));
    let closing = build_closing(&params(&channel, 353_999, false), FEE, DUST_LIMIT).unwrap();
    assert_eq!(amounts(&closing), (None, Some(9_998_646)));
    // What is below the limit only once the fee is paid, too.
    let closing = build_closing(&params(&channel, 1_353_000, true), FEE, DUST_LIMIT).unwrap();
    assert_eq!(amounts(&closing), (None, Some(9_998_647)));
}

#[test]
fn what_cannot_be_built_is_refused() {
    let channel = TestChannel::new(CommitmentFormat::default());
    let balance = MilliSatoshi::from_msat(999_999);
    let error = build_closing(&params(&channel, 999_999, true), FEE, DUST_LIMIT).unwrap_err();
    assert_eq!(error, ClosingError::OpenerCannotPay { balance, fee: FEE });
    let mut wrong = params(&channel, 4_000_000_000, true);
    wrong.to_local = MilliSatoshi::ZERO;
    assert!(matches!(build_closing(&wrong, FEE, DUST_LIMIT), Err(ClosingError::Unbalanced { .. })));
    let dust_limit = Amount::from_sat(10_000_000);
    let error = build_closing(&params(&channel, 4_000_000_000, true), FEE, dust_limit).unwrap_err();
    assert_eq!(error, ClosingError::NoOutputs { dust_limit });
}

#[test]
fn the_peer_may_leave_its_output_out_and_goes_by_its_own_dust_limit() {
    let channel = TestChannel::new(CommitmentFormat::default());
    let variants = |to_local_msat, remote_limit| {
        let params = params(&channel, to_local_msat, true);
        let variants = remote_variants(&params, FEE, DUST_LIMIT, Amount::from_sat(remote_limit)).unwrap();
        variants.iter().map(amounts).collect::<Vec<_>>()
    };
    let both = (Some(3_999_000), Some(6_000_000));
    assert_eq!(variants(4_000_000_000, 354), [both, (Some(3_999_000), None)]);
    // Ours is dust to the peer, not to us.
    let (alone, both) = ((None, Some(9_998_500)), (Some(500), Some(9_998_500)));
    assert_eq!(variants(1_500_000, 546), [alone, both]);
}

#[test]
fn outputs_that_nodes_would_not_relay_are_found() {
    let channel = TestChannel::new(CommitmentFormat::default());
    let mut params = params(&channel, 400_000, false);
    assert_eq!(build_closing(&params, FEE, DUST_LIMIT).unwrap().check_relayable(), Ok(()));
    params.local_script =
        ScriptBuf::from_bytes([vec![0x76, 0xa9, 0x14], vec![1; 20], vec![0x88, 0xac]].concat());
    let error = build_closing(&params, FEE, DUST_LIMIT).unwrap().check_relayable().unwrap_err();
    let (amount, limit) = (Amount::from_sat(400), Amount::from_sat(546));
    assert_eq!(error, ClosingError::Dust { amount, script: params.local_script, limit });
}

#[test]
fn dust_limits_of_bolt_3() {
    let program = |version: u8, length: u8| [vec![version, length], vec![7; usize::from(length)]].concat();
    for (bytes, limit) in [
        ([vec![0x76, 0xa9, 0x14], vec![1; 20], vec![0x88, 0xac]].concat(), 546),
        ([vec![0xa9, 0x14], vec![1; 20], vec![0x87]].concat(), 540),
        (program(0, 20), 294),
        (program(0, 32), 330),
        (vec![0x51, 0x02, 0x4e, 0x73], 240),
        (program(0x51, 32), 354),
        (program(0x60, 40), 354),
        (vec![0x6a, 0x01, 0x00], 0),
    ] {
        assert_eq!(script_dust_limit(&ScriptBuf::from_bytes(bytes)).to_sat(), limit);
    }
}
