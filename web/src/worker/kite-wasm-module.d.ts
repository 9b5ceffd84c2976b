// The address of the package's wasm file; vite.config.ts says where it is.
declare module 'kite-wasm-module' {
  const address: string;
  export default address;
}
