use bitcoin::{EcdsaSighashType, Sequence};

/// Which of the formats of BOLT 3 a commitment transaction has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommitmentFormat {
    /// `option_static_remotekey` alone, whose HTLC transactions pay fees. Never negotiated: it is the format of BOLT 3's
    /// Appendix C, which proves the rules that both formats share.
    StaticRemotekey,
    /// `option_anchors`, whose HTLC transactions pay no fee.
    #[default]
    AnchorsZeroFeeHtlcTx,
}

impl CommitmentFormat {
    /// Whether `option_anchors` applies.
    pub const fn has_anchors(self) -> bool {
        matches!(self, Self::AnchorsZeroFeeHtlcTx)
    }

    /// How the countersignatory signs HTLC transactions (BOLT 5, Generation of HTLC Transactions). With anchors, inputs
    /// and outputs that pay the fee may be added later.
    pub const fn htlc_sighash_type(self) -> EcdsaSighashType {
        match self {
            Self::StaticRemotekey => EcdsaSighashType::All,
            Self::AnchorsZeroFeeHtlcTx => EcdsaSighashType::SinglePlusAnyoneCanPay,
        }
    }

    /// The `nSequence` of an input that spends an HTLC output: with anchors every such spend waits for one block.
    pub const fn htlc_input_sequence(self) -> Sequence {
        match self {
            Self::StaticRemotekey => Sequence::ZERO,
            Self::AnchorsZeroFeeHtlcTx => Sequence(1),
        }
    }
}
