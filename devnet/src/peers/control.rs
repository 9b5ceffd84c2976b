//! Routes that drive the nodes: what a test or a demo page asks of the other side.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::PublicKey;
use ldk_node::lightning::ln::channelmanager::PaymentId;
use ldk_node::lightning::ln::msgs::SocketAddress;
use ldk_node::lightning::types::payment::{PaymentHash, PaymentPreimage};
use ldk_node::lightning_invoice::{Bolt11Invoice, Bolt11InvoiceDescription, Description};
use ldk_node::payment::{PaymentDetails, PaymentDirection, PaymentKind, PaymentStatus};
use ldk_node::{Node, UserChannelId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{LightningPeer, PeerError, Peers};
use crate::http::HttpError;

/// How long `pay` waits for the payment's end.
const PAY_TIMEOUT: Duration = Duration::from_secs(60);

/// An invoice to make.
#[derive(Debug, Clone, Deserialize)]
pub struct NewInvoice {
    /// Its amount; unset leaves it to the payer.
    pub amount_msat: Option<u64>,
    /// Its description.
    #[serde(default)]
    pub description: String,
    /// Seconds until it expires.
    #[serde(default = "an_hour")]
    pub expiry_secs: u32,
}

/// An invoice whose payment is held until it is claimed or failed.
#[derive(Debug, Clone, Deserialize)]
pub struct NewHoldInvoice {
    /// Its amount.
    pub amount_msat: u64,
    /// Hash of a preimage that the node doesn't know yet, as hex.
    pub payment_hash: String,
    /// Seconds until it expires.
    #[serde(default = "an_hour")]
    pub expiry_secs: u32,
}

/// A channel to open.
#[derive(Debug, Clone, Deserialize)]
pub struct NewChannel {
    /// Key of the other node.
    pub node_id: String,
    /// Its address, `host:port`.
    pub address: String,
    /// Capacity.
    pub amount_sat: u64,
    /// What the other node gets at once.
    #[serde(default)]
    pub push_msat: u64,
    /// Whether it is told to the network.
    #[serde(default)]
    pub announce: bool,
}

#[derive(Debug, Deserialize)]
struct Payment {
    invoice: String,
    amount_msat: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Remote {
    node_id: String,
    address: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Close {
    user_channel_id: String,
    #[serde(default)]
    force: bool,
}

#[derive(Debug, Deserialize)]
struct Claim {
    amount_msat: u64,
    preimage: String,
}

#[derive(Debug, Deserialize)]
struct Fail {
    payment_hash: String,
}

fn an_hour() -> u32 {
    3600
}

impl From<PeerError> for HttpError {
    fn from(error: PeerError) -> Self {
        match error {
            PeerError::Argument(_) | PeerError::Node(_) => Self::BadRequest(error.to_string()),
            PeerError::Io(_) | PeerError::Build(_) | PeerError::Ended => Self::BadGateway(error.to_string()),
        }
    }
}

type Answer = Result<Json<Value>, HttpError>;

/// Routes under `/peers`.
pub(crate) fn router(peers: Peers) -> Router {
    Router::new()
        .route("/peers", get(list))
        .route("/peers/{name}/info", get(info))
        .route("/peers/{name}/balances", get(balances))
        .route("/peers/{name}/channels", get(channels))
        .route("/peers/{name}/payments", get(payments))
        .route("/peers/{name}/connections", get(connections))
        .route("/peers/{name}/graph", get(graph))
        .route("/peers/{name}/invoice", post(invoice))
        .route("/peers/{name}/hold_invoice", post(hold_invoice))
        .route("/peers/{name}/claim_held", post(claim_held))
        .route("/peers/{name}/fail_held", post(fail_held))
        .route("/peers/{name}/pay", post(pay))
        .route("/peers/{name}/new_address", post(new_address))
        .route("/peers/{name}/open_channel", post(open_channel))
        .route("/peers/{name}/close_channel", post(close_channel))
        .route("/peers/{name}/connect", post(connect))
        .route("/peers/{name}/disconnect", post(disconnect))
        .route("/peers/{name}/sync", post(sync))
        .route("/peers/{name}/stop", post(stop))
        .route("/peers/{name}/start", post(start))
        .with_state(peers)
}

fn find(peers: &Peers, name: &str) -> Result<Arc<LightningPeer>, HttpError> {
    peers.get(name).cloned().ok_or(HttpError::NotFound("no such peer"))
}

fn argument<T: FromStr>(what: &str, text: &str) -> Result<T, PeerError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error| PeerError::Argument(format!("{what}: {error}")))
}

fn bytes32(what: &str, text: &str) -> Result<[u8; 32], PeerError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|error| PeerError::Argument(format!("{what}: {error}")))?;
    Ok(bytes)
}

