//! Making blocks, and the coins that tests start from.

use super::{BLOCK_INTERVAL_SECS, Chain, START};
use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version as BlockVersion};
use bitcoin::hashes::Hash;
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, Block, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut,
    Witness, opcodes,
};

const REGTEST_BITS: u32 = 0x207f_ffff;
const SUBSIDY: Amount = Amount::from_sat(5_000_000_000);
/// After so many blocks it is half of what it was.
const HALVING_INTERVAL: u32 = 150;
const FAUCET_FEE: Amount = Amount::from_sat(1_000);
/// BIP 141: what a witness commitment starts with.
const WITNESS_COMMITMENT: [u8; 4] = [0xaa, 0x21, 0xa9, 0xed];

/// A block of these transactions on top of the chain.
pub(super) fn mine(chain: &Chain, txs: Vec<Transaction>) -> Block {
    let height = chain.height() + 1;
    let header = Header {
        version: BlockVersion::from_consensus(0x2000_0000),
        prev_blockhash: chain.tip(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: START + height * BLOCK_INTERVAL_SECS + chain.branch,
        bits: CompactTarget::from_consensus(REGTEST_BITS),
        nonce: 0,
    };
    let mut txdata = vec![coinbase(height, chain.branch)];
    txdata.extend(txs);
    let mut block = Block { header, txdata };
    commit_to_witnesses(&mut block);
    block.header.merkle_root = block.compute_merkle_root().expect("there is a coinbase");
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
    block
}

fn coinbase(height: u32, branch: u32) -> Transaction {
    let script_sig =
        Builder::new().push_int(i64::from(height)).push_int(i64::from(branch)).push_int(0).into_script();
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig,
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[0u8; 32]]),
        }],
        output: vec![TxOut { value: subsidy(height), script_pubkey: faucet_script() }],
    }
}

fn subsidy(height: u32) -> Amount {
    Amount::from_sat(SUBSIDY.to_sat().checked_shr(height / HALVING_INTERVAL).unwrap_or(0))
}

fn commit_to_witnesses(block: &mut Block) {
    let root = block.witness_root().expect("there is a coinbase");
    let commitment = Block::compute_witness_commitment(&root, &[0; 32]);
    let data = [WITNESS_COMMITMENT.as_slice(), commitment.as_byte_array()].concat();
    let data = PushBytesBuf::try_from(data).expect("36 bytes");
    let script_pubkey = Builder::new().push_opcode(opcodes::all::OP_RETURN).push_slice(data).into_script();
    block.txdata[0].output.push(TxOut { value: Amount::ZERO, script_pubkey });
}

/// Anybody can spend the faucet's coins: all it takes is to know the script.
fn faucet_witness_script() -> ScriptBuf {
    Builder::new().push_opcode(opcodes::OP_TRUE).into_script()
}

impl Chain {
    /// What spends any coin of the faucet.
    pub fn faucet_witness() -> Witness {
        Witness::from_slice(&[faucet_witness_script().as_bytes()])
    }
}

pub(super) fn faucet_script() -> ScriptBuf {
    faucet_witness_script().to_p2wsh()
}

/// Spends the faucet's biggest free coin.
pub(super) fn faucet_spend(chain: &Chain, output: TxOut) -> Transaction {
    let faucet = faucet_script();
    let is_mature = |coin: &super::Coin| !coin.is_coinbase || chain.height() + 1 >= coin.height + 100;
    let (outpoint, coin) = chain
        .unspent()
        .filter(|(_, coin)| coin.output.script_pubkey == faucet && is_mature(coin))
        .max_by_key(|(outpoint, coin)| (coin.output.value, **outpoint))
        .expect("the faucet has coins");
    let change = coin.output.value - output.value - FAUCET_FEE;
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: *outpoint,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Chain::faucet_witness(),
        }],
        output: vec![output, TxOut { value: change, script_pubkey: faucet }],
    }
}
