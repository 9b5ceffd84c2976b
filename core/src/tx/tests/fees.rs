use super::channel::TestChannel;
use crate::tx::fees::{anchors_cost, commit_tx_fee, htlc_tx_fee, opener_cost};
use crate::tx::trim::is_trimmed;
use crate::tx::weight::htlc_tx_weight;
use crate::tx::{CommitmentFormat, CommitmentSpec, Direction, Htlc, dust_exposure, untrimmed_count};
use crate::types::{FeeratePerKw, HtlcId, MilliSatoshi};
use bitcoin::Amount;

use CommitmentFormat::{AnchorsZeroFeeHtlcTx, StaticRemotekey};
use Direction::{Offered, Received};

const FEERATE: FeeratePerKw = FeeratePerKw::from_sat_per_kw(5000);
const DUST_LIMIT: Amount = Amount::from_sat(546);

/// The example of BOLT 3, Fee Calculation.
fn example() -> CommitmentSpec {
    let (_, template) = TestChannel::new(StaticRemotekey).htlcs[0];
    let htlc = |direction, id, amount_msat| {
        (direction, Htlc { id: HtlcId(id), amount_msat: MilliSatoshi::from_msat(amount_msat), ..template })
    };
    CommitmentSpec {
        htlcs: vec![
            htlc(Offered, 0, 5_000_000),
            htlc(Offered, 1, 1_000_000),
            htlc(Received, 0, 7_000_000),
            htlc(Received, 1, 800_000),
        ],
        feerate_per_kw: FEERATE,
        to_local: MilliSatoshi::ZERO,
        to_remote: MilliSatoshi::ZERO,
    }
}

#[test]
fn the_example_of_bolt_3() {
    assert_eq!(htlc_tx_fee(FEERATE, Offered, StaticRemotekey).to_sat(), 3315);
    assert_eq!(htlc_tx_fee(FEERATE, Received, StaticRemotekey).to_sat(), 3515);
    let spec = example();
    assert_eq!(untrimmed_count(&spec, DUST_LIMIT, StaticRemotekey), 2);
    assert_eq!(commit_tx_fee(FEERATE, 2, StaticRemotekey).to_sat(), 5340);
    assert_eq!(dust_exposure(&spec, DUST_LIMIT, StaticRemotekey).to_msat(), 1_800_000);
}

#[test]
fn with_anchors_no_fee_of_an_htlc_transaction_counts() {
    let spec = example();
    assert_eq!(htlc_tx_fee(FEERATE, Offered, AnchorsZeroFeeHtlcTx), Amount::ZERO);
    assert_eq!(htlc_tx_fee(FEERATE, Received, AnchorsZeroFeeHtlcTx), Amount::ZERO);
    assert_eq!(untrimmed_count(&spec, DUST_LIMIT, AnchorsZeroFeeHtlcTx), 4);
    assert_eq!(dust_exposure(&spec, DUST_LIMIT, AnchorsZeroFeeHtlcTx), MilliSatoshi::ZERO);
    assert_eq!(untrimmed_count(&spec, Amount::from_sat(1001), AnchorsZeroFeeHtlcTx), 2);
    assert_eq!(dust_exposure(&spec, Amount::from_sat(1001), AnchorsZeroFeeHtlcTx).to_msat(), 1_800_000);
    assert_eq!(anchors_cost(AnchorsZeroFeeHtlcTx).to_sat(), 660);
    assert_eq!(opener_cost(FEERATE, 4, AnchorsZeroFeeHtlcTx).to_msat(), ((1124 + 4 * 172) * 5 + 660) * 1000);
    assert_eq!(opener_cost(FEERATE, 2, StaticRemotekey).to_msat(), 5_340_000);
    assert_eq!(htlc_tx_weight(AnchorsZeroFeeHtlcTx, Offered), 666);
    assert_eq!(htlc_tx_weight(AnchorsZeroFeeHtlcTx, Received), 706);
}

#[test]
fn the_msat_part_of_an_htlc_does_not_lift_it_above_the_dust_limit() {
    let trimmed =
        |msat, format| is_trimmed(Offered, MilliSatoshi::from_msat(msat), FEERATE, DUST_LIMIT, format);
    assert!(trimmed(545_999, AnchorsZeroFeeHtlcTx));
    assert!(!trimmed(546_000, AnchorsZeroFeeHtlcTx));
    assert!(trimmed(3_860_999, StaticRemotekey));
    assert!(!trimmed(3_861_000, StaticRemotekey));
}

#[test]
fn the_largest_inputs_do_not_overflow() {
    let feerate = FeeratePerKw::from_sat_per_kw(u32::MAX);
    for format in [StaticRemotekey, AnchorsZeroFeeHtlcTx] {
        assert!(opener_cost(feerate, usize::MAX, format).to_msat() >= u64::MAX - 1000);
        let mut spec = example();
        spec.feerate_per_kw = feerate;
        spec.htlcs.iter_mut().for_each(|(_, htlc)| htlc.amount_msat = MilliSatoshi::from_msat(u64::MAX));
        assert_eq!(dust_exposure(&spec, Amount::from_sat(u64::MAX), format).to_msat(), u64::MAX);
        assert_eq!(untrimmed_count(&spec, Amount::from_sat(u64::MAX), format), 0);
        assert_eq!(spec.total(), None);
    }
}