pub(crate) fn describe(peer: &LightningPeer) -> Value {
    let (node_id, address) = (peer.node_id(), peer.address());
    json!({
        "name": peer.name(),
        "node_id": node_id,
        "address": address,
        "uri": format!("{node_id}@{address}"),
        "running": peer.is_running(),
    })
}

async fn list(State(peers): State<Peers>) -> Json<Value> {
    Json(peers.iter().map(|peer| describe(peer)).collect())
}

async fn info(State(peers): State<Peers>, Path(name): Path<String>) -> Answer {
    let peer = find(&peers, &name)?;
    let mut info = describe(&peer);
    let best = peer.with(|node| Ok(node.status().current_best_block)).await?;
    info["block_height"] = json!(best.height);
    info["block_hash"] = json!(best.block_hash);
    Ok(Json(info))
}

async fn balances(State(peers): State<Peers>, Path(name): Path<String>) -> Answer {
    let balances = find(&peers, &name)?.with(|node| Ok(node.list_balances())).await?;
    Ok(Json(json!({
        "total_onchain_sat": balances.total_onchain_balance_sats,
        "spendable_onchain_sat": balances.spendable_onchain_balance_sats,
        "anchor_reserve_sat": balances.total_anchor_channels_reserve_sats,
        "total_lightning_sat": balances.total_lightning_balance_sats,
        "closing": balances.pending_balances_from_channel_closures.len(),
    })))
}

async fn channels(State(peers): State<Peers>, Path(name): Path<String>) -> Answer {
    let channels = find(&peers, &name)?.with(|node| Ok(node.list_channels())).await?;
    let channel = |channel: ldk_node::ChannelDetails| {
        json!({
            "channel_id": hex::encode(channel.channel_id.0),
            "user_channel_id": channel.user_channel_id.0.to_string(),
            "counterparty_node_id": channel.counterparty_node_id,
            "funding": channel.funding_txo.map(|outpoint| outpoint.to_string()),
            "short_channel_id": channel.short_channel_id.map(|scid| scid.to_string()),
            "amount_sat": channel.channel_value_sats,
            "outbound_msat": channel.outbound_capacity_msat,
            "inbound_msat": channel.inbound_capacity_msat,
            "feerate_per_kw": channel.feerate_sat_per_1000_weight,
            "opener": channel.is_outbound,
            "ready": channel.is_channel_ready,
            "usable": channel.is_usable,
            "announced": channel.is_announced,
            "confirmations": channel.confirmations,
            "confirmations_required": channel.confirmations_required,
        })
    };
    Ok(Json(channels.into_iter().map(channel).collect()))
}

async fn payments(State(peers): State<Peers>, Path(name): Path<String>) -> Answer {
    let payments = find(&peers, &name)?.with(|node| Ok(node.list_payments())).await?;
    Ok(Json(payments.iter().map(payment_json).collect()))
}

fn payment_json(payment: &PaymentDetails) -> Value {
    let status = match payment.status {
        PaymentStatus::Pending => "pending",
        PaymentStatus::Succeeded => "succeeded",
        PaymentStatus::Failed => "failed",
    };
    let direction = match payment.direction {
        PaymentDirection::Inbound => "in",
        PaymentDirection::Outbound => "out",
    };
    let mut json = json!({
        "id": hex::encode(payment.id.0),
        "direction": direction,
        "status": status,
        "amount_msat": payment.amount_msat,
        "fee_paid_msat": payment.fee_paid_msat,
        "kind": "other",
    });
    match &payment.kind {
        PaymentKind::Onchain { txid, .. } => {
            json["kind"] = json!("onchain");
            json["txid"] = json!(txid);
        }
        PaymentKind::Bolt11 { hash, preimage, .. } => {
            json["kind"] = json!("bolt11");
            json["payment_hash"] = json!(hex::encode(hash.0));
            json["preimage"] = json!(preimage.map(|preimage| hex::encode(preimage.0)));
        }
        _ => {}
    }
    json
}

async fn connections(State(peers): State<Peers>, Path(name): Path<String>) -> Answer {
    let list = find(&peers, &name)?.with(|node| Ok(node.list_peers())).await?;
    let connection = |peer: ldk_node::PeerDetails| json!({ "node_id": peer.node_id, "address": peer.address.to_string(), "connected": peer.is_connected });
    Ok(Json(list.into_iter().map(connection).collect()))
}

async fn graph(State(peers): State<Peers>, Path(name): Path<String>) -> Answer {
    Ok(Json(find(&peers, &name)?.with(|node| Ok(graph_json(node))).await?))
}

