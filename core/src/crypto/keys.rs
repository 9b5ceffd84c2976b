//! From the seed to every key of the wallet.
//!
//! Paths are BIP 32 and hardened. `coin` is 0 on the main network and 1 on all others.
//!
//! | path | key |
//! | --- | --- |
//! | `m/84'/coin'/0'` | on-chain account (BIP 84), see [`NodeKeys::onchain_origin`] |
//! | `m/9735'/coin'/0'` | the node's identity |
//! | `m/9735'/coin'/1'` | root of all channel keys, see [`NodeKeys::channel_keys`] |
//! | `m/9735'/coin'/2'` | root of invoices and incoming payments |
//! | `m/9735'/coin'/3'` | storage key, see [`NodeKeys::storage_key`] |
//!
//! These never change: a wallet restored from its words must find the same keys.

use super::{ec, hash::hmac_sha256};
use bitcoin::{
    Network, NetworkKind,
    bip32::{self, ChildNumber, DerivationPath, Fingerprint, Xpriv},
    secp256k1::{PublicKey, SecretKey},
};
use std::fmt;
use thiserror::Error;
use zeroize::Zeroize;

/// The 64 bytes a BIP 39 mnemonic and its passphrase give.
#[derive(Clone)]
pub struct Seed([u8; 64]);

impl Seed {
    /// Takes over the bytes.
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes, to derive from. Never show or store them unsealed.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(secret)")
    }
}

/// The seed gives no valid key on a path. Its probability is 2^-127; take another seed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the seed gives no valid key: {0}")]
pub struct KeyError(#[from] bip32::Error);

/// All keys of the wallet on one network.
pub struct NodeKeys {
    network: Network,
    node_secret: SecretKey,
    node_id: PublicKey,
    fingerprint: Fingerprint,
    onchain: Xpriv,
    onchain_path: DerivationPath,
    channels_root: [u8; 32],
    inbound_payment_key: [u8; 32],
    storage_key: [u8; 32],
}

impl NodeKeys {
    /// Derives the keys on the fixed paths.
    ///
    /// # Errors
    /// [`KeyError`], with probability 2^-127.
    pub fn from_seed(seed: &Seed, network: Network) -> Result<Self, KeyError> {
        let coin = if network == Network::Bitcoin { 0 } else { 1 };
        let master = Xpriv::new_master(NetworkKind::from(network), seed.as_bytes())?;
        // Each step costs a point multiplication, so the first two are taken once.
        let branch = master.derive_priv(ec::secp(), &hardened([9735, coin])?)?;
        let own = |last| -> Result<SecretKey, KeyError> {
            Ok(branch.derive_priv(ec::secp(), &hardened([last])?)?.private_key)
        };
        let node_secret = own(0)?;
        let onchain_path = DerivationPath::from(hardened([84, coin, 0])?);
        Ok(Self {
            network,
            node_secret,
            node_id: ec::public_key(&node_secret),
            fingerprint: master.fingerprint(ec::secp()),
            onchain: master.derive_priv(ec::secp(), &onchain_path)?,
            onchain_path,
            channels_root: own(1)?.secret_bytes(),
            inbound_payment_key: own(2)?.secret_bytes(),
            storage_key: own(3)?.secret_bytes(),
        })
    }

    /// The network these keys are for.
    pub const fn network(&self) -> Network {
        self.network
    }

    /// The node's identity key: BOLT 8 static key, onion key, signer of invoices.
    pub const fn node_secret(&self) -> &SecretKey {
        &self.node_secret
    }

    /// The public identity of the node.
    pub const fn node_id(&self) -> PublicKey {
        self.node_id
    }

    /// The keys of the channel with that number. The wallet gives every channel a number of its own, for ever.
    ///
    /// A key is HMAC-SHA256(channels root, index (4 bytes, big-endian) || name || attempt (1 byte)) for the first
    /// attempt, from 0, that is a valid key; names are those of the fields. No point multiplication is needed.
    pub fn channel_keys(&self, index: u32) -> ChannelKeys {
        let derive = |name: &str, attempt: u8| {
            hmac_sha256(&self.channels_root, &[&index.to_be_bytes(), name.as_bytes(), &[attempt]])
        };
        let key = |name: &str| {
            let mut attempt = 0u8;
            loop {
                // Fails once in 2^128; then the next attempt is an independent value.
                if let Ok(key) = SecretKey::from_slice(&derive(name, attempt)) {
                    return key;
                }
                attempt = attempt.wrapping_add(1);
            }
        };
        ChannelKeys {
            funding: key("funding"),
            revocation_base: key("revocation_base"),
            payment: key("payment"),
            delayed_payment_base: key("delayed_payment_base"),
            htlc_base: key("htlc_base"),
            commitment_seed: derive("commitment_seed", 0),
        }
    }

    /// The on-chain account key, `m/84'/coin'/0'`.
    pub const fn onchain_xpriv(&self) -> &Xpriv {
        &self.onchain
    }

    /// Where the on-chain account key comes from: the fingerprint of the seed's own key, and the path from there.
    pub fn onchain_origin(&self) -> (Fingerprint, DerivationPath) {
        (self.fingerprint, self.onchain_path.clone())
    }

    /// The root of payment secrets and preimages of invoices.
    pub const fn inbound_payment_key(&self) -> &[u8; 32] {
        &self.inbound_payment_key
    }

    /// The key of a store or backup that belongs to this seed; names and contents get keys derived from it.
    pub const fn storage_key(&self) -> &[u8; 32] {
        &self.storage_key
    }
}

impl Drop for NodeKeys {
    fn drop(&mut self) {
        self.node_secret.non_secure_erase();
        self.onchain.private_key.non_secure_erase();
        self.channels_root.zeroize();
        self.inbound_payment_key.zeroize();
        self.storage_key.zeroize();
    }
}

impl fmt::Debug for NodeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeKeys")
            .field("network", &self.network)
            .field("node_id", &self.node_id)
            .finish_non_exhaustive()
    }
}

