// What page and worker say to each other. Values pass by structured clone, so bigint stays bigint.

import type { checkMnemonic, EventEnvelope, version, Wallet, WalletError, walletExists } from 'kite-wasm';

/** What the worker keeps to itself: the memory of the wallet, and its queue of events. */
type Kept = 'free' | typeof Symbol.dispose | 'nextEvent' | 'eventHandled' | 'setListener' | 'clearListener';

/** The methods of an open wallet as the package has them, each answered later. */
export type WalletMethods = {
  [Name in Exclude<keyof Wallet, Kept>]: (...args: Parameters<Wallet[Name]>) => Promise<Awaited<ReturnType<Wallet[Name]>>>;
};

/** What needs no open wallet. An opened one stays in the worker. */
export interface WalletEntrances {
  exists(...args: Parameters<typeof walletExists>): Promise<boolean>;
  create(...args: Parameters<typeof Wallet.create>): Promise<void>;
  open(...args: Parameters<typeof Wallet.open>): Promise<void>;
  checkMnemonic(...args: Parameters<typeof checkMnemonic>): Promise<void>;
  version(): Promise<ReturnType<typeof version>>;
}

/** An error's code in the page: `invoiceExpired` of the package is `invoice_expired`. */
export type Code = Snake<WalletError['kind']>;
type Snake<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${Snake<Tail>}`
  : '';

export type Method = keyof WalletMethods | keyof WalletEntrances;

export type ToWorker =
  | { kind: 'call'; id: number; method: Method; args: unknown[] }
  /** The page has shown this event; the wallet may forget it. */
  | { kind: 'handled'; seq: bigint };

export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'result'; id: number; value: unknown }
  | { kind: 'failure'; id: number; failure: Failure }
  | { kind: 'event'; envelope: EventEnvelope }
  /** The worker cannot go on; only a new worker helps. */
  | { kind: 'fault'; reason: string };

/** An error of the wallet as plain data: a stable code and the fields that belong to it. */
export interface Failure {
  code: string;
  message: string;
  data: Record<string, unknown>;
}

/** The code of a worker that broke, which no wallet method ever answers. */
export const WORKER_BROKEN = 'worker_broken';

/** Reads whatever the wasm package threw. Its errors carry their `kind`, such as `invoiceExpired`, and their fields. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof WebAssembly.RuntimeError) {
    return { code: WORKER_BROKEN, message: thrown.message, data: {} };
  }
  const kind = typeof thrown === 'object' && thrown !== null ? (thrown as { kind?: unknown }).kind : undefined;
  if (typeof kind === 'string') {
    const { kind: _kind, name: _name, message: _message, stack: _stack, ...data } = thrown as Record<string, unknown>;
    return { code: snake(kind), message: String((thrown as { message?: unknown }).message ?? kind), data };
  }
  return { code: 'unknown', message: thrown instanceof Error ? thrown.message : String(thrown), data: {} };
}

function snake(code: string): string {
  return code.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}
