//! The quantities and names of the BOLTs, each a type of its own so that none is taken for another.

mod amount;
mod block;
mod features;
mod hash;
mod id;
mod time;

pub use amount::{AmountError, FeeratePerKw, MAX_MONEY_SAT, MilliSatoshi};
pub use block::{BlockHeight, CltvExpiry, CltvExpiryDelta};
pub use features::{Feature, Features, FeaturesError};
pub use hash::{PaymentHash, PaymentPreimage, PaymentSecret};
pub use id::{ChannelId, CommitmentNumber, ConnId, HtlcId, PaymentId, ShortChannelId};
pub use time::{Instant, Now, UnixTime};
