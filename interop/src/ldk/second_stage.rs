//! HTLC transactions of the node's own commitments: with anchors they pay no fee, so that somebody must add a coin. Here it
//! is the chain's faucet.

use super::LdkPeer;
use bitcoin::Transaction;
use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::Secp256k1;
use bitcoin::transaction::Version;
use kite_sim::chain::Chain;
use lightning::sign::ecdsa::EcdsaChannelSigner;
use lightning::sign::{HTLCDescriptor, SignerProvider};

impl LdkPeer {
    /// Publishes the transaction that claims these HTLCs, as a wallet with coins would.
    pub(super) fn claim_htlcs(&self, htlcs: &[HTLCDescriptor], lock_time: LockTime, chain: &Chain) {
        let secp = Secp256k1::new();
        // Whoever knows the faucet's script spends it, so that its input stays valid in another transaction.
        let faucet = chain.fund(bitcoin::ScriptBuf::new(), bitcoin::Amount::ZERO);
        let mut tx = Transaction {
            version: Version::TWO,
            lock_time,
            input: htlcs.iter().map(HTLCDescriptor::unsigned_tx_input).collect(),
            output: htlcs.iter().map(|htlc| htlc.tx_output(&secp)).collect(),
        };
        tx.input.extend(faucet.input);
        tx.output.extend(faucet.output.into_iter().skip(1));
        for (index, htlc) in htlcs.iter().enumerate() {
            let signer = self.keys.derive_channel_signer(htlc.channel_derivation_parameters.keys_id);
            let signature = signer
                .sign_holder_htlc_transaction(&tx, index, htlc, &secp)
                .expect("an HTLC of the node's own commitment");
            tx.input[index].witness = htlc.tx_input_witness(&signature, &htlc.witness_script(&secp));
        }
        self.broadcasts.0.borrow_mut().push(vec![tx]);
    }
}
