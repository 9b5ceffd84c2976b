// What the wallet offers, as the page sees it. Amounts are bigint with the unit in the name; hashes, ids and keys are
// hex strings. An absent optional field is undefined.

export type Network = 'bitcoin' | 'testnet' | 'signet' | 'regtest';

export interface WalletConfig {
  network: string;
  /** Name of the IndexedDB database that holds the wallet. */
  data: string;
  esploraUrl: string;
  /** The websocket proxy that carries bytes to Lightning nodes. */
  proxyUrl?: string | undefined;
}

export interface Info {
  nodeId: string;
  network: string;
  height: number;
  synced: boolean;
  /** Why the chain server could not be used when it was asked last. */
  chainError?: string | undefined;
  peers: number;
  channels: number;
  safeToClose: boolean;
  storagePersistent: boolean;
  version: string;
}

export interface InvoiceDetails {
  invoice: string;
  paymentHash: string;
  payee: string;
  amountMsat?: bigint | undefined;
  description?: string | undefined;
  createdAtSecs: bigint;
  expiresAtSecs: bigint;
  network: string;
}

export type Parsed =
  | { type: 'bolt11'; invoice: InvoiceDetails; fallbackAddress?: string | undefined }
  | {
      type: 'bitcoinAddress';
      address: string;
      amountSat?: bigint | undefined;
      label?: string | undefined;
      message?: string | undefined;
    }
  | { type: 'nodeAddress'; nodeId: string; address?: string | undefined };

export interface SendRequest {
  input: string;
  amountMsat?: bigint | undefined;
  maxFeeMsat?: bigint | undefined;
  timeoutSecs?: number | undefined;
  idempotencyKey?: string | undefined;
  note?: string | undefined;
}

export interface Quote {
  input: string;
  kind: 'lightning' | 'onchain';
  amountMsat: bigint;
  feeEstimateMsat: bigint;
  maxFeeMsat: bigint;
  minAmountMsat: bigint;
  maxAmountMsat: bigint;
  description?: string | undefined;
  payee?: string | undefined;
  expiresAtSecs?: bigint | undefined;
  hops?: number | undefined;
  paymentHash?: string | undefined;
  idempotencyKey: string;
  timeoutSecs: number;
  note?: string | undefined;
}

export type PaymentKind = 'lightning' | 'onchain' | 'channelOpen' | 'channelClose';
export type PaymentStatus = 'pending' | 'inFlight' | 'succeeded' | 'failed' | 'expired';
export type Direction = 'outgoing' | 'incoming';

export interface PaymentFailure {
  code: string;
  reason: string;
}

export interface Payment {
  id: string;
  kind: PaymentKind;
  direction: Direction;
  status: PaymentStatus;
  amountMsat: bigint;
  feeMsat?: bigint | undefined;
  paymentHash?: string | undefined;
  preimage?: string | undefined;
  invoice?: string | undefined;
  description?: string | undefined;
  note?: string | undefined;
  createdAtSecs: bigint;
  settledAtSecs?: bigint | undefined;
  hops?: number | undefined;
  failure?: PaymentFailure | undefined;
  txid?: string | undefined;
  confirmations?: number | undefined;
  tookMillis?: bigint | undefined;
}

export interface InvoiceRequest {
  amountMsat?: bigint | undefined;
  description: string;
  expirySecs?: number | undefined;
}

export interface Invoice {
  paymentId: string;
  invoice: string;
  qrText: string;
  paymentHash: string;
  amountMsat?: bigint | undefined;
  expiresAtSecs: bigint;
}

export interface OnchainRequest {
  address: string;
  /** Unset: everything. */
  amountSat?: bigint | undefined;
  feerateSatPerVb?: number | undefined;
  /** Unset: a payment of its own. */
  idempotencyKey?: string | undefined;
}

export interface Balance {
  totalMsat: bigint;
  spendableMsat: bigint;
  receivableMsat: bigint;
  inFlightMsat: bigint;
  closingSat: bigint;
  onchainSat: bigint;
  onchainPendingSat: bigint;
  reservedSat: bigint;
}

export interface PaymentFilter {
  direction?: Direction | undefined;
  limit: number;
  beforeSecs?: bigint | undefined;
}

export interface Peer {
  nodeId: string;
  address: string;
  connected: boolean;
  channels: number;
}

export interface OpenChannelRequest {
  nodeId: string;
  amountSat: bigint;
  feerateSatPerVb?: number | undefined;
}

export interface OpenChannelQuote {
  amountSat: bigint;
  feeSat: bigint;
  totalSat: bigint;
  reserveSat: bigint;
  spendableAfterMsat: bigint;
}

export type ChannelState = 'opening' | 'pending' | 'ready' | 'closing' | 'closed' | 'failed';

export interface Channel {
  id: string;
  channelId: string;
  nodeId: string;
  state: ChannelState;
  usable: boolean;
  capacitySat: bigint;
  spendableMsat: bigint;
  receivableMsat: bigint;
  inFlightMsat: bigint;
  reserveSat: bigint;
  fundingTxid?: string | undefined;
  confirmations: number;
  confirmationsNeeded: number;
  closingTxid?: string | undefined;
  closeReason?: string | undefined;
  isOpener: boolean;
}

export interface FeeRates {
  backgroundSatPerVb: number;
  normalSatPerVb: number;
  urgentSatPerVb: number;
}

export interface SafeToClose {
  safe: boolean;
  reason?: string | undefined;
}

export type WalletEvent = { type: string; [field: string]: unknown };

export interface EventEnvelope {
  /** 0 for passing news, which the wallet does not store. */
  seq: bigint;
  timeSecs: bigint;
  event: WalletEvent;
}

/** The methods of an open wallet. */
export interface WalletMethods {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The page came to the front or the network came back: connect and look at the chain without delay. */
  refresh(): Promise<void>;
  info(): Promise<Info>;
  mnemonic(passphrase: string): Promise<string>;
  parse(text: string): Promise<Parsed>;
  prepareSend(request: SendRequest): Promise<Quote>;
  send(quote: Quote): Promise<Payment>;
  waitPayment(id: string, timeoutSecs: number): Promise<Payment>;
  makeInvoice(request: InvoiceRequest): Promise<Invoice>;
  newAddress(): Promise<string>;
  sendOnchain(request: OnchainRequest): Promise<Payment>;
  balance(): Promise<Balance>;
  listPayments(filter: PaymentFilter): Promise<Payment[]>;
  getPayment(id: string): Promise<Payment>;
  connectPeer(nodeId: string, address: string): Promise<void>;
  disconnectPeer(nodeId: string): Promise<void>;
  listPeers(): Promise<Peer[]>;
  openChannel(request: OpenChannelRequest): Promise<string>;
  estimateOpenChannel(request: OpenChannelRequest): Promise<OpenChannelQuote>;
  listChannels(): Promise<Channel[]>;
  closeChannel(id: string): Promise<void>;
  safeToClose(): Promise<SafeToClose>;
  fees(): Promise<FeeRates>;
}

/** The methods that need no open wallet. */
export interface WalletEntrances {
  exists(config: WalletConfig): Promise<boolean>;
  create(config: WalletConfig, passphrase: string, mnemonic?: string): Promise<void>;
  open(config: WalletConfig, passphrase: string): Promise<void>;
  checkMnemonic(words: string): Promise<void>;
  version(): Promise<string>;
}
