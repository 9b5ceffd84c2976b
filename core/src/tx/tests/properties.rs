use super::channel::TestChannel;
use crate::tx::obscured::commitment_number;
use crate::tx::weight::ANCHOR_AMOUNT;
use crate::tx::{
    ClosingParams, CommitmentError, CommitmentFormat, CommitmentOutput, CommitmentSpec, Direction, Htlc,
    build_closing, build_commitment, commit_tx_fee, dust_exposure, untrimmed_count,
};
use crate::types::{CltvExpiry, CommitmentNumber, FeeratePerKw, HtlcId, MilliSatoshi, PaymentHash};
use bitcoin::{Amount, ScriptBuf};
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use std::sync::OnceLock;

fn htlcs() -> impl Strategy<Value = Vec<(Direction, Htlc)>> {
    let htlc = (any::<bool>(), 0..3_000_000_u64, 0..4_u8, 0..4_u32);
    prop::collection::vec(htlc, 0..24).prop_map(|htlcs| {
        (0..)
            .zip(htlcs)
            .map(|(id, (offered, msat, hash, expiry))| {
                let htlc = Htlc {
                    id: HtlcId(id),
                    // Few amounts, hashes and expiries: many are alike.
                    amount_msat: MilliSatoshi::from_msat(msat / 100_000 * 100_000 + msat % 3),
                    payment_hash: PaymentHash([hash; 32]),
                    cltv_expiry: CltvExpiry::new(500 + expiry).unwrap(),
                };
                (if offered { Direction::Offered } else { Direction::Received }, htlc)
            })
            .collect()
    })
}

fn channel(format: CommitmentFormat) -> &'static TestChannel {
    static STATIC_REMOTEKEY: OnceLock<TestChannel> = OnceLock::new();
    static ANCHORS: OnceLock<TestChannel> = OnceLock::new();
    match format {
        CommitmentFormat::StaticRemotekey => STATIC_REMOTEKEY.get_or_init(|| TestChannel::new(format)),
        CommitmentFormat::AnchorsZeroFeeHtlcTx => ANCHORS.get_or_init(|| TestChannel::new(format)),
    }
}

