//! What a peer can say, well formed unless the name says otherwise.

use crate::states::{Captured, Place};
use crate::{HONEST, LIAR, NODE};
use kite_core::crypto::ChannelSigner;
use kite_core::types::CommitmentNumber;
use kite_sim::world::World;

/// Which channel a message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The one with the speaker.
    This,
    /// One that does not exist.
    Unknown,
    /// The one with somebody else.
    Others,
    /// None.
    Nothing,
}

/// One thing to say.
#[derive(Clone, Copy, Debug)]
pub struct Saying {
    what: &'static str,
    message_type: u16,
    body: Body,
    pub target: Target,
}

/// What follows the channel's name.
type Body = fn(&Scene<'_>) -> Vec<u8>;

/// What a body may look at.
pub struct Scene<'a> {
    world: &'a World,
    place: &'a Place,
    captured: &'a Captured,
    channel_id: [u8; 32],
}

pub const SIGNATURE: [u8; 64] = [1; 64];

fn chain() -> [u8; 32] {
    bitcoin::blockdata::constants::ChainHash::REGTEST.to_bytes()
}

fn bytes(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn channel_update(signature: &[u8]) -> Vec<u8> {
    bytes(&[signature, &chain(), &[1; 8], &[0, 0, 0, 1], &[1, 0, 0, 40], &[0; 16], &[0, 0, 0, 0, 0, 0, 0, 9]])
}

impl Scene<'_> {
    fn point(&self) -> [u8; 33] {
        self.world.node_id(LIAR).serialize()
    }

    /// The point that the liar has for its commitment 1: a lie here would only harm its own channel.
    fn second_point(&self) -> [u8; 33] {
        let index = self.world.channel(LIAR, NODE).map_or(0, |channel| channel.index);
        let signer = ChannelSigner::new(self.world.hosts[LIAR].keys().channel_keys(index));
        signer.per_commitment_point(CommitmentNumber(1)).expect("a point").serialize()
    }

    fn next_htlc(&self) -> [u8; 8] {
        self.place.next_htlc.to_be_bytes()
    }
}

/// Messages about a channel, whose name comes first.
const OF_CHANNEL: &[(&str, u16, Body)] = &[
    ("warning", 1, |_| bytes(&[&[0, 2], b"hm"])),
    ("error", 17, |_| bytes(&[&[0, 2], b"no"])),
    ("error, control characters", 17, |_| bytes(&[&[0, 4], b"\x1b[\xff\0"])),
    ("open_channel", 32, |scene| scene.captured.open_channel[66..].to_vec()),
    ("accept_channel", 33, |scene| scene.captured.accept_channel[34..].to_vec()),
    ("funding_created", 34, |_| bytes(&[&[3; 32], &[0, 0], &SIGNATURE])),
    ("funding_signed", 35, |_| SIGNATURE.to_vec()),
    ("channel_ready", 36, |scene| scene.second_point().to_vec()),
    ("shutdown", 38, |_| bytes(&[&[0, 22, 0, 20], &[5; 20]])),
    ("shutdown, no standard script", 38, |_| bytes(&[&[0, 1, 0x51]])),
    ("closing_signed", 39, |_| bytes(&[&500u64.to_be_bytes(), &SIGNATURE])),
    ("update_add_htlc", 128, |scene| {
        let expiry = scene.world.chain.height() + 100;
        let amount = 3_000_000u64.to_be_bytes();
        bytes(&[&scene.next_htlc(), &amount, &[6; 32], &expiry.to_be_bytes(), &[0; 1366]])
    }),
    ("update_add_htlc, id out of order", 128, |scene| {
        let amount = 3_000_000u64.to_be_bytes();
        bytes(&[
            &9u64.to_be_bytes(),
            &amount,
            &[6; 32],
            &scene.world.chain.height().to_be_bytes(),
            &[0; 1366],
        ])
    }),
    ("update_add_htlc, more than there is", 128, |scene| {
        let amount = 900_000_000u64.to_be_bytes();
        let expiry = scene.world.chain.height() + 100;
        bytes(&[&scene.next_htlc(), &amount, &[6; 32], &expiry.to_be_bytes(), &[0; 1366]])
    }),
    ("update_fulfill_htlc, wrong preimage", 130, |_| bytes(&[&1u64.to_be_bytes(), &[1; 32]])),
    ("update_fail_htlc, no such id", 131, |_| bytes(&[&99u64.to_be_bytes(), &[0, 1, 7]])),
    ("commitment_signed, wrong signature", 132, |_| bytes(&[&SIGNATURE, &[0, 0]])),
    ("commitment_signed, 483 signatures", 132, |_| {
        bytes(&[&SIGNATURE, &483u16.to_be_bytes(), &SIGNATURE.repeat(483)])
    }),
    ("revoke_and_ack, wrong secret", 133, |scene| bytes(&[&[1; 32], &scene.point()])),
    ("update_fee", 134, |_| 1_000u32.to_be_bytes().to_vec()),
    ("update_fee, 4 billion", 134, |_| u32::MAX.to_be_bytes().to_vec()),
    ("update_fail_malformed_htlc, no such id", 135, |_| {
        bytes(&[&99u64.to_be_bytes(), &[0; 32], &0xc005u16.to_be_bytes()])
    }),
    ("channel_reestablish, from the beginning", 136, |scene| {
        bytes(&[&1u64.to_be_bytes(), &0u64.to_be_bytes(), &[0; 32], &scene.point()])
    }),
    ("channel_reestablish, far ahead, no proof", 136, |scene| {
        bytes(&[&99u64.to_be_bytes(), &98u64.to_be_bytes(), &[1; 32], &scene.point()])
    }),
    ("announcement_signatures", 259, |_| bytes(&[&[1; 8], &SIGNATURE, &SIGNATURE])),
];

