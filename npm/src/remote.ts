// The wallet in a worker of its own, as a page holds it: the same methods, the same values, the same errors.

import type { EventEnvelope } from './kite_wasm.js';
import {
  WORKER_BROKEN,
  type Failure,
  type FromWorker,
  type Method,
  type ToWorker,
  type WalletEntrances,
  type WalletMethods,
} from './messages.js';

export { failureOf, NO_WALLET, UNKNOWN, WORKER_BROKEN, type Failure, type WalletEntrances, type WalletMethods } from './messages.js';

/** The kind of calls that had no answer when the page ended its worker. */
export const ENDED = 'ended';

/** An error of the wallet. Beside `kind` and `message` it has the fields of its kind, as the package's `WalletError` does. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  /** The `kind` of the package's `WalletError`; or `workerBroken`, `noWallet`, `ended`, `unknown`. */
  readonly kind: string;

  constructor({ kind, message, fields }: Failure) {
    super(message);
    Object.assign(this, fields);
    this.kind = kind;
  }
}

/** What a page wants to hear of. */
export interface WalletListener {
  /** Must deal with the event before it resolves: the wallet forgets it afterwards. If it fails, a stored event comes again. */
  onEvent(envelope: EventEnvelope): Promise<void>;
  /** The worker broke. Nothing is lost; a new worker can open the wallet again. */
  onFault(reason: string): void;
}

/** Every method of the wallet, answered by the worker. */
export type RemoteWallet = WalletMethods & WalletEntrances & {
  /** Ends the worker. Calls that wait are answered with an error of the kind `ended`. */
  end(): void;
};

interface Waiting {
  resolve(value: unknown): void;
  reject(reason: RemoteError): void;
}

/** Starts a worker; resolves when its code is loaded. Rejects with a `RemoteError` if that fails. */
export function startWallet(listener: WalletListener): Promise<RemoteWallet> {
  return new Promise((resolve, reject) => {
    // Bundlers find the worker by exactly this expression.
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'kite' });
    const waiting = new Map<number, Waiting>();
    let lastId = 0;
    let broken: RemoteError | undefined;

    const fail = (reason: string, kind = WORKER_BROKEN): void => {
      if (broken) return;
      broken = new RemoteError({ kind, message: reason, fields: {} });
      worker.terminate();
      for (const call of waiting.values()) call.reject(broken);
      waiting.clear();
      reject(broken);
    };
    const post = (message: ToWorker): void => worker.postMessage(message);
    const call = (method: Method, args: unknown[]): Promise<unknown> =>
      new Promise((answered, refused) => {
        if (broken) return refused(broken);
        lastId += 1;
        waiting.set(lastId, { resolve: answered, reject: refused });
        post({ type: 'call', id: lastId, method, args });
      });
    const tell = async (envelope: EventEnvelope): Promise<void> => {
      let handled = true;
      try {
        await listener.onEvent(envelope);
      } catch (thrown) {
        handled = false;
        // The fault is the app's, and belongs where its others are seen. Old browsers have no such place.
        globalThis.reportError?.(thrown);
      }
      if (!broken) post({ type: 'heard', seq: envelope.seq, handled });
    };
    const remote = new Proxy({} as RemoteWallet, {
      get(_, name) {
        if (name === 'end') return () => fail('the wallet was closed', ENDED);
        // A promise that resolves to the handle asks for `then`; it is no method.
        if (typeof name !== 'string' || name === 'then') return undefined;
        return (...args: unknown[]) => call(name as Method, args);
      },
    });

    worker.onerror = (event) => {
      fail(event.message || 'the worker did not load');
      listener.onFault(event.message || 'the worker did not load');
    };
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      switch (data.type) {
        case 'ready':
          return resolve(remote);
        case 'result':
          waiting.get(data.id)?.resolve(data.value);
          return void waiting.delete(data.id);
        case 'failure':
          waiting.get(data.id)?.reject(new RemoteError(data.failure));
          return void waiting.delete(data.id);
        case 'event':
          return void tell(data.envelope);
        case 'fault':
          fail(data.reason);
          return listener.onFault(data.reason);
      }
    };
  });
}
