//! What one client may take: connections at a time, new connections a minute, bytes a second.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{ClientAddress, ProxyConfig, Reason};

/// Clients remembered at once; beyond it new ones are refused rather than remembered.
const MAX_CLIENTS: usize = 65_536;
/// Below this many there is no need to look for clients to forget.
const FIRST_SWEEP: usize = 1_024;
/// TCP connections of one address beyond those it may carry websockets on: requests, refusals, and what is just ending.
const SPARE_SOCKETS_PER_CLIENT: u32 = 32;
/// How far ahead of its rate a client may send.
const BYTE_BURST: Duration = Duration::from_secs(1);

/// All clients that have a connection or recently had one.
#[derive(Debug)]
pub(crate) struct Clients {
    max_open: u32,
    /// One new connection per this much time, on average.
    opening_interval: Duration,
    bytes_per_second: Option<u32>,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    clients: BTreeMap<IpAddr, Client>,
    next_sweep: usize,
}

#[derive(Debug)]
struct Client {
    open: u32,
    /// When the connections opened so far would have been due at the average rate.
    openings_due: Instant,
    pace: Arc<Pace>,
}

/// The shared byte rate of one client's connections.
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_second: Option<u32>,
    /// When the bytes sent so far would have been due.
    due: Mutex<Instant>,
}

/// TCP connections by the address they come from, before anything is known of them: one client that opens many and says
/// nothing must not take every place.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// Unset behind a load balancer, where all come from one address.
    most: Option<u32>,
    open: Mutex<BTreeMap<IpAddr, u32>>,
}

/// One counted TCP connection; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct HeldSocket {
    sockets: Arc<Sockets>,
    client: IpAddr,
}

/// One counted connection; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Admission {
    clients: Arc<Clients>,
    client: IpAddr,
    pub(crate) pace: Arc<Pace>,
}

impl Clients {
    pub(crate) fn new(config: &ProxyConfig) -> Self {
        Self {
            max_open: config.max_connections_per_client,
            opening_interval: Duration::from_secs(60) / config.max_new_connections_per_client_per_minute,
            bytes_per_second: config.max_bytes_per_client_per_second,
            table: Mutex::new(Table { clients: BTreeMap::new(), next_sweep: FIRST_SWEEP }),
        }
    }

