//! The chain of headers, from the checkpoint to the tip with the most work.

use super::{Checkpoint, work};
use crate::types::{BlockHeight, UnixTime};
use bitcoin::block::Header;
use bitcoin::{BlockHash, Network, Work};
use std::collections::BTreeMap;

/// More headers than this in one fact are refused; a source gives them in pieces.
const MAX_HEADERS_AT_ONCE: usize = 2_016;

/// A block may claim a time this far ahead of ours (consensus says two hours).
const MAX_FUTURE_SECS: u64 = 2 * 60 * 60;

/// A block by height and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockId {
    /// Its height.
    pub height: BlockHeight,
    /// Its hash.
    pub hash: BlockHash,
}

/// Headers that were checked, from the checkpoint on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderChain {
    network: Network,
    checkpoint: Checkpoint,
    checkpoint_hash: BlockHash,
    /// The headers above the checkpoint, each with its hash.
    headers: Vec<(Header, BlockHash)>,
    heights: BTreeMap<BlockHash, BlockHeight>,
}

/// What new headers did to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reorganised {
    /// Blocks above this height are others than before.
    pub fork_height: BlockHeight,
    /// How many blocks were taken off.
    pub removed: u32,
    /// How many were put on.
    pub added: u32,
}

/// Why headers were refused. The chain is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The first one builds on nothing known here.
    #[error("header {hash} builds on an unknown block")]
    Unconnected {
        /// The first header.
        hash: BlockHash,
    },
    /// They do not build on each other.
    #[error("header {hash} does not build on the one before it")]
    Broken {
        /// The header.
        hash: BlockHash,
    },
    /// One lacks the work it claims, or claims another target than it must.
    #[error("header {hash} at height {height} has no valid proof of work")]
    NoWork {
        /// The header.
        hash: BlockHash,
        /// Its height.
        height: BlockHeight,
    },
    /// One claims to be from the future.
    #[error("header {hash} claims a time {ahead_secs} seconds ahead: check the clock of this device")]
    FromTheFuture {
        /// The header.
        hash: BlockHash,
        /// By how much.
        ahead_secs: u64,
    },
    /// A branch with less work than the chain we have.
    #[error("a branch from height {fork_height} has less work than the known chain")]
    LessWork {
        /// Where it leaves the chain.
        fork_height: BlockHeight,
    },
    /// Too many at once, or none.
    #[error("{count} headers at once (1 to {MAX_HEADERS_AT_ONCE} are taken)")]
    Count {
        /// How many.
        count: usize,
    },
}

impl HeaderChain {
    /// Only the checkpoint.
    pub fn new(network: Network, checkpoint: Checkpoint) -> Self {
        let checkpoint_hash = checkpoint.header.block_hash();
        Self {
            network,
            heights: BTreeMap::from([(checkpoint_hash, checkpoint.height)]),
            checkpoint,
            checkpoint_hash,
            headers: Vec::new(),
        }
    }

    /// The last block.
    pub fn tip(&self) -> BlockId {
        let hash = self.headers.last().map_or(self.checkpoint_hash, |(_, hash)| *hash);
        BlockId { height: self.height(), hash }
    }

    /// The height of the last block.
    pub fn height(&self) -> BlockHeight {
        // Every header was counted into a height that fits when it was accepted.
        self.checkpoint.height + u32::try_from(self.headers.len()).expect("checked when accepted")
    }

    /// The height of the block from which on headers are known.
    pub fn checkpoint_height(&self) -> BlockHeight {
        self.checkpoint.height
    }

    /// The header at this height, if it is known.
    pub fn header(&self, height: BlockHeight) -> Option<&Header> {
        match height.checked_sub(self.checkpoint.height)? {
            0 => Some(&self.checkpoint.header),
            above => self.above(above).map(|(header, _)| header),
        }
    }

    /// The hash of the header at this height, if it is known.
    pub fn hash(&self, height: BlockHeight) -> Option<BlockHash> {
        match height.checked_sub(self.checkpoint.height)? {
            0 => Some(self.checkpoint_hash),
            above => self.above(above).map(|(_, hash)| *hash),
        }
    }

