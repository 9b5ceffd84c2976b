// The errors after which a wallet object can do nothing more, and what they mean for a person.

import { codeOf } from './failure.ts';

export type Halt = 'settings' | 'engine' | 'full' | 'storage' | 'stopped' | 'taken' | 'damaged' | 'outdated';

const HALTING: Record<string, Halt> = {
  stopped: 'stopped',
  store_full: 'full',
  store_unavailable: 'storage',
  store_damaged: 'damaged',
  // A page that was kept for starting without network may be older than what is stored: nothing is damaged then.
  store_newer: 'outdated',
  lease_lost: 'taken',
  worker_broken: 'engine',
};

/** Why the wallet has ended; unset where it has not. */
export function haltOf(thrown: unknown): { halt: Halt; reason: string } | undefined {
  const halt = HALTING[codeOf(thrown)];
  if (!halt) return undefined;
  const { reason: given, message } = thrown as { reason?: unknown; message: string };
  return { halt, reason: typeof given === 'string' ? given : message };
}
