//! Proof of work: what the next header must carry.

use super::HeaderChain;
use crate::types::BlockHeight;
use bitcoin::block::Header;
use bitcoin::consensus::Params;
use bitcoin::{CompactTarget, Network, Target};

/// Blocks between two changes of the difficulty.
const RETARGET_INTERVAL: BlockHeight = 2016;

/// Whether `header` may stand at `height` above `previous`, by its claimed target alone.
///
/// Inside a period the target stays; at its end it is computed where the chain reaches back far enough, and
/// otherwise may change by no more than the factor of four that consensus allows.
pub(super) fn target_is_allowed(
    network: Network,
    chain: &HeaderChain,
    branch: &[Header],
    height: BlockHeight,
    previous: &Header,
    header: &Header,
) -> bool {
    let params = Params::new(network);
    if header.target() > params.max_attainable_target {
        return false;
    }
    if params.no_pow_retargeting {
        return header.bits == previous.bits;
    }
    if !height.is_multiple_of(RETARGET_INTERVAL) {
        // Testnets let a block after 20 minutes be easy; a wallet does not need such blocks to be convincing.
        return header.bits == previous.bits || params.allow_min_difficulty_blocks;
    }
    let first_height = height - RETARGET_INTERVAL;
    match header_at(chain, branch, height, first_height) {
        Some(first) => {
            let timespan = u64::from(previous.time).saturating_sub(u64::from(first.time));
            header.bits == CompactTarget::from_next_work_required(previous.bits, timespan, &params)
        }
        None => {
            let old: Target = previous.target();
            header.target() >= old.min_transition_threshold()
                && header.target() <= old.max_transition_threshold_unchecked()
        }
    }
}

/// The header at `wanted`, in the branch that ends below `height` or in the chain under it.
fn header_at(
    chain: &HeaderChain,
    branch: &[Header],
    height: BlockHeight,
    wanted: BlockHeight,
) -> Option<Header> {
    let branch_start = height.checked_sub(BlockHeight::try_from(branch.len()).ok()?)?;
    match wanted.checked_sub(branch_start) {
        Some(offset) => branch.get(usize::try_from(offset).ok()?).copied(),
        None => chain.header(wanted).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Checkpoint;

    /// Headers of a whole period from its first to its last block, of which only times and targets count here.
    fn period(first_time: u32, last_time: u32, bits: u32) -> Vec<Header> {
        let header = Checkpoint::genesis(Network::Bitcoin).header;
        let mut headers = vec![Header { bits: CompactTarget::from_consensus(bits), ..header }; 2016];
        headers[0].time = first_time;
        headers[2015].time = last_time;
        headers
    }

    /// From the tests of Bitcoin Core (src/test/pow_tests.cpp, get_next_work and its limits): the first and last time of a
    /// period, its target, the next one.
    #[test]
    fn the_target_of_the_next_period_is_computed_as_bitcoin_core_does() {
        let vectors = [
            (32_255, 1_261_130_161, 1_262_152_739, 0x1d00_ffff, 0x1d00_d86a),
            (2_015, 1_231_006_505, 1_233_061_996, 0x1d00_ffff, 0x1d00_ffff),
            (68_543, 1_279_008_237, 1_279_297_671, 0x1c05_a3f4, 0x1c01_68fd),
            (46_367, 1_263_163_443, 1_269_211_443, 0x1c38_7f6f, 0x1d00_e1fd),
        ];
        let chain = HeaderChain::new(Network::Bitcoin, Checkpoint::newest(Network::Bitcoin));
        for (height, first_time, last_time, bits, next_bits) in vectors {
            let branch = period(first_time, last_time, bits);
            let last = branch[2015];
            let allowed = |bits| {
                let next = Header { bits: CompactTarget::from_consensus(bits), ..last };
                target_is_allowed(Network::Bitcoin, &chain, &branch, height + 1, &last, &next)
            };
            assert!(allowed(next_bits), "after block {height}");
            assert!(!allowed(next_bits - 1) && !allowed(next_bits + 1), "after block {height}");
        }
    }
}
