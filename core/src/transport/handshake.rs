//! `Noise_XK_secp256k1_ChaChaPoly_SHA256`, in three acts (BOLT 8, Authenticated Key Exchange Handshake).

use super::{
    cipher::{NotAuthentic, TAG_LEN, decrypt_with_ad, encrypt_with_ad},
    error::{Act, TransportError},
    stream::Transport,
};
use crate::crypto::{
    ec,
    hash::{hkdf_two_keys, sha256},
};
use bitcoin::secp256k1::{PublicKey, SecretKey};
use std::fmt;
use zeroize::Zeroize;

const PROTOCOL_NAME: &[u8] = b"Noise_XK_secp256k1_ChaChaPoly_SHA256";
const PROLOGUE: &[u8] = b"lightning";
const VERSION: u8 = 0;
const POINT_LEN: usize = 33;
const ACT_ONE_TWO_LEN: usize = 1 + POINT_LEN + TAG_LEN;
const ACT_THREE_LEN: usize = 1 + POINT_LEN + TAG_LEN + TAG_LEN;

/// A handshake under way. It waits for one act at a time and never holds more bytes than that act has.
pub struct Handshake {
    stage: Stage,
    unread: Vec<u8>,
}

/// What some received bytes led to.
#[derive(Debug)]
#[must_use]
pub enum Progress {
    /// The act the other side is sending is not complete.
    NeedMore {
        /// The bytes that are missing at least.
        missing: usize,
    },
    /// Send this, then wait for more.
    Reply(Vec<u8>),
    /// The handshake is complete.
    Established(Box<Established>),
}

/// The result of a handshake.
#[derive(Debug)]
pub struct Established {
    /// The session.
    pub transport: Transport,
    /// The other side's authenticated node id.
    pub remote_node_id: PublicKey,
    /// To be sent first: act three for the initiator, nothing for the responder.
    pub reply: Vec<u8>,
    /// What was received after the handshake; belongs to the session.
    pub unread: Vec<u8>,
}

enum Stage {
    /// The initiator has sent act one.
    AwaitActTwo { noise: Noise, local_static: Secret, ephemeral: Secret, remote_static: PublicKey },
    /// The responder waits.
    AwaitActOne { noise: Noise, local_static: Secret, ephemeral: Secret },
    /// The responder has sent act two.
    AwaitActThree { noise: Noise, ephemeral: Secret, act_two_key: TemporaryKey },
    /// Complete.
    Done,
    /// Over.
    Failed(TransportError),
}

impl Handshake {
    /// Starts a handshake with a node whose id is known. Returns act one, to be sent.
    ///
    /// The ephemeral key must be fresh and used for nothing else.
    pub fn initiator(
        local_static: &SecretKey,
        remote_static: PublicKey,
        ephemeral: SecretKey,
    ) -> (Self, Vec<u8>) {
        let mut noise = Noise::new(&remote_static);
        let act_one = noise.write_ephemeral(&ephemeral, &remote_static).1;
        let stage = Stage::AwaitActTwo {
            noise,
            local_static: Secret(*local_static),
            ephemeral: Secret(ephemeral),
            remote_static,
        };
        (Self { stage, unread: Vec::new() }, act_one)
    }

    /// Waits for a handshake that the other side starts.
    ///
    /// The ephemeral key must be fresh and used for nothing else.
    pub fn responder(local_static: &SecretKey, ephemeral: SecretKey) -> Self {
        let stage = Stage::AwaitActOne {
            noise: Noise::new(&ec::public_key(local_static)),
            local_static: Secret(*local_static),
            ephemeral: Secret(ephemeral),
        };
        Self { stage, unread: Vec::new() }
    }

