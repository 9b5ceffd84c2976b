// The package made from bindings-wasm; vite.config.ts says where it is.
declare module 'kite-wasm' {
  import type { EventEnvelope, WalletConfig, WalletMethods } from '../api.ts';

  export default function init(module: { module_or_path: string }): Promise<unknown>;

  export interface Wallet extends WalletMethods {
    nextEvent(): Promise<EventEnvelope>;
    eventHandled(seq: bigint): Promise<void>;
  }
  export const Wallet: {
    create(config: WalletConfig, passphrase: string, mnemonic?: string): Promise<Wallet>;
    open(config: WalletConfig, passphrase: string): Promise<Wallet>;
  };
  export function walletExists(config: WalletConfig): Promise<boolean>;
  export function checkMnemonic(words: string): void;
  export function version(): string;
}

declare module 'kite-wasm-module' {
  const address: string;
  export default address;
}