proptest! {
    #[test]
    fn every_commitment_shares_out_the_funding_amount(
        htlcs in htlcs(),
        to_local in 0..3_000_000_000_u64,
        to_remote in 0..3_000_000_000_u64,
        dust_limit in 354..3000_u64,
        feerate in 0..50_000_u32,
        number in 0..1_u64 << 48,
        opener_is_broadcaster: bool,
        anchors: bool,
    ) {
        let format = if anchors { CommitmentFormat::AnchorsZeroFeeHtlcTx } else { CommitmentFormat::StaticRemotekey };
        let channel = channel(format);
        let mut spec = CommitmentSpec {
            htlcs,
            feerate_per_kw: FeeratePerKw::from_sat_per_kw(feerate),
            to_local: MilliSatoshi::from_msat(to_local),
            to_remote: MilliSatoshi::from_msat(to_remote),
        };
        let total = spec.total().unwrap();
        let funding_amount = total.to_amount_ceil();
        let rest = MilliSatoshi::from(funding_amount).checked_sub(total).unwrap();
        spec.to_remote = spec.to_remote.checked_add(rest).unwrap();
        let dust_limit = Amount::from_sat(dust_limit);
        let mut params = channel.params.clone();
        (params.funding_amount, params.broadcaster_dust_limit) = (funding_amount, dust_limit);
        params.opener_is_broadcaster = opener_is_broadcaster;

        let number = CommitmentNumber(number);
        let untrimmed = untrimmed_count(&spec, dust_limit, format);
        let fee = commit_tx_fee(spec.feerate_per_kw, untrimmed, format);
        let anchors_cost = if anchors { 660 } else { 0 };
        let opener = if opener_is_broadcaster { spec.to_local } else { spec.to_remote };
        let affordable = opener.to_amount_floor().to_sat() >= fee.to_sat() + anchors_cost;
        let commitment = match build_commitment(number, &params, &channel.keys, &spec) {
            Ok(commitment) => commitment,
            Err(CommitmentError::OpenerCannotPay { .. }) => {
                prop_assert!(anchors && !affordable);
                return Ok(());
            }
            Err(error) => {
                prop_assert_eq!(error, CommitmentError::NoOutputs { dust_limit });
                prop_assert_eq!(untrimmed, 0);
                return Ok(());
            }
        };
        prop_assert!(affordable || !anchors);

        let outputs = &commitment.tx.output;
        let paid: u64 = outputs.iter().map(|output| output.value.to_sat()).sum();
        prop_assert_eq!(paid + commitment.fee.to_sat(), funding_amount.to_sat());
        prop_assert!(!affordable || commitment.fee >= fee);
        prop_assert!(outputs.is_sorted_by_key(|output| (output.value, output.script_pubkey.as_bytes())));
        prop_assert_eq!(commitment.outputs.len(), outputs.len());
        for (output, kind) in outputs.iter().zip(&commitment.outputs) {
            let is_anchor =
                matches!(kind, CommitmentOutput::BroadcasterAnchor | CommitmentOutput::CountersignatoryAnchor);
            let allowed = is_anchor && output.value == ANCHOR_AMOUNT || !is_anchor && output.value >= dust_limit;
            prop_assert!(allowed);
        }

        prop_assert_eq!(commitment.htlcs.len(), untrimmed);
        let kept: u64 = commitment.htlcs.iter().map(|htlc| htlc.htlc.amount_msat.to_msat()).sum();
        let all: u64 = spec.htlcs.iter().map(|(_, htlc)| htlc.amount_msat.to_msat()).sum();
        prop_assert_eq!(dust_exposure(&spec, dust_limit, format).to_msat(), all - kept);
        let htlc_txs = commitment.htlc_transactions();
        prop_assert_eq!(htlc_txs.len(), commitment.htlcs.len());
        for (htlc_tx, htlc) in htlc_txs.iter().zip(&commitment.htlcs) {
            let output = &outputs[usize::try_from(htlc.output_index).unwrap()];
            prop_assert_eq!(&output.script_pubkey, &htlc.witness_script.to_p2wsh());
            prop_assert_eq!(output.value, htlc.htlc.amount_msat.to_amount_floor());
            prop_assert_eq!(htlc_tx.htlc, htlc.htlc);
            prop_assert!(htlc_tx.tx.output[0].value >= dust_limit);
        }
        let places: Vec<_> = commitment.htlcs.iter().map(|htlc| htlc.output_index).collect();
        prop_assert!(places.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(commitment_number(&commitment.tx, params.obscuring_factor), Some(number));

        spec.htlcs.reverse();
        prop_assert_eq!(build_commitment(number, &params, &channel.keys, &spec), Ok(commitment));
    }

    #[test]
    fn no_content_makes_a_builder_panic(
        balances: (u64, u64),
        amount: u64,
        feerate: u32,
        sat: (u64, u64),
        number: u64,
        factor: u64,
        delay: u16,
        flags: (bool, bool),
    ) {
        let channel = channel(CommitmentFormat::AnchorsZeroFeeHtlcTx);
        let (direction, htlc) = channel.htlcs[0];
        let htlc = Htlc { amount_msat: MilliSatoshi::from_msat(amount), ..htlc };
        let (to_local, to_remote) =
            (MilliSatoshi::from_msat(balances.0), MilliSatoshi::from_msat(balances.1));
        let spec = CommitmentSpec {
            htlcs: if flags.0 { vec![(direction, htlc)] } else { Vec::new() },
            feerate_per_kw: FeeratePerKw::from_sat_per_kw(feerate),
            to_local,
            to_remote,
        };
        let mut params = channel.params.clone();
        (params.funding_amount, params.broadcaster_dust_limit) = (Amount::from_sat(sat.0), Amount::from_sat(sat.1));
        (params.obscuring_factor, params.to_self_delay, params.opener_is_broadcaster) = (factor, delay, flags.1);
        prop_assert!(build_commitment(CommitmentNumber(number), &params, &channel.keys, &spec).is_err());
        // With the sum right, it goes further.
        if let Some(total) = spec.total().filter(|total| total.to_msat() % 1000 == 0) {
            params.funding_amount = total.to_amount_floor();
            let _ = build_commitment(CommitmentNumber(number), &params, &channel.keys, &spec);
        }
        let closing = ClosingParams {
            funding_outpoint: params.funding_outpoint,
            funding_amount: to_local.saturating_add(to_remote).to_amount_floor(),
            local_funding_pubkey: channel.keys.broadcaster_funding_pubkey,
            remote_funding_pubkey: channel.keys.countersignatory_funding_pubkey,
            to_local,
            to_remote,
            local_script: ScriptBuf::new(),
            remote_script: ScriptBuf::new(),
            local_is_opener: flags.1,
        };
        let _ = build_closing(&closing, Amount::from_sat(sat.0), Amount::from_sat(sat.1));
    }
}