/// All others.
const OF_NOTHING: &[(&str, u16, Body)] = &[
    ("init, once more", 16, |_| vec![0; 4]),
    ("ping", 18, |_| vec![0, 9, 0, 0]),
    ("ping that wants no pong", 18, |_| vec![0xff, 0xff, 0, 0]),
    ("pong that nobody asked for", 19, |_| vec![0, 0]),
    ("error about all channels", 17, |_| bytes(&[&[0; 32], &[0, 2], b"no"])),
    ("warning about all channels", 1, |_| bytes(&[&[0; 32], &[0, 2], b"hm"])),
    ("channel_announcement", 256, |scene| {
        bytes(&[&SIGNATURE.repeat(4), &[0, 0], &chain(), &[1; 8], &scene.point().repeat(4)])
    }),
    ("node_announcement", 257, |scene| {
        bytes(&[&SIGNATURE, &[0, 0], &[0, 0, 0, 1], &scene.point(), &[0; 3], &[b'a'; 32], &[0, 0]])
    }),
    ("channel_announcement, no points", 256, |_| {
        bytes(&[&SIGNATURE.repeat(4), &[0, 0], &chain(), &[1; 8], &[0; 132]])
    }),
    ("node_announcement of 10 bytes", 257, |_| vec![0; 10]),
    ("channel_update", 258, |_| channel_update(&SIGNATURE)),
    ("channel_update, high S", 258, |_| channel_update(&[[1; 32], [0x90; 32]].concat())),
    ("channel_update, no signature", 258, |_| channel_update(&[0xff; 64])),
    ("query_short_channel_ids", 261, |_| bytes(&[&chain(), &[0, 9, 0], &[1; 8]])),
    ("reply_short_channel_ids_end", 262, |_| bytes(&[&chain(), &[1]])),
    ("query_channel_range", 263, |_| bytes(&[&chain(), &[0; 8]])),
    ("reply_channel_range", 264, |_| bytes(&[&chain(), &[0; 8], &[1, 0, 9, 0], &[1; 8]])),
    ("reply_channel_range, unknown encoding", 264, |_| bytes(&[&chain(), &[0; 8], &[1, 0, 9, 7], &[1; 8]])),
    ("reply_channel_range of 10 bytes", 264, |_| vec![0; 10]),
    ("gossip_timestamp_filter", 265, |_| bytes(&[&chain(), &[0; 8]])),
    ("a type that is unknown and odd", 40_001, |_| vec![7; 60]),
    ("a type that is unknown and even", 40_002, |_| vec![]),
    ("open_channel of 10 bytes", 32, |_| vec![0; 10]),
    ("update_add_htlc of 40 bytes", 128, |_| vec![0; 40]),
    ("channel_ready, no point", 36, |_| vec![0; 65]),
];

/// Everything, in the order of the table.
pub fn all() -> Vec<Saying> {
    let say = |(what, message_type, body): &(&'static str, u16, Body), target| Saying {
        what,
        message_type: *message_type,
        body: *body,
        target,
    };
    let of_channel = [Target::This, Target::Unknown, Target::Others];
    let of_channel =
        of_channel.into_iter().flat_map(|target| OF_CHANNEL.iter().map(move |row| (row, target)));
    let mut all: Vec<Saying> = of_channel.map(|(row, target)| say(row, target)).collect();
    all.extend(OF_NOTHING.iter().map(|row| say(row, Target::Nothing)));
    all
}

impl Saying {
    pub fn name(&self) -> String {
        match self.target {
            Target::This | Target::Nothing => self.what.into(),
            Target::Unknown => format!("{} (unknown)", self.what),
            Target::Others => format!("{} (another's)", self.what),
        }
    }

    /// Whether it begins something, so that what is said after it is said in another state.
    pub fn begins(&self) -> bool {
        matches!(self.message_type, 16 | 32)
    }

    pub fn bytes(&self, world: &World, place: &Place, captured: &Captured) -> Vec<u8> {
        let of = |host| world.channel(NODE, host).map_or([7; 32], |channel| channel.channel_id.0);
        let channel_id = match self.target {
            Target::This => of(LIAR),
            Target::Others => of(HONEST),
            Target::Unknown | Target::Nothing => [7; 32],
        };
        let scene = Scene { world, place, captured, channel_id };
        let mut message = self.message_type.to_be_bytes().to_vec();
        if self.target != Target::Nothing {
            if self.message_type == 32 {
                message.extend(chain());
            }
            message.extend(scene.channel_id);
        }
        message.extend((self.body)(&scene));
        message
    }
}
