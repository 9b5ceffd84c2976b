// What page and worker say to each other. Values pass by structured clone, so bigint stays bigint.

import type { EventEnvelope, WalletEntrances, WalletMethods } from '../api.ts';

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
