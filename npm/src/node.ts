// The package in Node.js, where no `fetch` reads the module's file. What needs no store works there; a wallet needs
// IndexedDB, and says so.

import { readFile } from 'node:fs/promises';
import initModule, { type InitInput, type InitOutput } from './kite_wasm.js';

export * from './kite_wasm.js';

/** Loads the module: the file beside this one, unless another is given. */
export default async function init(
  given?: { module_or_path: InitInput | Promise<InitInput> },
): Promise<InitOutput> {
  return initModule(given ?? { module_or_path: await readFile(new URL('./kite_wasm_bg.wasm', import.meta.url)) });
}
