//! What may pass the gate (contract P2): nothing that speaks of a channel or a payment.

use crate::node::outbox::Setup;
use crate::types::{ChannelId, Features, HtlcId, PaymentPreimage};
use crate::wire::{
    ChannelReestablish, Error, Init, Message, Ping, Pong, RevokeAndAck, Shutdown, UpdateFailHtlc,
    UpdateFailMalformedHtlc, UpdateFee, UpdateFulfillHtlc, Warning,
};
use bitcoin::ScriptBuf;

#[test]
fn no_message_about_a_channel_passes_the_gate() {
    let channel_id = ChannelId([1; 32]);
    let point =
        crate::crypto::NodeKeys::from_seed(&crate::crypto::Seed::new([1; 64]), bitcoin::Network::Regtest)
            .unwrap()
            .node_id();
    let id = HtlcId(0);
    let gated: [Message; 9] = [
        Error::new(channel_id, "x").into(),
        Shutdown { channel_id, scriptpubkey: ScriptBuf::new() }.into(),
        UpdateFulfillHtlc { channel_id, id, payment_preimage: PaymentPreimage([1; 32]) }.into(),
        UpdateFailHtlc { channel_id, id, reason: vec![] }.into(),
        UpdateFailMalformedHtlc { channel_id, id, sha256_of_onion: [0; 32], failure_code: 0x8000 }.into(),
        UpdateFee { channel_id, feerate_per_kw: crate::types::FeeratePerKw::FLOOR }.into(),
        RevokeAndAck { channel_id, per_commitment_secret: [1; 32], next_per_commitment_point: point }.into(),
        crate::wire::ChannelReady { channel_id, second_per_commitment_point: point, short_channel_id: None }
            .into(),
        ChannelReestablish {
            channel_id,
            next_commitment_number: 1,
            next_revocation_number: 0,
            your_last_per_commitment_secret: [0; 32],
            my_current_per_commitment_point: point,
            next_funding: None,
            my_current_funding_locked: None,
        }
        .into(),
    ];
    for message in gated {
        assert_eq!(*Setup::new(message.clone()).unwrap_err(), message);
    }
    let features = Features::empty();
    let init = Init { globalfeatures: features.clone(), features, networks: None, remote_addr: None };
    let exempt: [Message; 4] = [
        init.into(),
        Ping { num_pong_bytes: 1, byteslen: 0 }.into(),
        Pong { byteslen: 1 }.into(),
        Warning::new(channel_id, "x").into(),
    ];
    for message in exempt {
        assert_eq!(Setup::new(message.clone()).unwrap().into_message(), message);
    }
}
