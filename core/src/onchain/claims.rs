//! Which outputs are ours to take, how, from which height on, and until when (BOLT 5).
//!
//! | published by | `to_local` | `to_remote` | HTLC we offered | HTLC the peer offered | second stage |
//! | --- | --- | --- | --- | --- | --- |
//! | us | after `to_self_delay` | | HTLC-timeout at `cltv_expiry` | HTLC-success, with the preimage | after `to_self_delay` |
//! | the peer | | after 1 block | at `cltv_expiry` | with the preimage | |
//! | the peer, revoked | penalty | after 1 block | penalty | penalty | penalty |
//! | the peer, unknown | | after 1 block | | | |

use super::draft::weight;
use super::second_stage::{SecondStage, second_stages};
use super::{Close, HtlcOutput, Output, OutputKind, Spends, Stake};
use crate::channel::Party;
use crate::crypto::ClaimKey;
use crate::types::{BlockHeight, CltvExpiry, CommitmentNumber, FeeratePerKw, PaymentPreimage};
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use bitcoin::{Amount, OutPoint, ScriptBuf};
use std::fmt;

/// Who published the commitment, with what it takes to claim from it.
#[derive(Clone, Copy)]
pub enum Broadcaster<'a> {
    /// We did.
    Local {
        /// The number of the commitment.
        number: CommitmentNumber,
        /// The peer's signatures of the HTLC transactions, in the order of the outputs.
        htlc_signatures: &'a [Signature],
        /// How long we wait for our money.
        to_self_delay: u16,
    },
    /// The peer did, and had not revoked it.
    Remote {
        /// The point of the commitment.
        per_commitment_point: PublicKey,
    },
    /// The peer did, and had revoked it.
    Revoked {
        /// The secret by which it did.
        per_commitment_secret: [u8; 32],
        /// Ours with that secret.
        revocation_pubkey: PublicKey,
        /// How long the peer waits for its money: our time to take it.
        to_self_delay: u16,
    },
    /// The peer did, and we have lost that state.
    Unknown,
}

impl fmt::Debug for Broadcaster<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local { .. } => "Local",
            Self::Remote { .. } => "Remote",
            Self::Revoked { .. } => "Revoked",
            Self::Unknown => "Unknown",
        })
    }
}

/// An output that is, or will be, ours to take.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Which.
    pub outpoint: OutPoint,
    /// What it holds.
    pub amount: Amount,
    /// Its witness script.
    pub witness_script: ScriptBuf,
    /// The key that opens it.
    pub key: ClaimKey,
    /// How it is spent.
    pub way: Way,
    /// It can be in the block after this one.
    pub from: BlockHeight,
    /// From this height on somebody else can take it as well.
    pub contested: Option<BlockHeight>,
    /// From this height on it may be lost for good.
    pub deadline: Option<BlockHeight>,
}

/// How an output is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Our own delayed money: `to_local`, or a second stage.
    Delayed {
        /// So many blocks after its confirmation.
        to_self_delay: u16,
    },
    /// `to_remote` on the peer's commitment.
    ToRemote,
    /// By an HTLC transaction of our own commitment.
    SecondStage {
        /// What it pays goes to the delayed script.
        delayed_script_hash: bitcoin::WScriptHash,
        /// The peer's signature of it.
        countersignature: Signature,
        /// HTLC-success reveals it; unset: HTLC-timeout.
        preimage: Option<PaymentPreimage>,
        /// Its `nLockTime`.
        lock_time: BlockHeight,
    },
    /// An HTLC on the peer's commitment, with its preimage.
    Preimage(PaymentPreimage),
    /// An HTLC of ours on the peer's commitment, which has timed out.
    Timeout(CltvExpiry),
    /// `to_local` or a second stage of a revoked commitment.
    PenaltyDelayed,
    /// An HTLC of a revoked commitment.
    PenaltyHtlc(PublicKey),
    /// Our anchor on a commitment that is in no block yet.
    Anchor,
}

