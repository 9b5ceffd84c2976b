//! How the API talks to the loop.

use super::{Notices, Status, Timings};
use futures::SinkExt;
use futures::channel::{mpsc, oneshot};
use kite_core::node::{Answer, Command, CommandError};
use std::fmt;
use std::sync::Arc;

/// Talks to the loop. The loop ends when the last handle is dropped.
pub struct Handle<M> {
    requests: mpsc::Sender<Request<M>>,
    /// What the app is to be told.
    pub notices: Arc<Notices>,
    /// How long payments took.
    pub timings: Arc<Timings>,
    /// How the loop is doing.
    pub status: Arc<Status>,
}

/// The loop has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the wallet was stopped")]
pub struct Gone;

pub(super) type Question<M> = Box<dyn FnOnce(&M) + Send>;

pub(super) enum Request<M> {
    Command(Box<Command>, oneshot::Sender<Result<Answer, CommandError>>),
    Question(Question<M>),
    EventHandled(u64),
    Durable(oneshot::Sender<()>),
    GoOnline,
    Hurry,
    Stop,
}

impl<M> Handle<M> {
    pub(super) fn new(requests: mpsc::Sender<Request<M>>) -> Self {
        Self { requests, notices: Arc::default(), timings: Arc::default(), status: Arc::default() }
    }

    /// Lets the node do something and waits for its answer, which is durable.
    ///
    /// # Errors
    /// [`Gone`], and inside it what the node says.
    pub async fn command(&self, command: Command) -> Result<Result<Answer, CommandError>, Gone> {
        let (answer, answered) = oneshot::channel();
        self.request(Request::Command(Box::new(command), answer)).await?;
        answered.await.map_err(|_| Gone)
    }

    /// Looks at the node between two inputs.
    ///
    /// # Errors
    /// [`Gone`].
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&M) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (answer, answered) = oneshot::channel();
        let question: Question<M> = Box::new(move |machine| {
            // Whoever asked may have gone away.
            let _ = answer.send(question(machine));
        });
        self.request(Request::Question(question)).await?;
        answered.await.map_err(|_| Gone)
    }

    /// The app has dealt with this event and every earlier one.
    ///
    /// # Errors
    /// [`Gone`].
    pub async fn event_handled(&self, seq: u64) -> Result<(), Gone> {
        self.notices.handled(seq);
        self.request(Request::EventHandled(seq)).await
    }

    /// Waits until everything that was decided so far is stored.
    ///
    /// # Errors
    /// [`Gone`], also if the store failed.
    pub async fn durable(&self) -> Result<(), Gone> {
        let (answer, answered) = oneshot::channel();
        self.request(Request::Durable(answer)).await?;
        answered.await.map_err(|_| Gone)
    }

    /// Connects to peers and looks at the chain from now on.
    ///
    /// # Errors
    /// [`Gone`].
    pub async fn go_online(&self) -> Result<(), Gone> {
        self.request(Request::GoOnline).await
    }

    /// The app came to the front or the network came back: look and connect now.
    ///
    /// # Errors
    /// [`Gone`].
    pub async fn hurry(&self) -> Result<(), Gone> {
        self.request(Request::Hurry).await
    }

    /// Ends the loop once all that was decided is durable, and waits for it, whoever asked first. Connections are closed, the
    /// store is closed, and the lock is given back.
    pub async fn stop(&self) {
        // A loop that takes no more requests is about to end, or has ended.
        let _ = self.request(Request::Stop).await;
        self.notices.until_ended().await;
    }

    async fn request(&self, request: Request<M>) -> Result<(), Gone> {
        self.requests.clone().send(request).await.map_err(|_| Gone)
    }
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self {
            requests: self.requests.clone(),
            notices: self.notices.clone(),
            timings: self.timings.clone(),
            status: self.status.clone(),
        }
    }
}

impl<M> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}