    /// Counts a new connection of the client at `address`.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Admission, Reason> {
        let now = Instant::now();
        let key = client_key(address);
        let mut table = self.lock();
        table.sweep(now);
        if table.clients.len() >= MAX_CLIENTS && !table.clients.contains_key(&key) {
            return Err(Reason::Full);
        }
        let bytes_per_second = self.bytes_per_second;
        let client = table.clients.entry(key).or_insert_with(|| Client {
            open: 0,
            openings_due: now,
            pace: Arc::new(Pace { bytes_per_second, due: Mutex::new(now) }),
        });
        if client.open >= self.max_open {
            return Err(Reason::ClientConnections);
        }
        let due = client.openings_due.max(now) + self.opening_interval;
        if due > now + Duration::from_secs(60) {
            return Err(Reason::ClientRate);
        }
        client.openings_due = due;
        client.open += 1;
        Ok(Admission { clients: Arc::clone(self), client: key, pace: Arc::clone(&client.pace) })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sockets {
    pub(crate) fn new(config: &ProxyConfig) -> Self {
        let most = config.max_connections_per_client.saturating_add(SPARE_SOCKETS_PER_CLIENT);
        let counts = config.client_address == ClientAddress::Connection;
        Self { most: counts.then_some(most), open: Mutex::default() }
    }

    /// A place for a connection from `address`; unset if it has all of its own.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<HeldSocket> {
        let client = client_key(address);
        let mut open = self.lock();
        let count = open.entry(client).or_default();
        if self.most.is_some_and(|most| *count >= most) {
            return None;
        }
        *count = count.saturating_add(1);
        Some(HeldSocket { sockets: Arc::clone(self), client })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, u32>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HeldSocket {
    fn drop(&mut self) {
        let mut open = self.sockets.lock();
        if let Some(count) = open.get_mut(&self.client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(client) = self.clients.lock().clients.get_mut(&self.client) {
            client.open = client.open.saturating_sub(1);
        }
    }
}

impl Table {
    /// Forgets whoever has nothing open and is back within the average rate. Costs little on average, since it runs
    /// only when the table has doubled.
    fn sweep(&mut self, now: Instant) {
        if self.clients.len() < self.next_sweep {
            return;
        }
        self.clients.retain(|_, client| client.open > 0 || client.openings_due > now);
        self.next_sweep = (self.clients.len() * 2).clamp(FIRST_SWEEP, MAX_CLIENTS);
    }
}

impl Pace {
    /// Waits until `bytes` more may go.
    pub(crate) async fn wait(&self, bytes: usize) {
        let Some(rate) = self.bytes_per_second else { return };
        let cost = Duration::from_secs_f64(bytes as f64 / f64::from(rate));
        loop {
            let early = {
                let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                let early = due.saturating_duration_since(now + BYTE_BURST);
                if early.is_zero() {
                    *due = (*due).max(now) + cost;
                    return;
                }
                early
            };
            sleep(early).await;
        }
    }
}

/// Who a client is, for counting. One household or server commonly owns a whole /64.
fn client_key(address: IpAddr) -> IpAddr {
    match crate::address::canonical(address) {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(max_open: u32, per_minute: u32, bytes: Option<u32>) -> Arc<Clients> {
        Arc::new(Clients::new(&ProxyConfig {
            max_connections_per_client: max_open,
            max_new_connections_per_client_per_minute: per_minute,
            max_bytes_per_client_per_second: bytes,
            ..ProxyConfig::default()
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn open_connections_are_counted_and_given_back() {
        let clients = clients(2, 100, None);
        let address = "2001:db8::1".parse().unwrap();
        let neighbour = "2001:db8::ffff".parse().unwrap();
        let first = clients.admit(address).unwrap();
        let _second = clients.admit(neighbour).unwrap();
        assert_eq!(clients.admit(address).unwrap_err(), Reason::ClientConnections);
        assert!(clients.admit("2001:db8:0:1::1".parse().unwrap()).is_ok());
        drop(first);
        assert!(clients.admit(address).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn new_connections_are_limited_by_the_minute() {
        let clients = clients(100, 3, None);
        let address = "1.1.1.1".parse().unwrap();
        for _ in 0..3 {
            clients.admit(address).unwrap();
        }
        assert_eq!(clients.admit(address).unwrap_err(), Reason::ClientRate);
        tokio::time::advance(Duration::from_secs(20)).await;
        clients.admit(address).unwrap();
        assert_eq!(clients.admit(address).unwrap_err(), Reason::ClientRate);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_clients_are_forgotten() {
        let clients = clients(1, 60, None);
        let client = |i: u32| IpAddr::from(0x0100_0000_u32.wrapping_add(i).to_be_bytes());
        let kept = clients.admit(client(0)).unwrap();
        for i in 1..FIRST_SWEEP as u32 {
            clients.admit(client(i)).unwrap();
        }
        assert_eq!(clients.lock().clients.len(), FIRST_SWEEP);
        tokio::time::advance(Duration::from_secs(61)).await;
        clients.admit(client(5000)).unwrap();
        assert_eq!(clients.lock().clients.len(), 2);
        drop(kept);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_are_paced_over_all_connections() {
        let clients = clients(2, 60, Some(16_384));
        let address = "1.1.1.1".parse().unwrap();
        let (one, two) = (clients.admit(address).unwrap(), clients.admit(address).unwrap());
        let start = Instant::now();
        for _ in 0..10 {
            one.pace.wait(8_192).await;
            two.pace.wait(8_192).await;
        }
        let taken = start.elapsed();
        assert!(taken >= Duration::from_secs(8) && taken <= Duration::from_secs(10), "{taken:?}");
    }
}
