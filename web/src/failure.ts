// Errors of the wallet by their code: the kind, spelled as failed payments spell theirs.

import type { WalletError } from 'kite-wallet';
import type { WORKER_BROKEN } from 'kite-wallet/remote';

/** An error's code in the page: `invoiceExpired` of the package is `invoice_expired`. */
export type Code = Snake<WalletError['kind'] | typeof WORKER_BROKEN>;
type Snake<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${Snake<Tail>}`
  : '';

/** The code of whatever was thrown; empty where it is no error of the wallet. */
export function codeOf(thrown: unknown): Code | '' {
  const kind = typeof thrown === 'object' && thrown !== null ? (thrown as { kind?: unknown }).kind : undefined;
  return typeof kind === 'string' ? (kind.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) as Code) : '';
}
