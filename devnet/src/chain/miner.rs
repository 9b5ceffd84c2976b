//! Makes blocks: template, coinbase and proof of work.

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::blockdata::script::Builder;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version as TransactionVersion;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode,
    TxOut, Witness,
};

use super::block_rules::{REGTEST_BITS, witness_commitment};

/// What a block is made of.
#[derive(Debug)]
pub(crate) struct Template {
    pub previous: BlockHash,
    pub height: u32,
    pub time: u32,
    /// Subsidy and fees.
    pub reward: Amount,
    pub pay_to: ScriptBuf,
    /// Makes coinbases of the same height different.
    pub extra_nonce: u64,
    pub transactions: Vec<Transaction>,
}

/// Builds the block and finds its proof of work (two tries on average on regtest).
pub(crate) fn mine(template: Template) -> Block {
    let header = Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: template.previous,
        merkle_root: TxMerkleNode::all_zeros(),
        time: template.time,
        bits: CompactTarget::from_consensus(REGTEST_BITS),
        nonce: 0,
    };
    let mut txdata = vec![coinbase(&template)];
    txdata.extend(template.transactions);
    if let Some(commitment) = witness_commitment(&txdata) {
        txdata[0].output[1].script_pubkey = commitment_script(&commitment);
    }
    solve(Block { header, txdata })
}

/// Sets the merkle root and a nonce that meets the target.
pub fn solve(mut block: Block) -> Block {
    block.header.merkle_root = block.compute_merkle_root().unwrap_or(TxMerkleNode::all_zeros());
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce = block.header.nonce.wrapping_add(1);
    }
    block
}

fn coinbase(template: &Template) -> Transaction {
    let script_sig = Builder::new()
        .push_int(i64::from(template.height))
        .push_slice(template.extra_nonce.to_le_bytes())
        .into_script();
    let witness = Witness::from_slice(&[[0u8; 32]]);
    let input = TxIn { previous_output: OutPoint::null(), script_sig, sequence: Sequence::MAX, witness };
    let reward = TxOut { value: template.reward, script_pubkey: template.pay_to.clone() };
    let commitment = TxOut { value: Amount::ZERO, script_pubkey: commitment_script(&[0; 32]) };
    Transaction {
        version: TransactionVersion::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![reward, commitment],
    }
}

fn commitment_script(commitment: &[u8; 32]) -> ScriptBuf {
    let mut data = [0xaa, 0x21, 0xa9, 0xed].to_vec();
    data.extend(commitment);
    let mut script = vec![0x6a, 0x24];
    script.extend(data);
    ScriptBuf::from_bytes(script)
}
