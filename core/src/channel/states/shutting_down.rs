//! One side wants to close; HTLCs and updates that are left come to their end first (BOLT 2, Closing Initiation).

use super::operation::Operated;
use super::{Link, Negotiating, State};
use crate::channel::Channel;
use crate::channel::command::{Command, Env};
use crate::channel::commitments::Commitments;
use crate::channel::effects::{ChannelEvent, Effects, Transition};
use crate::channel::error::{ChannelError, Refusal, Violation};
use crate::channel::mutual::is_shutdown_script;
use crate::types::Feature;
use crate::wire::{Message, Shutdown};
use bitcoin::ScriptBuf;

/// See [`State::ShuttingDown`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShuttingDown {
    /// The commitments.
    pub commitments: Commitments,
    /// Where our balance shall go.
    pub local_script: ScriptBuf,
    /// Whether we have ever sent `shutdown`.
    pub sent: bool,
    /// Where the peer's balance shall go; unset while it has not sent `shutdown` over this connection.
    pub remote_script: Option<ScriptBuf>,
    /// Whether the peer may hold a closing transaction that we signed. It is never revoked, so that what the balances say
    /// must not change any more: no connection brings a new HTLC.
    pub is_final: bool,
    /// Blocks that came over a connection while nothing but the peer's word was missing to close.
    pub unanswered: u32,
}

impl ShuttingDown {
    /// Nobody has said anything yet.
    pub(super) fn begin(commitments: Commitments, env: &Env<'_>) -> Self {
        let promised = commitments.params.local.upfront_shutdown_script.clone();
        let local_script = promised.unwrap_or_else(|| env.shutdown_script.to_owned());
        let (sent, is_final, unanswered) = (false, false, 0);
        Self { commitments, local_script, sent, remote_script: None, is_final, unanswered }
    }
}

impl Channel {
    pub(super) fn in_shutting_down(
        &self,
        state: &ShuttingDown,
        env: &Env<'_>,
        command: Command,
    ) -> Result<Transition, ChannelError> {
        let mut state = state.clone();
        let mut effects = Effects::default();
        let is_block = matches!(command, Command::NewBlock(_));
        match command {
            Command::Shutdown { script } => {
                let begun = matches!(self.state, State::ShuttingDown(_));
                if begun {
                    return Err(Refusal::ShuttingDown.into());
                }
                if let Some(script) = script {
                    let promised = state.commitments.params.local.upfront_shutdown_script.as_ref();
                    let any_segwit = env.negotiated(Feature::ShutdownAnysegwit);
                    if promised.is_some_and(|promised| *promised != script)
                        || !is_shutdown_script(&script, any_segwit)
                    {
                        return Err(Refusal::ShutdownScript.into());
                    }
                    state.local_script = script;
                }
                effects.notify(ChannelEvent::ShuttingDown);
            }
            Command::Message(Message::Shutdown(message)) => {
                if !matches!(self.state, State::ShuttingDown(_)) {
                    effects.notify(ChannelEvent::ShuttingDown);
                }
                receive_shutdown(&mut state, env, &message)?;
            }
            Command::AddHtlc(_) => return Err(Refusal::ShuttingDown.into()),
            Command::Looked { height, sees_funding: false } if state.commitments.is_unfunded(env, height) => {
                return Ok(self.forget_unfunded());
            }
            Command::Message(Message::UpdateAddHtlc(add)) => {
                if state.remote_script.is_some() || state.is_final {
                    return Err(ChannelError::FailChannel(Violation::UpdateAfterShutdown));
                }
                state.commitments.receive_add(env, &add)?;
            }
            command => {
                if self.operate(&mut state.commitments, env, &command, &mut effects)? == Operated::No {
                    return self.unhandled(&command);
                }
            }
        }
        if is_block && state.sent && state.commitments.htlcs.is_empty() {
            state.unanswered = self.count_unanswered(state.unanswered)?;
        }
        self.go_on_shutting_down(env, state, effects)
    }

    /// Sends `shutdown` as soon as none of our updates is unsigned, and goes on to the fee when nothing is left.
    pub(super) fn go_on_shutting_down(
        &self,
        env: &Env<'_>,
        mut state: ShuttingDown,
        mut effects: Effects,
    ) -> Result<Transition, ChannelError> {
        if !state.sent && self.link == Link::Online && state.commitments.local_changes.proposed.is_empty() {
            state.sent = true;
            let channel_id = state.commitments.channel_id();
            effects.send(Shutdown { channel_id, scriptpubkey: state.local_script.clone() });
        }
        match state {
            ShuttingDown {
                commitments,
                local_script,
                sent: true,
                remote_script: Some(remote_script),
                unanswered,
                ..
            } if commitments.is_clean() => {
                let state = Negotiating::begin(commitments, local_script, remote_script, unanswered);
                self.negotiate(env, state, effects)
            }
            state => Ok(self.step(State::ShuttingDown(state), effects)),
        }
    }
}

fn receive_shutdown(state: &mut ShuttingDown, env: &Env<'_>, message: &Shutdown) -> Result<(), ChannelError> {
    let script = &message.scriptpubkey;
    if let Some(known) = &state.remote_script {
        // Whose word it is then is not clear; with the next connection it comes again.
        if known == script {
            return Ok(());
        }
        return Err(ChannelError::Disconnect(Violation::ShutdownScriptChanged));
    }
    let commitments = &state.commitments;
    if commitments.params.remote.upfront_shutdown_script.as_ref().is_some_and(|promised| promised != script) {
        return Err(ChannelError::Disconnect(Violation::ShutdownScriptChanged));
    }
    if !is_shutdown_script(script, env.negotiated(Feature::ShutdownAnysegwit)) {
        return Err(ChannelError::Warn(Violation::ShutdownScript));
    }
    if !commitments.remote_changes.proposed.is_empty() {
        return Err(ChannelError::Disconnect(Violation::ShutdownWithPendingUpdates));
    }
    state.remote_script = Some(script.clone());
    Ok(())
}
