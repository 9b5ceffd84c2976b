// The files in which the browser keeps the wallet, and how a text, a key or an amount would look in them.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All bytes of all databases of a browser's profile. */
export function storedBytes(profile) {
  const files = readdirSync(profile, { recursive: true, withFileTypes: true });
  const stored = files.filter((file) => file.isFile() && file.parentPath.includes('IndexedDB'));
  return Buffer.concat(stored.map((file) => readFileSync(join(file.parentPath, file.name))));
}

/** A text as databases and scripts write it; where it is hex, also the bytes it stands for. */
export function formsOfText(text) {
  const bytes = /^([0-9a-f]{2})+$/.test(text) ? [Buffer.from(text, 'hex')] : [];
  return [Buffer.from(text), Buffer.from(text, 'utf16le'), ...bytes];
}

/** Bytes as they are, and written out. */
export function formsOfBytes(bytes) {
  const texts = [bytes.toString('hex'), bytes.toString('hex').toUpperCase(), bytes.toString('base64').replace(/=+$/, '')];
  return [bytes, ...texts.flatMap((text) => [Buffer.from(text), Buffer.from(text, 'utf16le')])];
}

/** An amount as decimal text, as u64 in both orders, as a number of JavaScript, and as BOLT 1 writes it (BigSize). */
export function formsOfAmount(amount) {
  assert.ok(amount > 0xffffn && amount <= 0xffffffffn, `${amount} takes five bytes as a BigSize: fewer are found by chance`);
  const forms = [8, 8, 8, 5].map((length) => Buffer.alloc(length));
  forms[0].writeBigUInt64LE(amount);
  forms[1].writeBigUInt64BE(amount);
  forms[2].writeDoubleLE(Number(amount));
  forms[3][0] = 0xfe;
  forms[3].writeUInt32BE(Number(amount), 1);
  return [...formsOfText(amount.toString()).slice(0, 2), ...forms];
}

/** Puts such forms into a database of the page's own: a search that does not find them there would find nothing. */
export async function plant(page, forms) {
  await page.evaluate(
    (planted) =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('planted', 1);
        opening.onupgradeneeded = () => opening.result.createObjectStore('records');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const writing = opening.result.transaction('records', 'readwrite', { durability: 'strict' });
          planted.forEach((form, key) => writing.objectStore('records').put(Uint8Array.from(form), key));
          writing.oncomplete = () => resolve(opening.result.close());
          writing.onabort = () => reject(writing.error);
        };
      }),
    forms.map((form) => [...form]),
  );
}

/** That a name's forms are nowhere in the files. */
export function assertNowhere(content, forms, name) {
  for (const form of forms) assert.ok(!content.includes(form), `${name} is in the files, as ${form.toString('latin1')}`);
}