    /// Takes received bytes, however they were cut.
    ///
    /// # Errors
    /// A fatal [`TransportError`], and the same for every later call; [`TransportError::AlreadyEstablished`] after
    /// the end.
    pub fn receive(&mut self, mut bytes: &[u8]) -> Result<Progress, TransportError> {
        let mut reply = Vec::new();
        loop {
            let length = match &self.stage {
                Stage::AwaitActOne { .. } | Stage::AwaitActTwo { .. } => ACT_ONE_TWO_LEN,
                Stage::AwaitActThree { .. } => ACT_THREE_LEN,
                Stage::Done => return Err(TransportError::AlreadyEstablished),
                Stage::Failed(error) => return Err(*error),
            };
            let (now, later) = bytes.split_at(bytes.len().min(length - self.unread.len()));
            self.unread.extend_from_slice(now);
            bytes = later;
            let missing = length - self.unread.len();
            if missing > 0 && reply.is_empty() {
                return Ok(Progress::NeedMore { missing });
            } else if missing > 0 {
                return Ok(Progress::Reply(reply));
            }
            let act = std::mem::take(&mut self.unread);
            match self.process(&act) {
                Ok(Step::Reply(act_two)) => reply = act_two,
                Ok(Step::Established(mut established)) => {
                    established.unread = bytes.to_vec();
                    return Ok(Progress::Established(established));
                }
                Err(error) => {
                    self.stage = Stage::Failed(error);
                    return Err(error);
                }
            }
        }
    }

    /// # Errors
    /// The error that ended the handshake, if one did.
    pub(super) const fn check(&self) -> Result<(), TransportError> {
        match self.stage {
            Stage::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }

    fn process(&mut self, act: &[u8]) -> Result<Step, TransportError> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::AwaitActOne { mut noise, local_static, ephemeral } => {
                let remote_ephemeral = noise.read_ephemeral(Act::One, act, &local_static.0)?.1;
                let (act_two_key, act_two) = noise.write_ephemeral(&ephemeral.0, &remote_ephemeral);
                self.stage = Stage::AwaitActThree { noise, ephemeral, act_two_key };
                Ok(Step::Reply(act_two))
            }
            Stage::AwaitActTwo { mut noise, local_static, ephemeral, remote_static } => {
                let (act_two_key, remote_ephemeral) = noise.read_ephemeral(Act::Two, act, &ephemeral.0)?;
                let reply = noise.write_static(&local_static.0, &remote_ephemeral, &act_two_key);
                let (sending, receiving) = noise.split();
                Ok(Step::established(noise.transport(sending, receiving), remote_static, reply))
            }
            Stage::AwaitActThree { mut noise, ephemeral, act_two_key } => {
                let remote_static = noise.read_static(act, &ephemeral.0, &act_two_key)?;
                let (receiving, sending) = noise.split();
                Ok(Step::established(noise.transport(sending, receiving), remote_static, Vec::new()))
            }
            Stage::Done => Err(TransportError::AlreadyEstablished),
            Stage::Failed(error) => Err(error),
        }
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::AwaitActOne { .. } => "await act one",
            Stage::AwaitActTwo { .. } => "await act two",
            Stage::AwaitActThree { .. } => "await act three",
            Stage::Done => "done",
            Stage::Failed(_) => "failed",
        };
        f.debug_struct("Handshake").field("stage", &stage).finish_non_exhaustive()
    }
}

enum Step {
    Reply(Vec<u8>),
    Established(Box<Established>),
}

impl Step {
    fn established(transport: Transport, remote_node_id: PublicKey, reply: Vec<u8>) -> Self {
        Self::Established(Box::new(Established { transport, remote_node_id, reply, unread: Vec::new() }))
    }
}

struct Secret(SecretKey);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

struct TemporaryKey([u8; 32]);

impl Drop for TemporaryKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// `ck` and `h` of BOLT 8, Handshake State.
struct Noise {
    chaining_key: [u8; 32],
    hash: [u8; 32],
}

impl Drop for Noise {
    fn drop(&mut self) {
        self.chaining_key.zeroize();
    }
}

impl Noise {
    fn new(responder_static: &PublicKey) -> Self {
        let chaining_key = sha256(&[PROTOCOL_NAME]);
        let mut noise = Self { chaining_key, hash: chaining_key };
        noise.mix_hash(PROLOGUE);
        noise.mix_hash(&responder_static.serialize());
        noise
    }

    fn mix_hash(&mut self, data: &[u8]) {
        self.hash = sha256(&[&self.hash, data]);
    }

