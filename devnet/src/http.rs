//! What the servers of the world share: errors as HTTP, CORS, listening.

use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::cors::CorsLayer;

use crate::source::SourceError;

/// An answer other than 200.
#[derive(Debug)]
pub enum HttpError {
    /// 404: there is no such thing.
    NotFound(&'static str),
    /// 400: asked wrongly, or refused.
    BadRequest(String),
    /// 502: what stands behind doesn't answer.
    BadGateway(String),
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound(what) => (StatusCode::NOT_FOUND, what.to_owned()),
            Self::BadRequest(why) => (StatusCode::BAD_REQUEST, why),
            Self::BadGateway(why) => (StatusCode::BAD_GATEWAY, why),
        }
        .into_response()
    }
}

impl From<SourceError> for HttpError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Unreachable(_) | SourceError::Answer { .. } => Self::BadGateway(error.to_string()),
            SourceError::Chain(_) | SourceError::Rpc { .. } | SourceError::Unsupported(_) => {
                Self::BadRequest(error.to_string())
            }
        }
    }
}

/// A server at work; it stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `router` on loopback, at `port` or a free one (0), for pages of any origin.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(router: Router, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let router = router.layer(CorsLayer::permissive().allow_private_network(true));
        let task = tokio::spawn(async move {
            // Serving never fails; what accepting meets is retried inside.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as `http://…` without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