/// All outputs that are not spent in the chain and that are, or will be, ours to take. `confirmed` is the height of the
/// commitment, `preimage_of` what we may use: of an HTLC that was settled with us, and no other (CVE-2020-26896).
pub fn claims(
    close: &Close,
    confirmed: BlockHeight,
    broadcaster: Broadcaster<'_>,
    spends: &Spends,
    preimage_of: impl Fn(&HtlcOutput) -> Option<PaymentPreimage>,
) -> Vec<Claim> {
    let unspent = |output: &&Output| spends.of(close.outpoint(output)).is_none();
    let mut claims = Vec::new();
    let mut htlc_index = 0;
    for output in &close.outputs {
        let index = htlc_index;
        htlc_index += usize::from(matches!(output.kind, OutputKind::Htlc(_)));
        if unspent(&output) {
            let outpoint = close.outpoint(output);
            let way = way(close, output, index, confirmed, broadcaster, &preimage_of);
            claims.extend(way.map(|found| found.claim(outpoint, output.amount, &output.witness_script)));
        }
    }
    for (_, stage) in second_stages(close, spends) {
        if spends.of(stage.outpoint).is_none() {
            let found = of_second_stage(&stage, broadcaster);
            claims.extend(found.map(|it| it.claim(stage.outpoint, stage.amount, &close.delayed_script)));
        }
    }
    claims.retain(Claim::is_worth_it);
    claims
}

/// A way that was found, and when it is open.
struct Found {
    key: ClaimKey,
    way: Way,
    from: BlockHeight,
    contested: Option<BlockHeight>,
    deadline: Option<BlockHeight>,
}

impl Found {
    fn uncontested(key: ClaimKey, way: Way, from: BlockHeight) -> Self {
        Self { key, way, from, contested: None, deadline: None }
    }

    fn penalty(key: ClaimKey, way: Way, from: BlockHeight, deadline: BlockHeight) -> Self {
        Self { key, way, from, contested: Some(deadline), deadline: Some(deadline) }
    }

    fn claim(self, outpoint: OutPoint, amount: Amount, witness_script: &ScriptBuf) -> Claim {
        let Self { key, way, from, contested, deadline } = self;
        Claim {
            outpoint,
            amount,
            witness_script: witness_script.clone(),
            key,
            way,
            from,
            contested,
            deadline,
        }
    }
}

fn way(
    close: &Close,
    output: &Output,
    htlc_index: usize,
    confirmed: BlockHeight,
    broadcaster: Broadcaster<'_>,
    preimage_of: impl Fn(&HtlcOutput) -> Option<PaymentPreimage>,
) -> Option<Found> {
    match (&output.kind, broadcaster) {
        // Nobody needs it once the commitment is in a block.
        (OutputKind::OurAnchor, _) => None,
        (OutputKind::ToRemote, _) => Some(Found::uncontested(ClaimKey::Payment, Way::ToRemote, confirmed)),
        (OutputKind::ToLocal, Broadcaster::Local { number, to_self_delay, .. }) => {
            Some(delayed(number, to_self_delay, confirmed))
        }
        (OutputKind::ToLocal, Broadcaster::Revoked { per_commitment_secret, to_self_delay, .. }) => {
            let deadline = confirmed.saturating_add(u32::from(to_self_delay));
            let key = ClaimKey::Revocation(per_commitment_secret);
            Some(Found::penalty(key, Way::PenaltyDelayed, confirmed, deadline))
        }
        (OutputKind::Htlc(htlc), Broadcaster::Local { number, htlc_signatures, .. }) => {
            let countersignature = *htlc_signatures.get(htlc_index)?;
            let delayed_script_hash = close.delayed_script.wscript_hash();
            let key = ClaimKey::LocalHtlc(number);
            let expiry = htlc.cltv_expiry.height();
            let second_stage = |preimage, lock_time| Way::SecondStage {
                delayed_script_hash,
                countersignature,
                preimage,
                lock_time,
            };
            match htlc.offered_by {
                Party::Local => Some(Found {
                    contested: Some(confirmed),
                    ..Found::uncontested(key, second_stage(None, expiry), expiry.max(confirmed))
                }),
                Party::Remote => {
                    let way = second_stage(Some(preimage_of(htlc)?), 0);
                    Some(Found::penalty(key, way, confirmed, expiry))
                }
            }
        }
        (OutputKind::Htlc(htlc), Broadcaster::Remote { per_commitment_point }) => {
            let key = ClaimKey::RemoteHtlc(per_commitment_point);
            let expiry = htlc.cltv_expiry;
            match htlc.offered_by {
                Party::Local => Some(Found {
                    contested: Some(confirmed),
                    ..Found::uncontested(key, Way::Timeout(expiry), expiry.height().max(confirmed))
                }),
                Party::Remote => {
                    let way = Way::Preimage(preimage_of(htlc)?);
                    Some(Found::penalty(key, way, confirmed, expiry.height()))
                }
            }
        }
        (
            OutputKind::Htlc(htlc),
            Broadcaster::Revoked { per_commitment_secret, revocation_pubkey, to_self_delay },
        ) => {
            let deadline = confirmed.saturating_add(u32::from(to_self_delay));
            let key = ClaimKey::Revocation(per_commitment_secret);
            let found = Found::penalty(key, Way::PenaltyHtlc(revocation_pubkey), confirmed, deadline);
            // What the cheater takes back of its own goes through a second stage, which is ours as well.
            let contested = match htlc.offered_by {
                Party::Remote => htlc.cltv_expiry.height().min(deadline),
                Party::Local => deadline,
            };
            Some(Found { contested: Some(contested), ..found })
        }
        (OutputKind::ToLocal, Broadcaster::Remote { .. } | Broadcaster::Unknown)
        | (OutputKind::Htlc(_), Broadcaster::Unknown) => None,
    }
}

