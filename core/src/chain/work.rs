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
