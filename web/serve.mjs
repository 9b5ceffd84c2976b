#!/usr/bin/env node
// Serves the built page with the headers it wants, and the settings of this host as /config.json.
//
//   node serve.mjs [--port 8080] [--host 127.0.0.1] [--dist FOLDER] [--config FILE | --config-json TEXT]
//
// The same from the environment: PORT, HOST, KITE_DIST, KITE_CONFIG (a file) or KITE_CONFIG_JSON (the text).
// Prints one line when it listens: {"url":"http://127.0.0.1:8080/"}.

import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env.PORT ?? '0' },
    host: { type: 'string', default: process.env.HOST ?? '127.0.0.1' },
    dist: { type: 'string', default: process.env.KITE_DIST ?? fileURLToPath(new URL('./dist', import.meta.url)) },
    config: { type: 'string', default: process.env.KITE_CONFIG },
    'config-json': { type: 'string', default: process.env.KITE_CONFIG_JSON },
  },
});

const configText = values['config-json'] ?? (values.config ? readFileSync(values.config, 'utf8') : undefined);
const config = configText ? JSON.parse(configText) : undefined;
if (!existsSync(join(values.dist, 'index.html'))) {
  console.error(`${values.dist} holds no page; build it first (npm run build)`);
  process.exit(1);
}

/** Where the page may connect to: itself and the servers its settings name. */
const origins = ['esploraUrl', 'proxyUrl', 'controlUrl'].flatMap((key) => (config?.[key] ? [new URL(config[key]).origin] : []));
// `localhost` and `127.0.0.1` are two origins; a devnet's answers may name either.
const devnet = config?.network === 'regtest' ? ['http://127.0.0.1:*', 'http://localhost:*', 'ws://127.0.0.1:*', 'ws://localhost:*'] : [];
const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "worker-src 'self'",
    "manifest-src 'self'",
    `connect-src ${["'self'", ...new Set([...origins, ...devnet])].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'permissions-policy': 'camera=(self), clipboard-read=(self), clipboard-write=(self), microphone=(), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
};

const server = createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://host').pathname;
  if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'only GET');
  if (path === '/config.json') {
    if (!config) return answer(response, 404, 'this host has no settings');
    response.writeHead(200, { ...headers, 'content-type': TYPES['.json'], 'cache-control': 'no-store' });
    return response.end(JSON.stringify(config));
  }
  const file = fileOf(path);
  if (!file) return answer(response, 404, 'not found');
  response.writeHead(200, {
    ...headers,
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': statSync(file).size,
    // Names under assets/ carry a hash of their content; everything else must be asked for again.
    'cache-control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  if (request.method === 'HEAD') return response.end();
  createReadStream(file).pipe(response);
});

function answer(response, status, text) {
  response.writeHead(status, { ...headers, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${text}\n`);
}

function fileOf(path) {
  let name;
  try {
    name = normalize(decodeURIComponent(path === '/' ? '/index.html' : path));
  } catch {
    return undefined;
  }
  const file = join(values.dist, name);
  if (name.includes('\0') || !file.startsWith(normalize(values.dist) + sep)) return undefined;
  return existsSync(file) && statSync(file).isFile() ? file : undefined;
}

server.listen(Number(values.port), values.host, () => {
  const address = server.address();
  console.log(JSON.stringify({ url: `http://${values.host}:${address.port}/` }));
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.close(() => process.exit(0)).closeAllConnections());
