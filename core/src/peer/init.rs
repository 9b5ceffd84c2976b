//! What each side says of itself first (BOLT 1, The `init` Message; BOLT 9).

use super::PeerError;
use crate::types::{Feature, Features};
use crate::wire::Init;
use bitcoin::blockdata::constants::ChainHash;

/// What we cannot do without.
const REQUIRED: [Feature; 5] = [
    Feature::DataLossProtect,
    Feature::VarOnionOptin,
    Feature::StaticRemotekey,
    Feature::PaymentSecret,
    Feature::ChannelType,
];
/// What we also understand. `gossip_queries` though we have no gossip to share: LDK sends its graph to none that lacks it.
const OPTIONAL: [Feature; 4] =
    [Feature::BasicMpp, Feature::Anchors, Feature::ShutdownAnysegwit, Feature::GossipQueries];

/// What we say of ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerConfig {
    chain_hash: ChainHash,
}

/// What the remote said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteInit {
    /// Its features, both fields of `init` together.
    pub features: Features,
}

impl PeerConfig {
    /// For channels on this chain.
    pub const fn new(chain_hash: ChainHash) -> Self {
        Self { chain_hash }
    }

    /// The features we offer.
    pub fn features() -> Features {
        Features::from_bits(
            REQUIRED.iter().map(|feature| feature.required()).chain(OPTIONAL.iter().map(|f| f.optional())),
        )
    }

    /// Our `init`.
    pub(super) fn init(&self) -> Init {
        Init {
            globalfeatures: Features::empty(),
            features: Self::features(),
            networks: Some(vec![self.chain_hash]),
            remote_addr: None,
        }
    }

    /// Whether we can talk to a remote that says this of itself.
    pub(super) fn check(&self, init: &Init) -> Result<RemoteInit, PeerError> {
        let features = init.all_features();
        let known: Vec<Feature> = REQUIRED.into_iter().chain(OPTIONAL).collect();
        features.check(&known)?;
        match &init.networks {
            Some(networks) if !networks.contains(&self.chain_hash) => Err(PeerError::NoCommonChain),
            _ => Ok(RemoteInit { features }),
        }
    }
}

impl RemoteInit {
    /// Whether both sides have the feature. What we require is assumed: a remote without it had to close (BOLT 1).
    pub fn negotiated(&self, feature: Feature) -> bool {
        REQUIRED.contains(&feature) || self.features.negotiated(&PeerConfig::features(), feature)
    }
}
