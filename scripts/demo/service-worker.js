/*
 * Keeps the demo working without a network, once it was loaded. The build writes VERSION, FILES and HEADERS before
 * this text.
 * What is fetched beside them, such as mnist/, is kept as it comes, and taken from there where the network fails.
 *
 * It also makes the page cross-origin isolated, without which there is no memory that threads of WebAssembly share: a
 * static host sends no such headers. The visit that installs this worker has begun without them, and has one thread.
 */
/* global VERSION, FILES, HEADERS */
const PREFIX = "wgrad-demo ";

addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(PREFIX + VERSION)
      .then((cache) => cache.addAll(FILES))
      .then(() => skipWaiting()),
  );
});

addEventListener("activate", (event) => {
  const isOld = (name) => name.startsWith(PREFIX) && name !== PREFIX + VERSION;
  const removed = caches.keys().then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name))));
  event.waitUntil(removed.then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(registration.scope)) return;
  const needsHeaders = request.mode === "navigate" || request.destination === "worker";
  event.respondWith(needsHeaders ? answer(request).then(isolated) : answer(request));
});

/** The response of a page, or of the script of its worker, with the headers that isolate it. */
function isolated(response) {
  // A redirection has no status here, and goes back to the browser as it is.
  if (response.status === 0) return response;
  const { body, status, statusText } = response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(body, { status, statusText, headers });
}

/** Files with a hash in their name never change, so they are taken from the cache; all else is asked for anew first. */
async function answer(request) {
  const cache = await caches.open(PREFIX + VERSION);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept && request.url.includes("/assets/")) return kept;
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}