fn graph_json(node: &Node) -> Value {
    let graph = node.network_graph();
    let channel = |scid: u64| {
        let channel = graph.channel(scid)?;
        let directions = [&channel.one_to_two, &channel.two_to_one].map(Option::is_some);
        let (one, two) = (channel.node_one.to_string(), channel.node_two.to_string());
        Some(json!({ "short_channel_id": scid.to_string(), "nodes": [one, two], "updates": directions }))
    };
    let nodes: Vec<String> = graph.list_nodes().iter().map(ToString::to_string).collect();
    let channels: Vec<Value> = graph.list_channels().into_iter().filter_map(channel).collect();
    json!({ "nodes": nodes, "channels": channels })
}

fn invoice_json(invoice: &Bolt11Invoice) -> Value {
    json!({ "invoice": invoice.to_string(), "payment_hash": invoice.payment_hash().to_string() })
}

async fn invoice(
    State(peers): State<Peers>,
    Path(name): Path<String>,
    Json(request): Json<NewInvoice>,
) -> Answer {
    let invoice = find(&peers, &name)?.invoice(request).await?;
    Ok(Json(invoice_json(&invoice)))
}

async fn hold_invoice(
    State(peers): State<Peers>,
    Path(name): Path<String>,
    Json(request): Json<NewHoldInvoice>,
) -> Answer {
    let hash = PaymentHash(bytes32("payment_hash", &request.payment_hash)?);
    let work = move |node: &Node| {
        let (amount_msat, expiry_secs) = (request.amount_msat, request.expiry_secs);
        let payment = node.bolt11_payment();
        Ok(payment.receive_for_hash(amount_msat, &description("")?, expiry_secs, hash)?)
    };
    Ok(Json(invoice_json(&find(&peers, &name)?.with(work).await?)))
}

async fn claim_held(
    State(peers): State<Peers>,
    Path(name): Path<String>,
    Json(claim): Json<Claim>,
) -> Answer {
    let preimage = bytes32("preimage", &claim.preimage)?;
    let hash = PaymentHash(sha256::Hash::hash(&preimage).to_byte_array());
    let work = move |node: &Node| {
        let payment = node.bolt11_payment();
        Ok(payment.claim_for_hash(hash, claim.amount_msat, PaymentPreimage(preimage))?)
    };
    find(&peers, &name)?.with(work).await?;
    Ok(Json(json!({})))
}

async fn fail_held(State(peers): State<Peers>, Path(name): Path<String>, Json(fail): Json<Fail>) -> Answer {
    let hash = PaymentHash(bytes32("payment_hash", &fail.payment_hash)?);
    find(&peers, &name)?.with(move |node| Ok(node.bolt11_payment().fail_for_hash(hash)?)).await?;
    Ok(Json(json!({})))
}

async fn pay(State(peers): State<Peers>, Path(name): Path<String>, Json(payment): Json<Payment>) -> Answer {
    let peer = find(&peers, &name)?;
    let id = peer.pay(&payment.invoice, payment.amount_msat).await?;
    Ok(Json(payment_json(&peer.settled(id, PAY_TIMEOUT).await?)))
}

async fn new_address(State(peers): State<Peers>, Path(name): Path<String>) -> Answer {
    Ok(Json(json!({ "address": find(&peers, &name)?.new_address().await? })))
}

async fn open_channel(
    State(peers): State<Peers>,
    Path(name): Path<String>,
    Json(channel): Json<NewChannel>,
) -> Answer {
    let id = find(&peers, &name)?.open_channel(channel).await?;
    Ok(Json(json!({ "user_channel_id": id.to_string() })))
}

async fn close_channel(
    State(peers): State<Peers>,
    Path(name): Path<String>,
    Json(close): Json<Close>,
) -> Answer {
    let id: u128 = argument("user_channel_id", &close.user_channel_id)?;
    let work = move |node: &Node| {
        let channel = node.list_channels().into_iter().find(|channel| channel.user_channel_id.0 == id);
        let channel = channel.ok_or_else(|| PeerError::Argument("no such channel".to_owned()))?;
        let (id, remote) = (UserChannelId(id), channel.counterparty_node_id);
        let closed = if close.force {
            node.force_close_channel(&id, remote, None)
        } else {
            node.close_channel(&id, remote)
        };
        Ok(closed?)
    };
    find(&peers, &name)?.with(work).await?;
    Ok(Json(json!({})))
}

