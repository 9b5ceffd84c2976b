//! The steps of the loop: what follows from an output of the node, from a request of the app, and from the end of
//! something that was under way.

use super::handle::Request;
use super::{Done, Machine, Notice, Package, Runner};
use crate::chain::{ChainError, ChainSource, Look};
use crate::platform::StoreError;
use futures::channel::oneshot;
use kite_core::chain::ChainFact;
use kite_core::node::{Answer, Command, CommandError, CommandId, Event, Input, Output, StoreFailure};
use kite_core::store::Batch;
use kite_core::types::Instant;

/// The longest wait between two looks at a chain server that fails.
const MAX_LOOK_PAUSE_MILLIS: u64 = 60_000;
/// How often a package is tried; after that the node gives it again with the next block.
const PUBLISH_TRIES: u32 = 6;
/// Packages that wait to be published.
const MAX_TO_PUBLISH: usize = 256;

impl<M: Machine + 'static> Runner<M> {
    /// Carries out what the node says until it is idle.
    pub(super) fn drain(&mut self) {
        loop {
            match self.machine.poll_output() {
                Output::Idle { wake_at } => {
                    self.wake_at = wake_at;
                    return;
                }
                Output::Persist(batch) => self.persist(batch),
                Output::Connect { conn, node_id, address } => self.connect(conn, node_id, address),
                Output::Send { conn, bytes } => self.send(conn, bytes),
                Output::Disconnect { conn } => self.disconnect(conn),
                Output::Broadcast(transactions) => self.broadcast(transactions),
                Output::Answer { id, result } => self.answer(id, *result),
                Output::Event(event) => {
                    if let Event::PaymentSent { id, .. } | Event::PaymentFailed { id, .. } = &event.event {
                        self.timings.end(*id, self.platform.clock.now().mono);
                    }
                    self.notices.store(event);
                }
                Output::WatchesChanged => self.look_soon(),
                Output::Halted(failure) => self.halt(failure),
            }
        }
    }

    pub(super) fn done(&mut self, done: Done) {
        match done {
            Done::Committed(seq, result) => self.committed(seq, result),
            Done::Dialed(conn, result) => self.dialed(conn, result),
            Done::Read(conn, reader, result) => self.was_read(conn, reader, result),
            Done::Written(conn, writer, result) => self.written(conn, writer, result),
            Done::Looked(source, result) => self.looked(*source, result),
            Done::Published(package, result) => self.published(package, result),
            Done::Nothing => {}
        }
    }

    pub(super) fn request(&mut self, request: Option<Request<M>>) {
        match request {
            Some(Request::Command(command, answer)) => self.command(command, answer),
            Some(Request::Question(question)) => question(&self.machine),
            Some(Request::EventHandled(seq)) => self.inputs.push_back(Input::EventHandled { seq }),
            Some(Request::Durable(answer)) => self.durable.push(answer),
            Some(Request::GoOnline) => self.go_online(),
            Some(Request::Hurry) => {
                self.inputs.push_back(Input::Hurry);
                self.look_soon();
            }
            // Or nobody can ask any more.
            Some(Request::Stop) | None => self.stop(),
        }
    }

    fn stop(&mut self) {
        self.requests.close();
        // What nothing waits for would be written in a moment, such as that an event was handled.
        self.inputs.push_back(Input::Flush);
        self.stopping = true;
    }

    fn command(&mut self, command: Box<Command>, answer: oneshot::Sender<Result<Answer, CommandError>>) {
        if let Command::Send(request) = &*command {
            self.timings.begin(request.id, self.platform.clock.now().mono);
        }
        let id = CommandId(self.next_command);
        self.next_command += 1;
        self.answers.insert(id, answer);
        self.inputs.push_back(Input::Command { id, command });
    }

    fn answer(&mut self, id: CommandId, result: Result<Answer, CommandError>) {
        if let Some(answer) = self.answers.remove(&id) {
            // Whoever asked may have gone away.
            let _ = answer.send(result);
        }
    }

    fn go_online(&mut self) {
        if self.online || self.halted.is_some() {
            return;
        }
        self.online = true;
        self.status.change(|status| status.online = true);
        for (conn, node_id, address) in std::mem::take(&mut self.held) {
            self.connect(conn, node_id, address);
        }
        self.publish_next();
        self.look_soon();
    }

    fn halt(&mut self, failure: StoreFailure) {
        self.halted = Some(failure);
        self.status.change(|status| status.halted = Some(failure));
        self.batches.clear();
        self.to_publish.clear();
        self.held.clear();
        // No command that waits can be carried out any more (contract P4).
        for (_, answer) in std::mem::take(&mut self.answers) {
            let _ = answer.send(Err(CommandError::Stopped));
        }
        self.notices.stopped(Some(failure));
    }
}

