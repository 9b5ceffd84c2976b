//! TCP.

use super::super::{ByteReader, ByteStream, ByteWriter, Dial, DialError, Pending};
use bitcoin::secp256k1::PublicKey;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(15);
const READ_BYTES: usize = 16 * 1024;

/// TCP, with the system's resolver.
#[derive(Debug, Clone, Copy)]
pub struct TcpDial;

struct Reader(OwnedReadHalf);

struct Writer(OwnedWriteHalf);

impl Dial for TcpDial {
    fn connect(&self, _node_id: PublicKey, address: String) -> Pending<'_, Result<ByteStream, DialError>> {
        Box::pin(async move {
            let connected = timeout(PATIENCE, TcpStream::connect(&address)).await;
            let stream = connected
                .map_err(|_| failed(&io::Error::from(io::ErrorKind::TimedOut)))?
                .map_err(|error| failed(&error))?;
            // Lightning's messages are small and each one is waited for.
            stream.set_nodelay(true).map_err(|error| failed(&error))?;
            let (reader, writer) = stream.into_split();
            Ok(ByteStream { reader: Box::new(Reader(reader)), writer: Box::new(Writer(writer)) })
        })
    }
}

impl ByteReader for Reader {
    fn read(&mut self) -> Pending<'_, Result<Option<Vec<u8>>, DialError>> {
        Box::pin(async {
            let mut bytes = vec![0; READ_BYTES];
            let length = self.0.read(&mut bytes).await.map_err(|error| failed(&error))?;
            bytes.truncate(length);
            acknowledge_at_once(self.0.as_ref());
            Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
        })
    }
}

impl ByteWriter for Writer {
    fn write(&mut self, bytes: Vec<u8>) -> Pending<'_, Result<(), DialError>> {
        Box::pin(async move {
            self.0.write_all(&bytes).await.map_err(|error| failed(&error))?;
            acknowledge_at_once(self.0.as_ref());
            Ok(())
        })
    }

    fn close(&mut self) -> Pending<'_, ()> {
        Box::pin(async {
            // The peer may be gone already; there is nobody left to tell.
            let _ = self.0.shutdown().await;
        })
    }
}

/// A node that leaves Nagle's algorithm on holds its second message back until the first is acknowledged. Linux forgets the
/// wish with what is read and written, so it is told each time; where it refuses, a payment takes 40 ms longer.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn acknowledge_at_once(stream: &TcpStream) {
    let _ = stream.set_quickack(true);
}

/// Elsewhere the system cannot be asked.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const fn acknowledge_at_once(_: &TcpStream) {}

fn failed(error: &io::Error) -> DialError {
    DialError { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::TcpDial;
    use crate::platform::Dial as _;
    use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    fn somebody() -> PublicKey {
        let secret = SecretKey::from_slice(&[1; 32]).expect("a number below the order");
        PublicKey::from_secret_key(&Secp256k1::new(), &secret)
    }

    #[tokio::test]
    async fn bytes_go_both_ways_until_the_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let peer = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut heard = Vec::new();
            stream.write_all(b"hello").await.expect("written");
            stream.read_to_end(&mut heard).await.expect("read");
            heard
        });
        let mut stream = TcpDial.connect(somebody(), address).await.expect("connected");
        assert_eq!(stream.reader.read().await, Ok(Some(b"hello".to_vec())));
        stream.writer.write(b"one".to_vec()).await.expect("written");
        stream.writer.write(vec![7; 100_000]).await.expect("written");
        stream.writer.close().await;
        let heard = peer.await.expect("the peer");
        assert_eq!(heard.len(), 100_003);
        assert_eq!(stream.reader.read().await, Ok(None));
    }

    #[tokio::test]
    async fn nobody_there_is_an_error_with_a_reason() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        drop(listener);
        let error = TcpDial.connect(somebody(), address).await.expect_err("nobody listens");
        assert!(!error.reason.is_empty());
        assert!(TcpDial.connect(somebody(), "no port".to_owned()).await.is_err());
    }
}
