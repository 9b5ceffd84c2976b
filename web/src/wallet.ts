// The page's typed handle on the wallet in its worker.

import type { EventEnvelope } from 'kite-wasm';
import {
  WORKER_BROKEN,
  type Failure,
  type FromWorker,
  type Method,
  type ToWorker,
  type WalletEntrances,
  type WalletMethods,
} from './worker/messages.ts';

/** A wallet error in the page: a stable `code` and its fields in `data`. */
export class WalletFailure extends Error {
  readonly code: string;
  readonly data: Record<string, unknown>;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'WalletFailure';
    this.code = failure.code;
    this.data = failure.data;
  }
}

export interface WalletListener {
  /** Must deal with the event before it resolves: the wallet forgets it afterwards. */
  onEvent(envelope: EventEnvelope): Promise<void>;
  /** The worker broke. Nothing is lost; a new worker can open the wallet again. */
  onFault(reason: string): void;
}

/** Every method of the wallet, answered by the worker. */
export type RemoteWallet = WalletMethods & WalletEntrances & {
  /** Ends the worker. Calls that wait are answered with a failure. */
  end(): void;
};

interface Waiting {
  resolve(value: unknown): void;
  reject(reason: WalletFailure): void;
}

/** Starts a worker; resolves when its code is loaded. */
export function startWallet(listener: WalletListener): Promise<RemoteWallet> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker/wallet-worker.ts', import.meta.url), { type: 'module', name: 'kite' });
    const waiting = new Map<number, Waiting>();
    let lastId = 0;
    let broken: WalletFailure | undefined;

    const fail = (reason: string, code = WORKER_BROKEN): void => {
      if (broken) return;
      broken = new WalletFailure({ code, message: reason, data: {} });
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
        post({ kind: 'call', id: lastId, method, args });
      });
    const remote = new Proxy({} as RemoteWallet, {
      get(_, name) {
        if (name === 'end') return () => fail('the wallet was closed', 'ended');
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
      switch (data.kind) {
        case 'ready':
          return resolve(remote);
        case 'result':
          waiting.get(data.id)?.resolve(data.value);
          return void waiting.delete(data.id);
        case 'failure':
          waiting.get(data.id)?.reject(new WalletFailure(data.failure));
          return void waiting.delete(data.id);
        case 'event':
          return void listener
            .onEvent(data.envelope)
            .catch(() => undefined)
            .then(() => broken || post({ kind: 'handled', seq: data.envelope.seq }));
        case 'fault':
          fail(data.reason);
          return listener.onFault(data.reason);
      }
    };
  });
}
