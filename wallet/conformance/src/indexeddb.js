// Stands between the store and IndexedDB: listens to what is asked of it, or lets it fail where only few fail.

/** Notes the durability of every transaction that writes, until `end` gives them all. */
export function watchDurability() {
  const { transaction } = IDBDatabase.prototype;
  const seen = [];
  IDBDatabase.prototype.transaction = function (...given) {
    const made = transaction.apply(this, given);
    if (made.mode === 'readwrite') seen.push(made.durability);
    return made;
  };
  return () => {
    IDBDatabase.prototype.transaction = transaction;
    return seen.join(' ');
  };
}

/**
 * From now on every transaction that writes aborts once all that was asked of it has succeeded, before that is told. What this
 * gives ends it, and says how often.
 */
export function abortAfterSuccess() {
  const originals = {};
  const asked = new Map();
  let aborted = 0;
  for (const name of ['get', 'put', 'delete']) {
    originals[name] = IDBObjectStore.prototype[name];
    IDBObjectStore.prototype[name] = function (...given) {
      const { transaction } = this;
      const of = asked.get(transaction) ?? { unanswered: 0, writes: false };
      asked.set(transaction, of);
      of.unanswered += 1;
      of.writes ||= name !== 'get';
      const request = originals[name].apply(this, given);
      request.addEventListener('success', () => {
        of.unanswered -= 1;
        if (!of.writes || of.unanswered > 0) return;
        aborted += 1;
        transaction.abort();
      });
      return request;
    };
  }
  return () => {
    Object.assign(IDBObjectStore.prototype, originals);
    return String(aborted);
  };
}