impl<M: Machine + 'static> Runner<M> {
    fn persist(&mut self, mut batch: Batch) {
        batch.ops.append(&mut self.with_first_batch);
        self.batches.push_back(batch);
        self.commit_next();
    }

    /// At most one batch is being written (contract P1).
    fn commit_next(&mut self) {
        if self.committing {
            return;
        }
        let Some(batch) = self.batches.pop_front() else { return };
        self.committing = true;
        let store = self.platform.store.clone();
        self.tasks.push(Box::pin(async move {
            let seq = batch.seq;
            Done::Committed(seq, store.commit(batch).await)
        }));
    }

    pub(super) fn tell_durable(&mut self) {
        if self.halted.is_some() {
            // Whoever waits learns that it will not be.
            self.durable.clear();
        } else if !self.committing && self.batches.is_empty() {
            for answer in std::mem::take(&mut self.durable) {
                let _ = answer.send(());
            }
        }
    }

    fn committed(&mut self, seq: u64, result: Result<(), StoreError>) {
        self.committing = false;
        match result {
            Ok(()) => {
                self.inputs.push_back(Input::Persisted { seq });
                self.commit_next();
            }
            Err(error) => {
                self.batches.clear();
                let failure = match error {
                    StoreError::FenceLost => StoreFailure::FenceLost,
                    StoreError::Full => StoreFailure::Full,
                    StoreError::Failed { .. } => StoreFailure::Failed,
                };
                self.inputs.push_back(Input::PersistFailed { seq, failure });
            }
        }
    }
}

impl<M: Machine + 'static> Runner<M> {
    /// Looks at the chain now, or right after the look under way.
    fn look_soon(&mut self) {
        self.look_afresh = true;
        self.look_at = Some(Instant(0));
    }

    pub(super) fn look(&mut self) {
        let Some(mut source) = self.source.take() else { return };
        self.look_at = None;
        if std::mem::take(&mut self.look_afresh) {
            source.ask_all();
        }
        let view = self.machine.chain_view();
        self.tasks.push(Box::pin(async move {
            let result = source.look(&view).await;
            Done::Looked(Box::new(source), result)
        }));
    }

    fn looked(&mut self, mut source: ChainSource, result: Result<Look, ChainError>) {
        let poll_millis = source.poll_millis();
        let result = result.map(|look| self.believable(&mut source, look));
        self.source = Some(source);
        let pause = match result {
            Ok(look) => {
                self.look_failures = 0;
                let synced = look.facts.iter().any(|fact| matches!(fact, ChainFact::Synced { .. }));
                // An answer that is overtaken by the next block comes again: do not chase it without a pause.
                let pause = if look.facts.is_empty() { 250 } else { 0 };
                self.inputs.extend(look.facts.into_iter().map(Input::Chain));
                let mut is_news = false;
                self.status.change(|status| {
                    status.chain_error = look.trouble;
                    is_news = synced && !std::mem::replace(&mut status.synced, true);
                    status.synced &= !look.blind;
                });
                if is_news {
                    self.notices.pass(Notice::Synced);
                }
                if look.more { pause } else { poll_millis }
            }
            Err(error) => {
                self.look_failures = self.look_failures.saturating_add(1);
                self.status.change(|status| {
                    status.synced = false;
                    status.chain_error = Some(error);
                });
                let doubled = poll_millis.saturating_mul(1 << self.look_failures.min(10));
                doubled.min(MAX_LOOK_PAUSE_MILLIS.max(poll_millis))
            }
        };
        // Set meanwhile if the node asked for a look.
        let next = self.platform.clock.now().mono.plus_millis(pause);
        self.look_at = Some(self.look_at.map_or(next, |asked| asked.min(next)));
    }

    /// The look without what it says of scripts and does not prove.
    fn believable(&self, source: &mut ChainSource, mut look: Look) -> Look {
        look.facts.retain(|fact| {
            let ChainFact::History(history) = fact else { return true };
            let Err(error) = self.machine.check_history(history) else { return true };
            let script = &history.script_pubkey;
            look.blind |= self.machine.chain_view().outputs_of(script).next().is_some();
            look.trouble = Some(source.disbelieve(script, error));
            false
        });
        look.facts.retain(|fact| !(look.blind && matches!(fact, ChainFact::Synced { .. })));
        look
    }

    fn broadcast(&mut self, transactions: Vec<bitcoin::Transaction>) {
        let waits = self.to_publish.iter().any(|package| package.transactions == transactions);
        if waits || transactions.is_empty() || self.to_publish.len() >= MAX_TO_PUBLISH {
            return;
        }
        self.to_publish.push_back(Package { transactions, failures: 0 });
        self.publish_next();
    }

    /// Before that nothing was heard of, so that whoever asks after an answer knows.
    pub(super) fn tell_publishing(&self) {
        let publishing = self.online && (self.publishing || !self.to_publish.is_empty());
        self.status.change(|status| status.publishing = publishing);
    }

    /// One package at a time: a child never overtakes its parent.
    pub(super) fn publish_next(&mut self) {
        if self.publishing || !self.online {
            return;
        }
        let Some(package) = self.to_publish.pop_front() else { return };
        self.publishing = true;
        let (publisher, clock) = (self.publisher.clone(), self.platform.clock.clone());
        self.tasks.push(Box::pin(async move {
            if package.failures > 0 {
                let pause = 1_000 << package.failures.min(6);
                clock.sleep_until(clock.now().mono.plus_millis(pause)).await;
            }
            let result = publisher.publish(&package.transactions).await.map(drop);
            Done::Published(package, result)
        }));
    }

    fn published(&mut self, mut package: Package, result: Result<(), ChainError>) {
        self.publishing = false;
        match result {
            Ok(()) => self.look_soon(),
            Err(_) if package.failures + 1 < PUBLISH_TRIES && self.halted.is_none() => {
                package.failures += 1;
                self.to_publish.push_front(package);
            }
            Err(_) => {}
        }
        self.publish_next();
    }
}
