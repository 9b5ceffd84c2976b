// Keeps the page's own files for starting without network. One cache holds one build, and a new build waits until no
// page of the old one is open: files of two builds never meet. Only the page is kept here, never anything of the wallet.

const BUILD = '__BUILD__';
const SHELL = ['__SHELL__'];
const CACHE = `kite-${BUILD}`;
const SETTINGS = 'kite-settings';

self.addEventListener('install', (event) => {
  const shell = caches.open(CACHE).then((cache) => cache.addAll(SHELL.map((url) => new Request(url, { cache: 'no-cache' }))));
  // The page that registers this has read its settings before anyone kept them.
  const first = settings(new Request('/config.json')).catch(() => undefined);
  event.waitUntil(Promise.all([shell, first]));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches.keys().then((names) =>
      Promise.all(names.filter((name) => name.startsWith('kite-') && name !== CACHE && name !== SETTINGS).map((name) => caches.delete(name))),
    ),
  );
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  if (event.request.mode === 'navigate') event.respondWith(page(event.request));
  else if (url.pathname === '/config.json') event.respondWith(settings(event.request));
  else if (SHELL.includes(url.pathname)) event.respondWith(kept(event.request));
});

// The newest page when there is network: its file names say which build they belong to.
async function page(request) {
  try {
    return await fetch(request, { signal: AbortSignal.timeout(4000) });
  } catch {
    const cache = await caches.open(CACHE);
    return (await cache.match('/')) ?? Response.error();
  }
}

async function settings(request) {
  const cache = await caches.open(SETTINGS);
  try {
    const fresh = await fetch(request, { cache: 'no-store' });
    if (fresh.ok) await cache.put('/config.json', fresh.clone());
    return fresh;
  } catch {
    return (await cache.match('/config.json')) ?? Response.error();
  }
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request)) ?? fetch(request);
}
