//! Counters in the text format of Prometheus.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::Reason;

/// The counters of one proxy.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) sockets_dropped: AtomicU64,
    pub(crate) opened: AtomicU64,
    pub(crate) active: AtomicU64,
    pub(crate) to_remote_bytes: AtomicU64,
    pub(crate) to_client_bytes: AtomicU64,
    refused: Vec<AtomicU64>,
    closed: Vec<AtomicU64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let by_reason = || Reason::ALL.iter().map(|_| AtomicU64::new(0)).collect();
        Self {
            sockets_dropped: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            active: AtomicU64::new(0),
            to_remote_bytes: AtomicU64::new(0),
            to_client_bytes: AtomicU64::new(0),
            refused: by_reason(),
            closed: by_reason(),
        }
    }

    /// A request that never reached its destination.
    pub(crate) fn count_refused(&self, reason: Reason) {
        Self::count(&self.refused, reason);
    }

    /// A connection that had reached its destination and ended.
    pub(crate) fn count_closed(&self, reason: Reason) {
        Self::count(&self.closed, reason);
    }

    fn count(counters: &[AtomicU64], reason: Reason) {
        if let Some((counter, _)) = counters.iter().zip(Reason::ALL).find(|(_, other)| **other == reason) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// The page at `/metrics`.
    pub(crate) fn page(&self) -> String {
        let mut page = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, &AtomicU64)]| {
            let _ = writeln!(page, "# HELP kite_proxy_{name} {help}\n# TYPE kite_proxy_{name} {kind}");
            for (labels, value) in samples {
                let _ = writeln!(page, "kite_proxy_{name}{labels} {}", value.load(Relaxed));
            }
        };
        family("connections_active", "gauge", "Connections open now.", &[(String::new(), &self.active)]);
        family(
            "connections_opened_total",
            "counter",
            "Connections that reached their destination.",
            &[(String::new(), &self.opened)],
        );
        family(
            "connections_closed_total",
            "counter",
            "Connections that ended, by reason.",
            &Self::labelled(&self.closed),
        );
        family(
            "requests_refused_total",
            "counter",
            "Requests that reached no destination, by reason.",
            &Self::labelled(&self.refused),
        );
        family(
            "bytes_total",
            "counter",
            "Bytes carried.",
            &[
                ("{direction=\"to_client\"}".to_owned(), &self.to_client_bytes),
                ("{direction=\"to_remote\"}".to_owned(), &self.to_remote_bytes),
            ],
        );
        family(
            "sockets_dropped_total",
            "counter",
            "Sockets closed unread because too many were open.",
            &[(String::new(), &self.sockets_dropped)],
        );
        page
    }

    fn labelled(counters: &[AtomicU64]) -> Vec<(String, &AtomicU64)> {
        let label = |reason: &Reason| format!("{{reason=\"{}\"}}", reason.name());
        Reason::ALL.iter().map(label).zip(counters).collect()
    }
}
