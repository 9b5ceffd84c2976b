// Owns the wallet. The page talks to it by messages only, so nothing the wallet does can make the page stutter.

import init, { Wallet, checkMnemonic, version, walletExists, youngOnMainnet } from './kite_wasm.js';
import {
  failureOf,
  NO_WALLET,
  WORKER_BROKEN,
  type FromWorker,
  type Method,
  type ToWorker,
  type WalletEntrances,
} from './messages.js';

/** An app whose handler failed gets the event again, but not in one rush. */
const PAUSE_MILLIS = 1000;

const scope = self as unknown as DedicatedWorkerGlobalScope;
let wallet: Wallet | undefined;
/** Of one wallet at a time: events of the next follow when the page has dealt with the last one of this. */
let telling: Promise<void> = Promise.resolve();
let heard: ((seq: bigint, handled: boolean) => void) | undefined;

const entrances: WalletEntrances = {
  exists: (config) => walletExists(config),
  create: async (config, passphrase, mnemonic) => hold(await Wallet.create(config, passphrase, mnemonic)),
  open: async (config, passphrase) => hold(await Wallet.open(config, passphrase)),
  checkMnemonic: async (words) => checkMnemonic(words),
  youngOnMainnet: async () => youngOnMainnet(),
  version: async () => version(),
};

scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === 'heard') heard?.(data.seq, data.handled);
  else void answer(data.id, data.method, data.args);
};
scope.onerror = (event) => broke(typeof event === 'string' ? event : (event as ErrorEvent).message);
scope.onunhandledrejection = (event) => broke(failureOf(event.reason).message);

init().then(
  () => post({ type: 'ready' }),
  (reason: unknown) => broke(failureOf(reason).message),
);

function post(message: FromWorker): void {
  scope.postMessage(message);
}

function broke(reason: string): void {
  post({ type: 'fault', reason });
}

async function answer(id: number, method: Method, args: unknown[]): Promise<void> {
  try {
    post({ type: 'result', id, value: await call(method, args) });
  } catch (thrown) {
    const failure = failureOf(thrown);
    post({ type: 'failure', id, failure });
    if (failure.kind === WORKER_BROKEN) broke(failure.message);
  }
}

function call(method: Method, args: unknown[]): Promise<unknown> {
  if (Object.hasOwn(entrances, method)) {
    const entrance = entrances[method as keyof WalletEntrances] as (...args: unknown[]) => Promise<unknown>;
    return entrance(...args);
  }
  if (!wallet) throw { kind: NO_WALLET, message: 'no wallet is open: create or open one first' };
  const open = wallet as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const named = open[method];
  if (typeof named !== 'function') throw new Error(`the wallet has no method ${method}`);
  return named.apply(wallet, args);
}

/** The methods are those of this wallet from now on. The one before would keep its data, and nobody could stop it any more. */
async function hold(opened: Wallet): Promise<void> {
  const before = wallet;
  wallet = opened;
  telling = telling.then(() => tellEvents(opened)).catch((thrown: unknown) => told(opened, thrown));
  await before?.stop();
}

/** Hands the events over one by one; the next follows when the page has dealt with this one. */
async function tellEvents(from: Wallet): Promise<void> {
  while (wallet === from) {
    const envelope = await from.nextEvent();
    // Another wallet was opened meanwhile, and the page knows that it has stopped this one.
    if (wallet !== from) return;
    const done = new Promise<boolean>((resolve) => {
      heard = (seq, handled) => seq === envelope.seq && resolve(handled);
    });
    post({ type: 'event', envelope });
    const handled = await done;
    // What is stored and was not handled by now comes again when the wallet is opened again.
    if (envelope.event.type === 'stopped') return;
    // Passing news are not stored: they come once, however it went.
    if (envelope.seq === 0n) continue;
    if (handled) await from.eventHandled(envelope.seq);
    else await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS));
  }
}

/** The queue of a wallet that has stopped ends with an error; for any other the page must know. */
function told(from: Wallet, thrown: unknown): void {
  const { kind, message } = failureOf(thrown);
  if (wallet === from && !['stopped', 'leaseLost', 'storeFull', 'storeUnavailable'].includes(kind)) broke(message);
}