    fn mix_key(&mut self, mut shared_secret: [u8; 32]) -> TemporaryKey {
        let (chaining_key, key) = hkdf_two_keys(&self.chaining_key, &shared_secret);
        shared_secret.zeroize();
        self.chaining_key = chaining_key;
        TemporaryKey(key)
    }

    fn encrypt(&mut self, key: &TemporaryKey, nonce: u64, plain: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        encrypt_with_ad(&key.0, nonce, &self.hash, plain, out);
        self.mix_hash(&out[start..]);
    }

    fn decrypt(&mut self, key: &TemporaryKey, nonce: u64, sealed: &[u8]) -> Result<Vec<u8>, NotAuthentic> {
        let plain = decrypt_with_ad(&key.0, nonce, &self.hash, sealed)?;
        self.mix_hash(sealed);
        Ok(plain)
    }

    /// Sender's side of acts one and two.
    fn write_ephemeral(&mut self, ephemeral: &SecretKey, remote: &PublicKey) -> (TemporaryKey, Vec<u8>) {
        let point = ec::public_key(ephemeral).serialize();
        self.mix_hash(&point);
        let key = self.mix_key(ec::ecdh(remote, ephemeral));
        let mut act = Vec::with_capacity(ACT_ONE_TWO_LEN);
        act.push(VERSION);
        act.extend_from_slice(&point);
        self.encrypt(&key, 0, &[], &mut act);
        (key, act)
    }

    /// Receiver's side of acts one and two.
    fn read_ephemeral(
        &mut self,
        act: Act,
        bytes: &[u8],
        local: &SecretKey,
    ) -> Result<(TemporaryKey, PublicKey), TransportError> {
        let rest = check_version(act, bytes)?;
        let (point, tag) = rest.split_at_checked(POINT_LEN).ok_or(TransportError::BadTag { act })?;
        let remote = PublicKey::from_slice(point).map_err(|_| TransportError::BadPublicKey { act })?;
        self.mix_hash(point);
        let key = self.mix_key(ec::ecdh(&remote, local));
        self.decrypt(&key, 0, tag).map_err(|_| TransportError::BadTag { act })?;
        Ok((key, remote))
    }

    /// Sender's side of act three.
    fn write_static(
        &mut self,
        local_static: &SecretKey,
        remote_ephemeral: &PublicKey,
        act_two_key: &TemporaryKey,
    ) -> Vec<u8> {
        let mut act = Vec::with_capacity(ACT_THREE_LEN);
        act.push(VERSION);
        self.encrypt(act_two_key, 1, &ec::public_key(local_static).serialize(), &mut act);
        let key = self.mix_key(ec::ecdh(remote_ephemeral, local_static));
        self.encrypt(&key, 0, &[], &mut act);
        act
    }

    /// Receiver's side of act three.
    fn read_static(
        &mut self,
        bytes: &[u8],
        ephemeral: &SecretKey,
        act_two_key: &TemporaryKey,
    ) -> Result<PublicKey, TransportError> {
        let act = Act::Three;
        let rest = check_version(act, bytes)?;
        let (sealed, tag) =
            rest.split_at_checked(POINT_LEN + TAG_LEN).ok_or(TransportError::BadTag { act })?;
        let point = self.decrypt(act_two_key, 1, sealed).map_err(|_| TransportError::BadStaticKey)?;
        let remote_static =
            PublicKey::from_slice(&point).map_err(|_| TransportError::BadPublicKey { act })?;
        let key = self.mix_key(ec::ecdh(&remote_static, ephemeral));
        self.decrypt(&key, 0, tag).map_err(|_| TransportError::BadTag { act })?;
        Ok(remote_static)
    }

    /// The initiator's sending key and its receiving key.
    fn split(&self) -> ([u8; 32], [u8; 32]) {
        hkdf_two_keys(&self.chaining_key, &[])
    }

    fn transport(&self, sending: [u8; 32], receiving: [u8; 32]) -> Transport {
        Transport::new(self.chaining_key, sending, receiving)
    }
}

fn check_version(act: Act, bytes: &[u8]) -> Result<&[u8], TransportError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => Ok(rest),
        Some((&version, _)) => Err(TransportError::BadVersion { act, version }),
        None => Err(TransportError::BadTag { act }),
    }
}
