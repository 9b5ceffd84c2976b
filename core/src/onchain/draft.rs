//! Transactions that claim outputs.

use super::{Claim, Way};
use crate::crypto::signer::ClaimInput;
use crate::crypto::{ChannelSigner, SignerError};
use crate::tx::weight::output_weight;
use crate::tx::{CommitmentFormat, witness};
use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::ecdsa::Signature;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};

/// A coin of the on-chain wallet: a P2WPKH output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Where.
    pub outpoint: OutPoint,
    /// What.
    pub output: TxOut,
}

/// A transaction without its witnesses.
#[derive(Clone, Debug)]
pub struct Draft {
    tx: Transaction,
    claims: Vec<Claim>,
    coins: Vec<Coin>,
    fee: Amount,
}

/// Version, lock time, both counts, segwit marker and flag.
const BASE_WEIGHT: u64 = 4 * (4 + 4 + 1 + 1) + 2;
/// Outpoint, an empty script, sequence.
const INPUT_WEIGHT: u64 = 4 * 41;
/// Length, signature and sighash type, at most.
const SIGNATURE_WEIGHT: u64 = 1 + 73;
/// A P2WPKH witness: count, signature, public key.
const COIN_WITNESS_WEIGHT: u64 = 1 + SIGNATURE_WEIGHT + 34;

/// What spending one coin of the wallet weighs, at most.
pub const COIN_INPUT_WEIGHT: u64 = INPUT_WEIGHT + COIN_WITNESS_WEIGHT;

/// The most that a transaction weighs which claims this, with so many coins to pay for it, and pays the rest to a script.
pub fn weight(claims: &[Claim], coins: usize, pays_to: &Script) -> u64 {
    let inputs: u64 = claims.iter().map(|claim| INPUT_WEIGHT + claim.witness_weight()).sum();
    let coins = u64::try_from(coins).unwrap_or(u64::MAX).saturating_mul(COIN_INPUT_WEIGHT);
    let fixed: u64 =
        claims.iter().filter_map(Claim::fixed_output).map(|out| output_weight(&out.script_pubkey)).sum();
    BASE_WEIGHT + inputs + coins + fixed + output_weight(pays_to)
}

impl Draft {
    /// Claims outputs, pays this fee, and the rest to a script. Unset where nothing above dust would be left for it; next
    /// to HTLC transactions' own outputs, dust is added to the fee.
    pub fn new(claims: Vec<Claim>, coins: Vec<Coin>, fee: Amount, pays_to: ScriptBuf) -> Option<Self> {
        let mut output: Vec<TxOut> = claims.iter().filter_map(Claim::fixed_output).collect();
        let free = claims.iter().filter(|claim| !claim.is_second_stage()).map(|claim| claim.amount);
        let free: Amount = free.chain(coins.iter().map(|coin| coin.output.value)).sum();
        let rest = free.checked_sub(fee)?;
        let mut paid = fee;
        if rest >= pays_to.minimal_non_dust() {
            output.push(TxOut { value: rest, script_pubkey: pays_to });
        } else if output.is_empty() {
            return None;
        } else {
            paid += rest;
        }
        let lock_time = claims.iter().map(Claim::lock_time).max().unwrap_or(0);
        let inputs = claims.iter().map(|claim| (claim.outpoint, claim.sequence()));
        let coin_inputs = coins.iter().map(|coin| (coin.outpoint, Sequence::ENABLE_RBF_NO_LOCKTIME));
        let input = inputs.chain(coin_inputs).map(|(previous_output, sequence)| TxIn {
            previous_output,
            script_sig: ScriptBuf::new(),
            sequence,
            witness: Witness::new(),
        });
        let tx = Transaction {
            version: Version::TWO,
            lock_time: LockTime::from_consensus(lock_time),
            input: input.collect(),
            output,
        };
        Some(Self { tx, claims, coins, fee: paid })
    }

    /// What it pays.
    pub const fn fee(&self) -> Amount {
        self.fee
    }

