//! Payments as state machines: what is stored of them, which step may follow which, and what an owner sees.
//!
//! The machines are pure. The node carries out what they decide, and stores a payment in the same batch as the
//! channel step that it causes or that changed it (contract P6).

mod failure;
mod incoming;
mod invoice_text;
mod outgoing;
mod parts;
mod progress;
mod record;

pub use failure::FailureReason;
pub use incoming::{Incoming, IncomingState};
pub use outgoing::{Attempt, AttemptHop, OnionForm, Outgoing, OutgoingEvent, OutgoingState, TransitionError};
pub use parts::{Part, PartKey, PartSet, Parts, Verdict};
pub use record::{PaymentRecord, RecordError};
