//! Coins of a known key in the usual scripts, and transactions that spend them.

use bitcoin::absolute::LockTime;
use bitcoin::key::{Keypair, TapTweak};
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, Prevouts, SighashCache, TapSighashType};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, CompressedPublicKey, OutPoint, PrivateKey, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid,
    Witness,
};
use kite_devnet::chain::Chain;

/// How a coin is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    P2wpkh,
    P2tr,
    /// `OP_TRUE` after a relative lock of so many blocks.
    Csv(u32),
    /// `OP_TRUE`.
    Anyone,
}

fn keypair() -> Keypair {
    Keypair::from_secret_key(&Secp256k1::new(), &SecretKey::from_slice(&[7; 32]).unwrap())
}

fn public_key() -> CompressedPublicKey {
    let secret = keypair().secret_key();
    let key = PrivateKey::new(secret, bitcoin::Network::Regtest);
    CompressedPublicKey(key.public_key(&Secp256k1::new()).inner)
}

impl Lock {
    fn witness_script(self) -> ScriptBuf {
        let builder = ScriptBuf::builder();
        match self {
            Self::Csv(blocks) => builder
                .push_int(i64::from(blocks))
                .push_opcode(bitcoin::opcodes::all::OP_CSV)
                .push_opcode(bitcoin::opcodes::all::OP_DROP)
                .push_int(1)
                .into_script(),
            _ => builder.push_int(1).into_script(),
        }
    }

    pub fn script(self) -> ScriptBuf {
        match self {
            Self::P2wpkh => ScriptBuf::new_p2wpkh(&public_key().wpubkey_hash()),
            Self::P2tr => ScriptBuf::new_p2tr(&Secp256k1::new(), keypair().x_only_public_key().0, None),
            Self::Csv(_) | Self::Anyone => self.witness_script().to_p2wsh(),
        }
    }
}

/// A spendable output.
#[derive(Debug, Clone)]
pub struct Owned {
    pub outpoint: OutPoint,
    pub output: TxOut,
    pub lock: Lock,
}

impl Owned {
    pub fn of(transaction: &Transaction, vout: u32, lock: Lock) -> Self {
        let outpoint = OutPoint { txid: transaction.compute_txid(), vout };
        Self { outpoint, output: transaction.output[usize::try_from(vout).unwrap()].clone(), lock }
    }
}

/// A coin of `sats` from the faucet, waiting in the mempool.
pub fn funded(chain: &mut Chain, lock: Lock, sats: u64) -> Owned {
    let txid =
        chain.fund(vec![TxOut { value: Amount::from_sat(sats), script_pubkey: lock.script() }]).unwrap();
    let transaction = chain.mempool().get(&txid).unwrap().transaction.clone();
    Owned::of(&transaction, 0, lock)
}

/// What a spend may vary.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub fee_sat: u64,
    pub sequence: Sequence,
    pub lock_time: LockTime,
    pub pays_to: Lock,
}

impl Default for Terms {
    fn default() -> Self {
        let sequence = Sequence::ENABLE_RBF_NO_LOCKTIME;
        Self { fee_sat: 1_000, sequence, lock_time: LockTime::ZERO, pays_to: Lock::P2wpkh }
    }
}

/// A signed transaction from `coins` to one output that holds all but the fee.
pub fn spend(coins: &[Owned], terms: Terms) -> Transaction {
    let total: u64 = coins.iter().map(|coin| coin.output.value.to_sat()).sum();
    let input = |coin: &Owned| TxIn {
        previous_output: coin.outpoint,
        script_sig: ScriptBuf::new(),
        sequence: terms.sequence,
        witness: Witness::new(),
    };
    let output = TxOut {
        value: Amount::from_sat(total.wrapping_sub(terms.fee_sat)),
        script_pubkey: terms.pays_to.script(),
    };
    let transaction = Transaction {
        version: Version::TWO,
        lock_time: terms.lock_time,
        input: coins.iter().map(input).collect(),
        output: vec![output],
    };
    sign(transaction, coins)
}

/// Signs all inputs.
pub fn sign(mut transaction: Transaction, coins: &[Owned]) -> Transaction {
    let (secp, keypair) = (Secp256k1::new(), keypair());
    let spent: Vec<TxOut> = coins.iter().map(|coin| coin.output.clone()).collect();
    let unsigned = transaction.clone();
    let mut cache = SighashCache::new(&unsigned);
    for (index, coin) in coins.iter().enumerate() {
        transaction.input[index].witness = match coin.lock {
            Lock::P2wpkh => {
                let (script, value) = (&coin.output.script_pubkey, coin.output.value);
                let hash = cache.p2wpkh_signature_hash(index, script, value, EcdsaSighashType::All).unwrap();
                let signature = secp.sign_ecdsa(&Message::from(hash), &keypair.secret_key());
                let signature = bitcoin::ecdsa::Signature { signature, sighash_type: EcdsaSighashType::All };
                Witness::p2wpkh(&signature, &public_key().0)
            }
            Lock::P2tr => {
                let kind = TapSighashType::Default;
                let hash =
                    cache.taproot_key_spend_signature_hash(index, &Prevouts::All(&spent), kind).unwrap();
                let tweaked = keypair.tap_tweak(&secp, None).to_keypair();
                let signature = secp.sign_schnorr_no_aux_rand(&Message::from(hash), &tweaked);
                Witness::p2tr_key_spend(&bitcoin::taproot::Signature { signature, sighash_type: kind })
            }
            Lock::Csv(_) | Lock::Anyone => Witness::from_slice(&[coin.lock.witness_script().into_bytes()]),
        };
    }
    transaction
}

/// Flips a bit of the first signature.
pub fn with_bad_signature(mut transaction: Transaction) -> Transaction {
    let mut items = transaction.input[0].witness.to_vec();
    items[0][20] ^= 1;
    transaction.input[0].witness = Witness::from_slice(&items);
    transaction
}

/// The id of what `transaction` would be, for short comparisons.
pub fn txid(transaction: &Transaction) -> Txid {
    transaction.compute_txid()
}