async fn connect(State(peers): State<Peers>, Path(name): Path<String>, Json(remote): Json<Remote>) -> Answer {
    let node_id: PublicKey = argument("node_id", &remote.node_id)?;
    let address = remote.address.ok_or_else(|| PeerError::Argument("address is missing".to_owned()))?;
    let address: SocketAddress = argument("address", &address)?;
    find(&peers, &name)?.with(move |node| Ok(node.connect(node_id, address, true)?)).await?;
    Ok(Json(json!({})))
}

async fn disconnect(
    State(peers): State<Peers>,
    Path(name): Path<String>,
    Json(remote): Json<Remote>,
) -> Answer {
    let node_id: PublicKey = argument("node_id", &remote.node_id)?;
    find(&peers, &name)?.with(move |node| Ok(node.disconnect(node_id)?)).await?;
    Ok(Json(json!({})))
}

async fn sync(State(peers): State<Peers>, Path(name): Path<String>) -> Answer {
    find(&peers, &name)?.sync().await?;
    Ok(Json(json!({})))
}

async fn stop(State(peers): State<Peers>, Path(name): Path<String>) -> Answer {
    find(&peers, &name)?.stop().await?;
    Ok(Json(json!({})))
}

async fn start(State(peers): State<Peers>, Path(name): Path<String>) -> Answer {
    find(&peers, &name)?.restart().await?;
    Ok(Json(json!({})))
}

fn description(text: &str) -> Result<Bolt11InvoiceDescription, PeerError> {
    let description = Description::new(text.to_owned());
    let description = description.map_err(|error| PeerError::Argument(format!("description: {error}")))?;
    Ok(Bolt11InvoiceDescription::Direct(description))
}

impl LightningPeer {
    /// Makes an invoice.
    ///
    /// # Errors
    /// When the description is too long or the node refuses.
    pub async fn invoice(&self, request: NewInvoice) -> Result<Bolt11Invoice, PeerError> {
        self.with(move |node| {
            let (payment, description) = (node.bolt11_payment(), description(&request.description)?);
            Ok(match request.amount_msat {
                Some(amount_msat) => payment.receive(amount_msat, &description, request.expiry_secs)?,
                None => payment.receive_variable_amount(&description, request.expiry_secs)?,
            })
        })
        .await
    }

    /// Starts to pay an invoice; `amount_msat` is for those without one. Gives the payment's id.
    ///
    /// # Errors
    /// When the text is no invoice, or the node finds no way.
    pub async fn pay(&self, invoice: &str, amount_msat: Option<u64>) -> Result<[u8; 32], PeerError> {
        let invoice: Bolt11Invoice = argument("invoice", invoice)?;
        self.with(move |node| {
            let payment = node.bolt11_payment();
            let PaymentId(id) = match amount_msat {
                Some(amount_msat) => payment.send_using_amount(&invoice, amount_msat, None)?,
                None => payment.send(&invoice, None)?,
            };
            Ok(id)
        })
        .await
    }

    /// Opens a channel; gives the node's own id of it. It is usable after six blocks.
    ///
    /// # Errors
    /// When an argument is wrong, the other node can't be reached or money is missing.
    pub async fn open_channel(&self, channel: NewChannel) -> Result<u128, PeerError> {
        let remote: PublicKey = argument("node_id", &channel.node_id)?;
        let address: SocketAddress = argument("address", &channel.address)?;
        let push_msat = Some(channel.push_msat).filter(|push| *push > 0);
        self.with(move |node| {
            let id = if channel.announce {
                node.open_announced_channel(remote, address, channel.amount_sat, push_msat, None)?
            } else {
                node.open_channel(remote, address, channel.amount_sat, push_msat, None)?
            };
            Ok(id.0)
        })
        .await
    }

    /// Ends the connection to another node and makes a new one.
    ///
    /// # Errors
    /// When the other node can't be reached.
    pub async fn reconnect(&self, other: &Self) -> Result<(), PeerError> {
        let node_id = other.node_id();
        let address: SocketAddress = argument("address", &other.address().to_string())?;
        self.with(move |node| {
            node.disconnect(node_id)?;
            Ok(node.connect(node_id, address, true)?)
        })
        .await
    }

    /// How many channels it knows whose two ends have both told their terms, and whether it has any of its own, all usable.
    ///
    /// # Errors
    /// [`PeerError::Ended`] when the node panics.
    pub async fn routable_channels(&self) -> Result<(usize, bool), PeerError> {
        self.with(|node| {
            let graph = node.network_graph();
            let known = graph.list_channels().into_iter().filter_map(|scid| graph.channel(scid));
            let routable = known.filter(|c| c.one_to_two.is_some() && c.two_to_one.is_some()).count();
            let own = node.list_channels();
            Ok((routable, !own.is_empty() && own.iter().all(|channel| channel.is_usable)))
        })
        .await
    }
}
