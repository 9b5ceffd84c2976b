//! Acknowledgements that are not held back.

use tokio::net::TcpStream;

/// Asks the system to acknowledge what comes next at once. A node writes messages one by one, and where it leaves Nagle's
/// algorithm on, the second waits for the acknowledgement of the first: 40 ms, after each of which a payment goes on. Linux
/// forgets this with what is read and written, so it is asked each time; where it refuses, all works as before.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn acknowledge_at_once(stream: &TcpStream) {
    let _ = stream.set_quickack(true);
}

/// Elsewhere the system cannot be asked.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const fn acknowledge_at_once(_: &TcpStream) {}