    /// Signs all of it: claims with the keys of the channel, coins by `sign_coin`, which gets the transaction, the index of
    /// the input and the coin.
    ///
    /// # Errors
    /// [`SignerError`]; or what `sign_coin` gives.
    pub fn sign<E: From<SignerError>>(
        self,
        signer: &ChannelSigner,
        sign_coin: impl Fn(&Transaction, usize, &Coin) -> Result<Witness, E>,
    ) -> Result<Transaction, E> {
        let Self { tx, claims, coins, .. } = self;
        let mut witnesses = Vec::with_capacity(tx.input.len());
        for (input_index, claim) in claims.iter().enumerate() {
            let Claim { witness_script, amount, key, .. } = claim;
            let input = ClaimInput { tx: &tx, input_index, witness_script, amount: *amount };
            witnesses.push(claim.witness(&signer.sign_claim(key, &input)?));
        }
        for (position, coin) in coins.iter().enumerate() {
            witnesses.push(sign_coin(&tx, claims.len() + position, coin)?);
        }
        let mut signed = tx;
        signed.input.iter_mut().zip(witnesses).for_each(|(input, witness)| input.witness = witness);
        Ok(signed)
    }
}

impl Claim {
    fn sequence(&self) -> Sequence {
        match self.way {
            Way::Delayed { to_self_delay } => Sequence::from_height(to_self_delay),
            // BOLT 3: with anchors these outputs wait for one block.
            Way::ToRemote | Way::SecondStage { .. } | Way::Preimage(_) | Way::Timeout(_) => {
                CommitmentFormat::AnchorsZeroFeeHtlcTx.htlc_input_sequence()
            }
            Way::PenaltyDelayed | Way::PenaltyHtlc(_) | Way::Anchor => Sequence::ENABLE_RBF_NO_LOCKTIME,
        }
    }

    const fn lock_time(&self) -> u32 {
        match self.way {
            Way::SecondStage { lock_time, .. } => lock_time,
            Way::Timeout(cltv_expiry) => cltv_expiry.height(),
            _ => 0,
        }
    }

    /// What the peer's signature of an HTLC transaction binds.
    fn fixed_output(&self) -> Option<TxOut> {
        match &self.way {
            Way::SecondStage { delayed_script_hash, .. } => {
                Some(TxOut { value: self.amount, script_pubkey: ScriptBuf::new_p2wsh(delayed_script_hash) })
            }
            _ => None,
        }
    }

    fn witness(&self, signature: &Signature) -> Witness {
        let script = &self.witness_script;
        match &self.way {
            Way::Delayed { .. } => witness::delayed(signature, script),
            Way::ToRemote => witness::to_remote(signature, script),
            Way::Anchor => witness::anchor(signature, script),
            Way::Preimage(preimage) => witness::htlc_preimage_claim(signature, preimage, script),
            Way::Timeout(_) => witness::htlc_timeout_claim(signature, script),
            Way::PenaltyDelayed => witness::delayed_penalty(signature, script),
            Way::PenaltyHtlc(revocation_pubkey) => {
                witness::htlc_penalty(signature, revocation_pubkey, script)
            }
            Way::SecondStage { countersignature, preimage, .. } => {
                let sighash_type = CommitmentFormat::AnchorsZeroFeeHtlcTx.htlc_sighash_type();
                let countersignature = (countersignature, sighash_type);
                match preimage {
                    Some(preimage) => witness::htlc_success(countersignature, signature, preimage, script),
                    None => witness::htlc_timeout(countersignature, signature, script),
                }
            }
        }
    }

    /// The most that the witness weighs: the count of its items, a signature, the script, and what else there is.
    fn witness_weight(&self) -> u64 {
        let script = self.witness_script.len() as u64;
        let more = match self.way {
            Way::ToRemote | Way::Anchor => 0,
            Way::Delayed { .. } | Way::Timeout(_) => 1,
            Way::PenaltyDelayed => 2,
            Way::Preimage(_) => 33,
            Way::PenaltyHtlc(_) => 34,
            Way::SecondStage { preimage: None, .. } => 1 + SIGNATURE_WEIGHT + 1,
            Way::SecondStage { preimage: Some(_), .. } => 1 + SIGNATURE_WEIGHT + 33,
        };
        1 + SIGNATURE_WEIGHT + more + 1 + script
    }
}
