//! A wallet whose replacements pay less than what they replace (BIP 125): with its keys, the fee of each is lowered.

use crate::chain::{Chain, is_commitment};
use crate::host::Host;
use crate::records::{channel_rows, read_channel};
use bitcoin::{Amount, OutPoint, Transaction};
use kite_core::channel::Channel;
use kite_core::crypto::{ChannelSigner, ClaimInput, ClaimKey};
use kite_core::tx::{scripts, witness};

/// What is published instead: of each claim to what the peer's commitment pays this side, which replaces an earlier one, one
/// that pays a satoshi less than that did.
pub(super) fn lowered(chain: &Chain, host: &Host, package: Vec<Transaction>) -> Vec<Transaction> {
    package.into_iter().map(|tx| lower(chain, host, &tx).unwrap_or(tx)).collect()
}

fn lower(chain: &Chain, host: &Host, tx: &Transaction) -> Option<Transaction> {
    let ([input], [_]) = (tx.input.as_slice(), tx.output.as_slice()) else { return None };
    let outpoint = input.previous_output;
    let before = chain.spend_of(&outpoint).filter(|before| *before != tx && before.output.len() == 1)?;
    let channel = channel_of(chain, host, outpoint)?;
    let signer = ChannelSigner::new(host.keys().channel_keys(channel.key_index));
    let script = scripts::to_remote_anchors(&signer.basepoints().payment_basepoint);
    let spent = chain.output(&outpoint).filter(|spent| spent.script_pubkey == script.to_p2wsh())?;
    let mut less = tx.clone();
    less.output[0].value = before.output[0].value + Amount::ONE_SAT;
    let claim = ClaimInput { tx: &less, input_index: 0, witness_script: &script, amount: spent.value };
    let signature = signer.sign_claim(&ClaimKey::Payment, &claim).ok()?;
    less.input[0].witness = witness::to_remote(&signature, &script);
    Some(less)
}

/// The channel whose commitment has this output.
fn channel_of(chain: &Chain, host: &Host, outpoint: OutPoint) -> Option<Channel> {
    let commitment = chain.transaction(&outpoint.txid).filter(|tx| is_commitment(tx))?;
    let funding = commitment.input.first()?.previous_output;
    let channels = channel_rows(&host.stored_records().ok()?).ok()?;
    let mut channels = channels.into_values().filter_map(|rows| read_channel(rows).ok());
    channels.find(|channel| channel.commitments().is_some_and(|it| it.params.funding_outpoint == funding))
}
