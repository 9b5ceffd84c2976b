//! The blocks that are believed without the chain before them: compiled in, and older than any channel of ours.

use crate::types::BlockHeight;
use bitcoin::Network;
use bitcoin::block::Header;
use bitcoin::blockdata::constants::genesis_block;
use bitcoin::consensus::encode::deserialize_hex;

/// A block from which on headers are checked. Its height begins a period of 2016 blocks, so that every later target can be
/// computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its height.
    pub height: BlockHeight,
    /// Its header.
    pub header: Header,
}

/// Blocks after the first one, the oldest of a network first. None may ever be taken out: wallets begin there (ADR 0014).
const PINNED: [(Network, BlockHeight, &str); 2] = [
    // 20 March 2026: 00000000000000000000dddd0cca09be6a6a76233f4ac66e83337fc1e49a99cb.
    (
        Network::Bitcoin,
        941_472,
        "00a04e38373d0c01c28991ba80faec5d306ae89732ab13800b7201000000000000000000\
         b9ff0d1552f4c89dbb9c1b4825da6c49354ea5037cc16aa837c0f20244a1d94a0bc2bd69911a021700e00e14",
    ),
    // 7 January 2025: 000000bac742cfc8d76fda4ad387b7aafa577b17d3684c61d8a089dcd08fa374.
    (
        Network::Signet,
        229_824,
        "000000204e1723c21130b4b77d390200eda865cb048c5586a701ac1e2e4d14fddf000000\
         eb17b9fe7e04f19d26ed5860829edafcd8a217d22b18fdc74bff36da9ae76d1105477d67ad46011ec2283200",
    ),
];

impl Checkpoint {
    /// The first block of the network.
    pub fn genesis(network: Network) -> Self {
        Self { height: 0, header: genesis_block(network).header }
    }

    /// Where a new wallet begins: nothing that is older can be its own.
    pub fn newest(network: Network) -> Self {
        Self::of(network).next_back().unwrap_or_else(|| Self::genesis(network))
    }

    /// Where restored words begin: no Kite was on this network before.
    pub fn oldest(network: Network) -> Self {
        match network {
            // Mainnet opened with its first checkpoint.
            Network::Bitcoin => Self::of(network).next().unwrap_or_else(|| Self::genesis(network)),
            _ => Self::genesis(network),
        }
    }

    /// The one at this height, if there is one.
    pub fn at(network: Network, height: BlockHeight) -> Option<Self> {
        let genesis = Self::genesis(network);
        [genesis].into_iter().chain(Self::of(network)).find(|checkpoint| checkpoint.height == height)
    }

    fn of(network: Network) -> impl DoubleEndedIterator<Item = Self> {
        PINNED.iter().filter(move |(of, ..)| *of == network).map(|(_, height, header)| Self {
            height: *height,
            // Both are read by the tests below.
            header: deserialize_hex(header).expect("a header in hex"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::HeaderChain;

    /// Nobody but the network's miners can have made a header with that much work, whoever it was copied from.
    #[test]
    fn carries_the_work_that_it_claims() {
        let hash = |network| {
            let header = Checkpoint::newest(network).header;
            header.validate_pow(header.target()).expect("work").to_string()
        };
        assert_eq!(
            hash(Network::Bitcoin),
            "00000000000000000000dddd0cca09be6a6a76233f4ac66e83337fc1e49a99cb"
        );
        assert_eq!(hash(Network::Signet), "000000bac742cfc8d76fda4ad387b7aafa577b17d3684c61d8a089dcd08fa374");
        let difficulty = Checkpoint::newest(Network::Bitcoin).header.difficulty_float();
        assert!(difficulty > 1e14, "{difficulty}");
    }

    #[test]
    fn begins_a_period_and_is_found_again_by_its_height() {
        for (network, height, _) in PINNED {
            assert!(height.is_multiple_of(2016));
            assert_eq!(Checkpoint::at(network, height).map(|it| it.height), Some(height));
            assert_eq!(Checkpoint::at(network, 0), Some(Checkpoint::genesis(network)));
            assert_eq!(Checkpoint::at(network, height + 1), None);
        }
    }

    #[test]
    fn restored_words_begin_where_kite_first_was() {
        assert_eq!(Checkpoint::oldest(Network::Bitcoin).height, 941_472);
        for network in [Network::Signet, Network::Testnet, Network::Testnet4, Network::Regtest] {
            assert_eq!(Checkpoint::oldest(network), Checkpoint::genesis(network));
        }
    }

    /// What a server may offer on top of mainnet's checkpoint: only what took the network's work.
    #[test]
    fn an_easy_block_on_top_is_refused() {
        let checkpoint = Checkpoint::newest(Network::Bitcoin);
        let mut chain = HeaderChain::new(Network::Bitcoin, checkpoint);
        let now = crate::types::UnixTime(u64::from(checkpoint.header.time) + 600);
        let on_top = Header { prev_blockhash: checkpoint.header.block_hash(), ..checkpoint.header };
        for bits in [checkpoint.header.bits.to_consensus(), 0x1d00_ffff, 0x207f_ffff] {
            let header = Header { bits: bitcoin::CompactTarget::from_consensus(bits), ..on_top };
            let error = chain.accept(&[header], now).expect_err("no work");
            assert!(matches!(error, crate::chain::HeaderError::NoWork { height: 941_473, .. }), "{error}");
        }
    }
}