fn hardened<const N: usize>(indexes: [u32; N]) -> Result<Vec<ChildNumber>, KeyError> {
    Ok(indexes.into_iter().map(ChildNumber::from_hardened_idx).collect::<Result<_, _>>()?)
}

/// The secrets of one channel. Only [`super::ChannelSigner`] should hold them.
#[derive(Clone)]
pub struct ChannelKeys {
    /// Signs commitments, closings and splices.
    pub funding: SecretKey,
    /// Blinded, it opens what the peer's revoked commitments pay to it.
    pub revocation_base: SecretKey,
    /// `to_remote` on the peer's commitments is paid to it.
    pub payment: SecretKey,
    /// Tweaked, `to_local` on our commitments is paid to it.
    pub delayed_payment_base: SecretKey,
    /// Tweaked, it signs HTLC transactions.
    pub htlc_base: SecretKey,
    /// The root of the per-commitment secrets.
    pub commitment_seed: [u8; 32],
}

impl ChannelKeys {
    /// The public half, as sent in `open_channel` and `accept_channel`.
    pub fn basepoints(&self) -> ChannelBasepoints {
        ChannelBasepoints {
            funding_pubkey: ec::public_key(&self.funding),
            revocation_basepoint: ec::public_key(&self.revocation_base),
            payment_basepoint: ec::public_key(&self.payment),
            delayed_payment_basepoint: ec::public_key(&self.delayed_payment_base),
            htlc_basepoint: ec::public_key(&self.htlc_base),
        }
    }
}

impl Drop for ChannelKeys {
    fn drop(&mut self) {
        self.funding.non_secure_erase();
        self.revocation_base.non_secure_erase();
        self.payment.non_secure_erase();
        self.delayed_payment_base.non_secure_erase();
        self.htlc_base.non_secure_erase();
        self.commitment_seed.zeroize();
    }
}

impl fmt::Debug for ChannelKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChannelKeys(secret)")
    }
}