    fn above(&self, height: BlockHeight) -> Option<&(Header, BlockHash)> {
        self.headers.get(usize::try_from(height - 1).ok()?)
    }

    /// The height of this block, if it is part of the chain.
    pub fn height_of(&self, hash: &BlockHash) -> Option<BlockHeight> {
        self.heights.get(hash).copied()
    }

    /// Checks headers and puts them on; a branch replaces what it has more work than.
    ///
    /// Headers that are part of the chain already change nothing.
    ///
    /// # Errors
    /// The first header that cannot be believed, or a branch with too little work.
    pub fn accept(&mut self, headers: &[Header], now: UnixTime) -> Result<Option<Reorganised>, HeaderError> {
        if headers.is_empty() || headers.len() > MAX_HEADERS_AT_ONCE {
            return Err(HeaderError::Count { count: headers.len() });
        }
        let hashes: Vec<BlockHash> = headers.iter().map(Header::block_hash).collect();
        let known = hashes.iter().take_while(|hash| self.height_of(hash).is_some()).count();
        let (branch, hashes) = (&headers[known..], &hashes[known..]);
        let Some((first, hash)) = branch.first().zip(hashes.first()) else { return Ok(None) };
        let fork_height =
            self.height_of(&first.prev_blockhash).ok_or(HeaderError::Unconnected { hash: *hash })?;
        self.check_branch(fork_height, branch, hashes, now)?;

        let kept = usize::try_from(fork_height - self.checkpoint.height).unwrap_or(usize::MAX);
        let replaced = &self.headers[kept..];
        let replaced_work = || total_work(replaced.iter().map(|(header, _)| header));
        if !replaced.is_empty() && total_work(branch) <= replaced_work() {
            return Err(HeaderError::LessWork { fork_height });
        }
        let count = |headers: usize| u32::try_from(headers).unwrap_or(u32::MAX);
        let change = Reorganised { fork_height, removed: count(replaced.len()), added: count(branch.len()) };
        for (_, hash) in replaced {
            self.heights.remove(hash);
        }
        self.headers.truncate(kept);
        self.heights.extend(hashes.iter().copied().zip(fork_height + 1..));
        self.headers.extend(branch.iter().copied().zip(hashes.iter().copied()));
        Ok(Some(change))
    }

    fn check_branch(
        &self,
        fork_height: BlockHeight,
        branch: &[Header],
        hashes: &[BlockHash],
        now: UnixTime,
    ) -> Result<(), HeaderError> {
        // The fork height was found in the chain.
        let known = self.header(fork_height).copied().zip(self.hash(fork_height));
        let (mut previous, mut previous_hash) = known.expect("a known height");
        for (i, (header, hash)) in branch.iter().zip(hashes.iter().copied()).enumerate() {
            let height = u32::try_from(i).ok().and_then(|i| fork_height.checked_add(i)?.checked_add(1));
            let height = height.ok_or(HeaderError::Broken { hash })?;
            if header.prev_blockhash != previous_hash {
                return Err(HeaderError::Broken { hash });
            }
            let allowed =
                work::target_is_allowed(self.network, self, &branch[..i], height, &previous, header);
            if !allowed || !header.target().is_met_by(hash) {
                return Err(HeaderError::NoWork { hash, height });
            }
            let ahead_secs = u64::from(header.time).saturating_sub(now.0);
            if ahead_secs > MAX_FUTURE_SECS {
                return Err(HeaderError::FromTheFuture { hash, ahead_secs });
            }
            (previous, previous_hash) = (*header, hash);
        }
        Ok(())
    }
}

