//! How a channel begins: by our wish, or by the peer's.

use super::{Link, State, WaitForAcceptChannel, WaitForFundingCreated};
use crate::channel::command::{Env, OpenRequest};
use crate::channel::effects::{Effects, Transition};
use crate::channel::error::{ChannelError, Refusal};
use crate::channel::params::FORMAT;
use crate::channel::{Channel, Standing, open};
use crate::tx::fees::opener_cost;
use crate::types::{ChannelId, MilliSatoshi};
use crate::wire::OpenChannel;
use bitcoin::secp256k1::PublicKey;

impl Channel {
    /// Asks the peer for a channel. The temporary name must be new with this peer, the key index new altogether.
    ///
    /// # Errors
    /// [`ChannelError::Refused`] for an amount that no channel can have.
    pub fn open(
        env: &Env<'_>,
        request: &OpenRequest,
        peer: PublicKey,
        key_index: u32,
        temporary_channel_id: ChannelId,
    ) -> Result<Transition, ChannelError> {
        let (least, limit) = (env.config.min_funding, env.config.funding_limit);
        if request.funding < least || request.funding >= limit {
            return Err(Refusal::FundingAmount { funding: request.funding, least, limit }.into());
        }
        let open = open::open_channel(env, request, temporary_channel_id)?;
        let reserve = MilliSatoshi::from_amount(env.config.max_reserve(request.funding));
        let needed = opener_cost(open.feerate_per_kw, 0, FORMAT).saturating_add(reserve);
        let left = MilliSatoshi::from_amount(request.funding).checked_sub(request.push);
        if left.is_none_or(|left| left < needed) {
            return Err(Refusal::Push { push: request.push }.into());
        }
        let mut effects = Effects::default();
        effects.send(Box::new(open.clone()));
        let state = State::WaitForAcceptChannel(Box::new(WaitForAcceptChannel { open }));
        let next = Self {
            id: temporary_channel_id,
            peer,
            key_index,
            state,
            link: Link::Online,
            standing: Standing::Current,
        };
        Ok(Transition { next, effects })
    }

    /// Answers the peer's wish for a channel. The key index must be new.
    ///
    /// # Errors
    /// [`ChannelError::FailChannel`]: answer with an `error` for the temporary name; there is no channel.
    pub fn accept(
        env: &Env<'_>,
        peer: PublicKey,
        key_index: u32,
        open: &OpenChannel,
    ) -> Result<Transition, ChannelError> {
        let (accept, agreement) = open::answer(env, open)?;
        let mut effects = Effects::default();
        effects.send(Box::new(accept));
        let state = State::WaitForFundingCreated(Box::new(WaitForFundingCreated { agreement }));
        let next = Self {
            id: open.temporary_channel_id,
            peer,
            key_index,
            state,
            link: Link::Online,
            standing: Standing::Current,
        };
        Ok(Transition { next, effects })
    }
}
