// Stands in for the wallet's wasm package when that has not been built, so that the page can still be built and checked.
export default async function init() {
  throw new Error('This copy of the page was built without the wallet. Build bindings-wasm first, then the page again.');
}
export const Wallet = {};
export const walletExists = () => {};
export const checkMnemonic = () => {};
export const version = () => 'absent';
