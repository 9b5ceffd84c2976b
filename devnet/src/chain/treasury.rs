//! The miner's money, which the faucet gives away.

use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::{All, Message, Secp256k1, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, CompressedPublicKey, OutPoint, PrivateKey, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
};

use super::coins::{Coin, Coins};
use super::mempool::Mempool;
use super::transaction_rules::COINBASE_MATURITY;

/// The key of a chain whose coins are worth nothing; the same everywhere, so that runs are alike.
const TREASURY_SECRET: [u8; 32] = *b"kite regtest treasury, no value.";

/// Fee rate of the faucet's payments.
const FEE_SAT_PER_VB: u64 = 2;

/// Why the faucet can't pay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreasuryError {
    /// Nothing mature holds so much: mine more.
    #[error("the treasury has {available} mature and unspent, {needed} is needed: mine some blocks")]
    Insufficient {
        /// What it could spend now.
        available: Amount,
        /// What was asked, with fee.
        needed: Amount,
    },
    /// Its own transaction couldn't be signed.
    #[error("the treasury can't sign: {0}")]
    Sign(String),
}

/// Signs with the one key all blocks pay to.
#[derive(Debug, Clone)]
pub(crate) struct Treasury {
    secp: Secp256k1<All>,
    secret: SecretKey,
    public: CompressedPublicKey,
}

impl Treasury {
    pub(crate) fn new() -> Self {
        let secp = Secp256k1::new();
        // 32 ASCII bytes are over zero and far under the order of the curve.
        let secret = SecretKey::from_slice(&TREASURY_SECRET).expect("a constant in range");
        let public =
            CompressedPublicKey(PrivateKey::new(secret, bitcoin::Network::Regtest).public_key(&secp).inner);
        Self { secp, secret, public }
    }

    pub(crate) fn script(&self) -> ScriptBuf {
        ScriptBuf::new_p2wpkh(&self.public.wpubkey_hash())
    }

    /// A signed payment to all of `payments`, from confirmed coins that nothing waiting spends.
    pub(crate) fn pay(
        &self,
        payments: Vec<TxOut>,
        coins: &Coins,
        mempool: &Mempool,
        next_height: u32,
    ) -> Result<Transaction, TreasuryError> {
        let target: Amount = payments.iter().map(|output| output.value).sum();
        let mut spendable = self.spendable(coins, mempool, next_height);
        let (mut chosen, mut available) = (Vec::new(), Amount::ZERO);
        loop {
            let needed = target + fee(&payments, chosen.len());
            if available >= needed && !chosen.is_empty() {
                return self.sign(payments, chosen, available - needed);
            }
            let (outpoint, coin) =
                spendable.pop().ok_or(TreasuryError::Insufficient { available, needed })?;
            available += coin.output.value;
            chosen.push((outpoint, coin.output.clone()));
        }
    }

    /// The smallest first, so that the largest is taken first from the end.
    fn spendable<'a>(
        &self,
        coins: &'a Coins,
        mempool: &Mempool,
        next_height: u32,
    ) -> Vec<(OutPoint, &'a Coin)> {
        let script = self.script();
        let mature =
            |coin: &Coin| !coin.coinbase || next_height.saturating_sub(coin.height) >= COINBASE_MATURITY;
        let mut found: Vec<_> = coins
            .iter()
            .filter(|(outpoint, coin)| {
                coin.output.script_pubkey == script && mature(coin) && mempool.spender(outpoint).is_none()
            })
            .map(|(outpoint, coin)| (*outpoint, coin))
            .collect();
        found.sort_by_key(|(outpoint, coin)| (coin.output.value, *outpoint));
        found
    }

    fn sign(
        &self,
        mut output: Vec<TxOut>,
        chosen: Vec<(OutPoint, TxOut)>,
        change: Amount,
    ) -> Result<Transaction, TreasuryError> {
        if change >= self.script().minimal_non_dust() {
            output.push(TxOut { value: change, script_pubkey: self.script() });
        }
        let input = |outpoint: &OutPoint| TxIn {
            previous_output: *outpoint,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::new(),
        };
        let input = chosen.iter().map(|(outpoint, _)| input(outpoint)).collect();
        let mut transaction = Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input, output };
        let mut witnesses = Vec::new();
        let mut cache = SighashCache::new(&transaction);
        for (index, (_, spent)) in chosen.iter().enumerate() {
            let sighash = cache
                .p2wpkh_signature_hash(index, &spent.script_pubkey, spent.value, EcdsaSighashType::All)
                .map_err(|error| TreasuryError::Sign(error.to_string()))?;
            let signature = self.secp.sign_ecdsa(&Message::from(sighash), &self.secret);
            let signature = bitcoin::ecdsa::Signature { signature, sighash_type: EcdsaSighashType::All };
            witnesses.push(Witness::p2wpkh(&signature, &self.public.0));
        }
        for (input, witness) in transaction.input.iter_mut().zip(witnesses) {
            input.witness = witness;
        }
        Ok(transaction)
    }
}

fn fee(payments: &[TxOut], inputs: usize) -> Amount {
    let outputs: usize = payments.iter().map(|output| output.size()).sum();
    let vsize = 11 + outputs + 31 + inputs * 69;
    Amount::from_sat(u64::try_from(vsize).unwrap_or(u64::MAX / FEE_SAT_PER_VB) * FEE_SAT_PER_VB)
}