fn of_second_stage(stage: &SecondStage, broadcaster: Broadcaster<'_>) -> Option<Found> {
    match broadcaster {
        Broadcaster::Local { number, to_self_delay, .. } => {
            Some(delayed(number, to_self_delay, stage.height))
        }
        Broadcaster::Revoked { per_commitment_secret, to_self_delay, .. } => {
            let deadline = stage.height.saturating_add(u32::from(to_self_delay));
            let key = ClaimKey::Revocation(per_commitment_secret);
            Some(Found::penalty(key, Way::PenaltyDelayed, stage.height, deadline))
        }
        Broadcaster::Remote { .. } | Broadcaster::Unknown => None,
    }
}

/// Our own delayed money, which nobody else can take.
fn delayed(number: CommitmentNumber, to_self_delay: u16, confirmed: BlockHeight) -> Found {
    let from = confirmed.saturating_add(u32::from(to_self_delay)).saturating_sub(1);
    Found::uncontested(ClaimKey::Delayed(number), Way::Delayed { to_self_delay }, from)
}

impl Claim {
    /// Whether it can be in the next block.
    pub const fn is_due(&self, height: BlockHeight) -> bool {
        self.from <= height
    }

    /// Whether claiming it alone costs no more than half of what is at stake at the least fee rate there is: the most that
    /// is bid where no deadline is near. What costs more is left to whoever wants it.
    fn is_worth_it(&self) -> bool {
        let alone = std::slice::from_ref(self);
        let to_wallet = ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::all_zeros());
        let weight = weight(alone, usize::from(self.is_second_stage()), &to_wallet);
        Stake::of(alone, self.from).amount.to_sat() / 2 >= FeeratePerKw::FLOOR.fee(weight).to_sat()
    }

    /// Whether the preimage claims it by an HTLC transaction of our own commitment.
    pub const fn is_htlc_success(&self) -> bool {
        matches!(self.way, Way::SecondStage { preimage: Some(_), .. })
    }

    /// Whether coins of the wallet pay for it.
    pub const fn takes_coins(&self) -> bool {
        matches!(self.way, Way::SecondStage { .. } | Way::Anchor)
    }

    /// Whether a fee can be added only by other coins: what an HTLC transaction pays is fixed by the peer's signature.
    pub const fn is_second_stage(&self) -> bool {
        matches!(self.way, Way::SecondStage { .. })
    }
}