/// The public keys one side brings into a channel (BOLT 2, `open_channel`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelBasepoints {
    /// One of the two keys of the funding output.
    pub funding_pubkey: PublicKey,
    /// Base of the revocation keys in the *other* side's commitments.
    pub revocation_basepoint: PublicKey,
    /// The key of `to_remote` in the *other* side's commitments, untweaked.
    pub payment_basepoint: PublicKey,
    /// Base of the key of `to_local` in this side's commitments.
    pub delayed_payment_basepoint: PublicKey,
    /// Base of this side's key in HTLC scripts.
    pub htlc_basepoint: PublicKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BIP 39 seed of "abandon … about" without a passphrase, as BIP 84 uses it for its vectors.
    fn seed() -> Seed {
        let text = "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1\
                    9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4";
        Seed::new(hex::decode(text).unwrap().try_into().unwrap())
    }

    fn keys(network: Network) -> NodeKeys {
        NodeKeys::from_seed(&seed(), network).unwrap()
    }

    #[test]
    fn the_onchain_account_is_that_of_bip_84() {
        // BIP 84, Test vectors: account 0, first receiving address's public key.
        let keys = keys(Network::Bitcoin);
        let path = [ChildNumber::from_normal_idx(0).unwrap(); 2];
        let child = keys.onchain_xpriv().derive_priv(ec::secp(), &path).unwrap();
        assert_eq!(
            ec::public_key(&child.private_key).to_string(),
            "0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c"
        );
        let (fingerprint, path) = keys.onchain_origin();
        assert_eq!((fingerprint.to_string(), path.to_string()), ("73c5da0a".into(), "84'/0'/0'".into()));
    }

    /// A restored wallet must find its keys: these values are frozen.
    #[test]
    fn derived_keys_never_change() {
        let keys = keys(Network::Regtest);
        let shown = [
            keys.node_id().to_string(),
            hex::encode(crate::crypto::hash::sha256(&[keys.inbound_payment_key()])),
            hex::encode(crate::crypto::hash::sha256(&[keys.storage_key()])),
            keys.channel_keys(0).basepoints().funding_pubkey.to_string(),
            keys.channel_keys(1).basepoints().payment_basepoint.to_string(),
            hex::encode(crate::crypto::hash::sha256(&[&keys.channel_keys(u32::MAX).commitment_seed])),
        ];
        assert_eq!(shown, FROZEN);
    }

    const FROZEN: [&str; 6] = [
        "02f453c4d7ab22b7044c0ac7bff3fcd39bdeba17828c15500c945fb5f998b2e942",
        "1f1e8a9652991243b5f90218b420798d2e13c2a54f6e5332ae6797157717b0fb",
        "2ff385806a3fad7dcb5451e742a3439242a4dae4d28df8bfb1211ad9b171e9b9",
        "02c509575cb3e611e9cbd2828cd3df384c00859cff224d64588a0c5cc79260b229",
        "02f4427c6a7ab65edab0fd8f171e28bff285a2741592de8db9ed489bc0c8829bcf",
        "9deb8327340408fd1689e9532366a02d71aec5b2655ca615a2aaab50ba883054",
    ];

    #[test]
    fn every_key_is_different() {
        let mut seen = std::collections::BTreeSet::new();
        for network in [Network::Bitcoin, Network::Regtest] {
            let keys = keys(network);
            let roots = [*keys.inbound_payment_key(), *keys.storage_key(), keys.channels_root];
            let own = roots.into_iter().chain([keys.node_secret().secret_bytes()]);
            assert!(own.into_iter().all(|key| seen.insert(key)));
            for index in [0, 1, 256, u32::MAX] {
                let channel = keys.channel_keys(index);
                let secrets = [
                    channel.funding,
                    channel.revocation_base,
                    channel.payment,
                    channel.delayed_payment_base,
                    channel.htlc_base,
                ];
                assert!(secrets.iter().all(|key| seen.insert(key.secret_bytes())));
                assert!(seen.insert(channel.commitment_seed));
            }
        }
        assert_eq!(seen.len(), 2 * (4 + 4 * 6));
    }

    #[test]
    fn no_secret_is_printed() {
        let keys = keys(Network::Signet);
        let shown = format!("{:?} {keys:?} {:?}", seed(), keys.channel_keys(0));
        assert!(shown.starts_with("Seed(secret) NodeKeys { network: Signet, node_id: PublicKey("), "{shown}");
        assert!(shown.ends_with("ChannelKeys(secret)"), "{shown}");
        assert!(!shown.contains(&hex::encode(keys.node_secret().secret_bytes())));
    }
}
