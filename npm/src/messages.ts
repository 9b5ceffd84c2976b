// What page and worker say to each other. Values pass by structured clone, so bigint stays bigint.

import type { checkMnemonic, EventEnvelope, version, Wallet, walletExists, youngOnMainnet } from './kite_wasm.js';

/** What the worker keeps to itself: the memory of the wallet, and its queue of events. */
type Kept = 'free' | typeof Symbol.dispose | 'nextEvent' | 'eventHandled' | 'setListener' | 'clearListener';

/** The methods of an open wallet as the package has them, each answered later. */
export type WalletMethods = {
  [Name in Exclude<keyof Wallet, Kept>]: (...args: Parameters<Wallet[Name]>) => Promise<Awaited<ReturnType<Wallet[Name]>>>;
};

/** What needs no open wallet. An opened one stays in the worker. */
export interface WalletEntrances {
  /** `walletExists` of the package. */
  exists(...args: Parameters<typeof walletExists>): Promise<boolean>;
  /** `Wallet.create` of the package; the methods below are then those of this wallet, and one that was open is stopped. */
  create(...args: Parameters<typeof Wallet.create>): Promise<void>;
  /** `Wallet.open` of the package; the methods below are then those of this wallet, and one that was open is stopped. */
  open(...args: Parameters<typeof Wallet.open>): Promise<void>;
  /** `checkMnemonic` of the package. */
  checkMnemonic(...args: Parameters<typeof checkMnemonic>): Promise<void>;
  /** `youngOnMainnet` of the package. */
  youngOnMainnet(): Promise<ReturnType<typeof youngOnMainnet>>;
  /** `version` of the package. */
  version(): Promise<ReturnType<typeof version>>;
}

/** All that the worker can be asked. */
export type Method = keyof WalletMethods | keyof WalletEntrances;

/** From page to worker. */
export type ToWorker =
  | { type: 'call'; id: number; method: Method; args: unknown[] }
  /** The page was told of this event. If it has dealt with it, the wallet may forget it. */
  | { type: 'heard'; seq: bigint; handled: boolean };

/** From worker to page. */
export type FromWorker =
  | { type: 'ready' }
  | { type: 'result'; id: number; value: unknown }
  | { type: 'failure'; id: number; failure: Failure }
  | { type: 'event'; envelope: EventEnvelope }
  /** The worker cannot go on; only a new worker helps. */
  | { type: 'fault'; reason: string };

/** An error of the wallet as plain data. */
export interface Failure {
  /** The `kind` of the package's `WalletError`, or one of the kinds below. */
  kind: string;
  /** For a developer; not meant for users. */
  message: string;
  /** What belongs to the kind. */
  fields: Record<string, unknown>;
}

/** The kind of a worker that broke. Nothing is lost; a new worker can open the wallet again. */
export const WORKER_BROKEN = 'workerBroken';

/** The kind of a call while no wallet is open. */
export const NO_WALLET = 'noWallet';

/** The kind of what nobody foresaw. */
export const UNKNOWN = 'unknown';

/** Reads whatever the package threw. Its errors carry their `kind`, such as `invoiceExpired`, and their fields. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof WebAssembly.RuntimeError) {
    return { kind: WORKER_BROKEN, message: thrown.message, fields: {} };
  }
  const kind = typeof thrown === 'object' && thrown !== null ? (thrown as { kind?: unknown }).kind : undefined;
  if (typeof kind === 'string') {
    const { kind: _kind, name: _name, message, stack: _stack, ...fields } = thrown as Record<string, unknown>;
    return { kind, message: String(message ?? kind), fields };
  }
  return { kind: UNKNOWN, message: thrown instanceof Error ? thrown.message : String(thrown), fields: {} };
}
