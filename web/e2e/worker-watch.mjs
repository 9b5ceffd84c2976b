// Stands inside the wallet's worker, between the wallet and the browser: notes what it does, or lets a part of it fail.

/** The worker of this page, once the page has one. */
export async function workerOf(page) {
  const [worker] = page.workers();
  return worker ?? page.waitForEvent('worker');
}

/** Begins to note every write that is asked for and done, and every frame to a peer, in their order. */
export function watch(worker) {
  return worker.evaluate(() => {
    const notes = (globalThis.kiteNotes = []);
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...given) {
      const made = transaction.apply(this, given);
      if (made.mode === 'readwrite') {
        notes.push({ what: 'asked', durability: made.durability });
        // Heard before the wallet hears it: whatever it does because of that is noted after it.
        made.addEventListener('complete', () => notes.push({ what: 'stored' }));
        made.addEventListener('abort', () => notes.push({ what: 'aborted' }));
      }
      return made;
    };
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      notes.push({ what: 'sent', bytes: data.byteLength ?? data.size });
      return send.call(this, data);
    };
  });
}

/** All that was noted, or all since `from`. */
export function notes(worker, from = 0) {
  return worker.evaluate((from) => globalThis.kiteNotes.slice(from), from);
}

/** From now on each transaction that writes aborts when all that was asked of it has succeeded, before that is told. */
export function abortAfterSuccess(worker) {
  return worker.evaluate(() => {
    const asked = new Map();
    for (const name of ['get', 'put', 'delete']) {
      const original = IDBObjectStore.prototype[name];
      IDBObjectStore.prototype[name] = function (...given) {
        const { transaction } = this;
        const of = asked.get(transaction) ?? { unanswered: 0, writes: false };
        asked.set(transaction, of);
        of.unanswered += 1;
        of.writes ||= name !== 'get';
        const request = original.apply(this, given);
        request.addEventListener('success', () => {
          of.unanswered -= 1;
          if (of.writes && of.unanswered === 0) transaction.abort();
        });
        return request;
      };
    }
  });
}

/** From now on the worker has no randomness. */
export function takeRandomness(worker) {
  return worker.evaluate(() => {
    Object.defineProperty(Crypto.prototype, 'getRandomValues', { value: undefined });
  });
}