fn total_work<'a>(headers: impl IntoIterator<Item = &'a Header>) -> Work {
    let mut total = Work::from_be_bytes([0; 32]);
    for header in headers {
        total = total + header.work();
    }
    total
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use bitcoin::TxMerkleNode;
    use bitcoin::hashes::Hash;

    const NOW: UnixTime = UnixTime(2_000_000_000);

    /// Mines regtest headers on top of `previous`; `salt` makes branches differ.
    pub(crate) fn mine(previous: &Header, count: u32, salt: u8) -> Vec<Header> {
        let mut headers: Vec<Header> = Vec::new();
        for _ in 0..count {
            let parent = headers.last().unwrap_or(previous);
            headers.push(mine_one(parent, TxMerkleNode::from_byte_array([salt; 32])));
        }
        headers
    }

    pub(crate) fn mine_one(parent: &Header, merkle_root: TxMerkleNode) -> Header {
        let mut header = Header {
            prev_blockhash: parent.block_hash(),
            merkle_root,
            time: parent.time + 600,
            nonce: 0,
            ..*parent
        };
        while header.validate_pow(header.target()).is_err() {
            header.nonce += 1;
        }
        header
    }

    pub(crate) fn regtest() -> HeaderChain {
        HeaderChain::new(Network::Regtest, Checkpoint::genesis(Network::Regtest))
    }

    fn with(count: u32) -> (HeaderChain, Vec<Header>) {
        let mut chain = regtest();
        let headers = mine(&chain.checkpoint.header, count, 0);
        chain.accept(&headers, NOW).unwrap();
        (chain, headers)
    }

    #[test]
    fn grows_and_knows_its_blocks() {
        let (chain, headers) = with(5);
        assert_eq!(chain.height(), 5);
        assert_eq!(chain.tip().hash, headers[4].block_hash());
        assert_eq!(chain.height_of(&headers[2].block_hash()), Some(3));
        assert_eq!(chain.header(3), Some(&headers[2]));
        assert_eq!((chain.header(6), chain.header(0).is_some()), (None, true));
        for height in 0..=6 {
            assert_eq!(chain.hash(height), chain.header(height).map(Header::block_hash));
        }
    }

    #[test]
    fn the_same_headers_again_change_nothing() {
        let (mut chain, headers) = with(5);
        let before = chain.clone();
        assert_eq!(chain.accept(&headers, NOW), Ok(None));
        assert_eq!(chain, before);
    }

    #[test]
    fn a_branch_with_more_work_replaces_and_one_with_less_does_not() {
        let (mut chain, headers) = with(5);
        let shorter = mine(&headers[2], 2, 1);
        assert_eq!(chain.accept(&shorter, NOW), Err(HeaderError::LessWork { fork_height: 3 }));
        let longer = mine(&headers[2], 3, 2);
        let change = Reorganised { fork_height: 3, removed: 2, added: 3 };
        assert_eq!(chain.accept(&longer, NOW), Ok(Some(change)));
        assert_eq!((chain.height(), chain.height_of(&headers[4].block_hash())), (6, None));
        assert_eq!(chain.hash(4), Some(longer[0].block_hash()));
    }

    #[test]
    fn what_cannot_be_believed_is_refused_and_leaves_the_chain_as_it_was() {
        let (mut chain, headers) = with(3);
        let before = chain.clone();
        let next = mine(&headers[2], 2, 0);

        assert!(matches!(chain.accept(&next[1..], NOW), Err(HeaderError::Unconnected { .. })));
        assert!(matches!(chain.accept(&[next[0], next[0]], NOW), Err(HeaderError::Broken { .. })));
        assert_eq!(chain.accept(&[], NOW), Err(HeaderError::Count { count: 0 }));
        let early = UnixTime(u64::from(next[0].time) - MAX_FUTURE_SECS - 1);
        assert!(matches!(
            chain.accept(&next, early),
            Err(HeaderError::FromTheFuture { ahead_secs: 7_201, .. })
        ));

        let mut lazy = next[0];
        while lazy.validate_pow(lazy.target()).is_ok() {
            lazy.nonce += 1;
        }
        assert!(matches!(chain.accept(&[lazy], NOW), Err(HeaderError::NoWork { height: 4, .. })));
        let easier = Header { bits: bitcoin::CompactTarget::from_consensus(0x207f_fffe), ..next[0] };
        assert!(matches!(chain.accept(&[easier], NOW), Err(HeaderError::NoWork { .. })));
        assert_eq!(chain, before);
    }
}
