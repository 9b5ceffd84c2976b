//! Why a request was refused or a connection ended, as told to clients and counted in the metrics.

use hyper::StatusCode;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal $told:expr;)+) => {
        /// Why a request was refused or a connection ended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Reason {
            /// Every reason, in the order of declaration.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant),+];

            /// The stable name: the close reason, the `error` of a JSON answer and the label in the metrics.
            pub const fn name(self) -> &'static str {
                match self { $(Reason::$variant => $name),+ }
            }

            /// A sentence for a person.
            pub fn sentence(self) -> &'static str {
                match self { $(Reason::$variant => concat!($($doc),+).trim()),+ }
            }

            const fn told(self) -> Told {
                match self { $(Reason::$variant => $told),+ }
            }
        }
    };
}

/// How a client hears of it.
#[derive(Clone, Copy)]
enum Told {
    /// As an HTTP answer, before there is a websocket.
    Status(u16),
    /// As a close frame. A page cannot read the HTTP answer of a failed websocket, so whatever its user may want
    /// to know is told this way.
    Close(u16),
    /// Not at all: the client left or no longer answers.
    Silent,
}

use Told::{Close, Silent, Status};

reasons! {
    /// There is nothing at this path; a connection is opened at /v1/{host}/{port}.
    NotFound "not_found" Status(404);
    /// Only GET is answered.
    MethodNotAllowed "method_not_allowed" Status(405);
    /// This path speaks websocket (RFC 6455, version 13).
    UpgradeRequired "upgrade_required" Status(426);
    /// Pages of this origin may not use this proxy.
    OriginNotAllowed "origin_not_allowed" Status(403);
    /// The load balancer in front of this proxy did not say whose request this is.
    ClientUnknown "client_unknown" Status(400);
    /// This proxy has no room for more connections.
    Full "full" Status(503);
    /// This proxy is shutting down and takes no new connections.
    Draining "draining" Status(503);
    /// The destination is not a host and a port.
    BadDestination "bad_destination" Close(4000);
    /// This proxy does not connect to this host.
    HostNotAllowed "host_not_allowed" Close(4001);
    /// This proxy does not connect to this port.
    PortNotAllowed "port_not_allowed" Close(4002);
    /// The destination has no public address.
    PrivateAddress "private_address" Close(4003);
    /// This client has too many connections open.
    ClientConnections "client_connections" Close(4004);
    /// This client opened too many connections in the last minute.
    ClientRate "client_rate" Close(4005);
    /// The name of the destination has no address.
    Unresolvable "unresolvable" Close(4010);
    /// The destination did not answer in time.
    ConnectTimeout "connect_timeout" Close(4011);
    /// The destination refused the connection or cannot be reached.
    ConnectFailed "connect_failed" Close(4012);
    /// The destination broke the connection.
    RemoteReset "remote_reset" Close(4013);
    /// The destination takes no more bytes.
    RemoteStalled "remote_stalled" Close(4014);
    /// No data went either way for too long.
    Idle "idle" Close(4015);
    /// The destination closed the connection.
    RemoteClosed "remote_closed" Close(1000);
    /// This proxy is shutting down; another one will take the connection.
    ShuttingDown "shutting_down" Close(1001);
    /// What was received is not the websocket protocol.
    ProtocolError "protocol_error" Close(1002);
    /// Text frames are not accepted.
    TextFrame "text_frame" Close(1003);
    /// A message is larger than this proxy accepts.
    MessageTooBig "message_too_big" Close(1009);
    /// The client closed the connection.
    ClientClosed "client_closed" Silent;
    /// The connection to the client broke.
    ClientLost "client_lost" Silent;
    /// The client no longer answers.
    ClientUnresponsive "client_unresponsive" Silent;
}

impl Reason {
    /// The status of the HTTP answer, where it is told by one.
    pub fn status(self) -> Option<StatusCode> {
        match self.told() {
            Status(code) => StatusCode::from_u16(code).ok(),
            Close(_) | Silent => None,
        }
    }

    /// The code of the close frame, where it is told by one.
    pub const fn close_code(self) -> Option<u16> {
        match self.told() {
            Close(code) => Some(code),
            Status(_) | Silent => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_close_codes_are_unique_and_fit_a_close_frame() {
        let names: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        assert!(names.iter().all(|name| name.len() <= 123));
        let codes: Vec<_> = Reason::ALL.iter().filter_map(|reason| reason.close_code()).collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
        assert_eq!(Reason::Full.sentence(), "This proxy has no room for more connections.");
    }
}
