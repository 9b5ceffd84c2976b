//! The wallet itself: made, loaded, and asked for addresses.

use super::{CoinsError, rows};
use crate::crypto::{NodeKeys, ec};
use bdk_wallet::descriptor::ExtendedDescriptor;
use bdk_wallet::miniscript::descriptor::{DescriptorPublicKey, DescriptorXKey, Wildcard};
use bdk_wallet::{KeychainKind, Wallet};
use bitcoin::bip32::{ChildNumber, Xpub};
use bitcoin::{Address, Network, ScriptBuf};

/// How many addresses beyond the last used one are watched. A restored wallet finds coins up to such a gap.
pub(super) const LOOKAHEAD: u32 = 20;

/// The on-chain wallet.
#[derive(Debug)]
pub struct Coins {
    pub(super) wallet: Wallet,
    /// The rows that are stored.
    pub(super) rows: u32,
    /// Scripts that were given out and never used.
    spare: Vec<ScriptBuf>,
}

impl Coins {
    /// A wallet without a past.
    ///
    /// # Errors
    /// [`CoinsError::Build`] if the keys make no wallet, which does not happen for a valid seed.
    pub fn create(keys: &NodeKeys, network: Network) -> Result<Self, CoinsError> {
        let [external, internal] = public_descriptors(keys)?;
        let wallet = Wallet::create(external, internal)
            .network(network)
            .lookahead(LOOKAHEAD)
            .use_spk_cache(true)
            .create_wallet_no_persist()
            .map_err(|error| CoinsError::Build { detail: error.to_string() })?;
        Ok(Self { wallet, rows: 0, spare: Vec::new() })
    }

    /// The wallet whose rows are stored, in the order of their numbers.
    ///
    /// # Errors
    /// [`CoinsError::Damaged`].
    pub fn load<'a>(
        keys: &NodeKeys,
        network: Network,
        stored: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, CoinsError> {
        let damaged = |detail: String| CoinsError::Damaged { detail };
        let [external, internal] = public_descriptors(keys)?;
        let (mut changes, rows) = rows::read(stored)?;
        // The keys say them; they are not stored, so there is nothing to compare them with.
        changes.descriptor = Some(external);
        changes.change_descriptor = Some(internal);
        let wallet = Wallet::load()
            .check_network(network)
            .lookahead(LOOKAHEAD)
            .use_spk_cache(true)
            .load_wallet_no_persist(changes)
            .map_err(|error| damaged(error.to_string()))?
            .ok_or_else(|| damaged("it has no descriptors".into()))?;
        Ok(Self { wallet, rows, spare: Vec::new() })
    }

    /// An address that was never given out.
    pub fn new_address(&mut self) -> Address {
        self.wallet.reveal_next_address(KeychainKind::External).address
    }

    /// The script of a fresh address of the inner keychain, for what comes back from channels.
    pub fn new_inner_script(&mut self) -> ScriptBuf {
        let fresh = || self.wallet.reveal_next_address(KeychainKind::Internal).address.script_pubkey();
        self.spare.pop().unwrap_or_else(fresh)
    }

    /// Takes back a script of [`Coins::new_inner_script`] to which nobody will ever pay. Peers that begin channels and
    /// give them up would otherwise make us watch ever more, and leave a gap in which a restored wallet loses its coins.
    pub fn give_back_inner_script(&mut self, script: ScriptBuf) {
        self.spare.push(script);
    }

    /// Every script to watch: all addresses up to the last one given out, and a gap beyond.
    pub fn scripts(&self) -> Vec<ScriptBuf> {
        let index = self.wallet.spk_index();
        let script = |keychain, number| {
            // The index holds what was derived; deriving anew costs point operations.
            let known = index.spk_at_index(keychain, number);
            known.unwrap_or_else(|| self.wallet.peek_address(keychain, number).address.script_pubkey())
        };
        KEYCHAINS
            .into_iter()
            .flat_map(|keychain| (0..self.watched(keychain)).map(move |number| script(keychain, number)))
            .collect()
    }

    /// How many scripts there are to watch.
    pub fn script_count(&self) -> u32 {
        KEYCHAINS.into_iter().fold(0, |sum: u32, keychain| sum.saturating_add(self.watched(keychain)))
    }

    fn watched(&self, keychain: KeychainKind) -> u32 {
        self.wallet.next_derivation_index(keychain).saturating_add(LOOKAHEAD)
    }
}

const KEYCHAINS: [KeychainKind; 2] = [KeychainKind::External, KeychainKind::Internal];

/// `wpkh([origin]xpub/0/*)` and `…/1/*` (BIP 84). Made of their parts: a parser of descriptors would be a large part of
/// what a browser downloads.
pub(super) fn public_descriptors(keys: &NodeKeys) -> Result<[ExtendedDescriptor; 2], CoinsError> {
    let account = Xpub::from_priv(ec::secp(), keys.onchain_xpriv());
    let branch = |branch| {
        ExtendedDescriptor::new_wpkh(DescriptorPublicKey::XPub(DescriptorXKey {
            origin: Some(keys.onchain_origin()),
            xkey: account,
            derivation_path: vec![ChildNumber::Normal { index: branch }].into(),
            wildcard: Wildcard::Unhardened,
        }))
        .map_err(|error| CoinsError::Build { detail: error.to_string() })
    };
    Ok([branch(0)?, branch(1)?])
}
