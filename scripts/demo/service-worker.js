/*
 * Keeps the demo working offline after it has loaded. The build puts VERSION, FILES and HEADERS before this text. Other
 * files, such as those of mnist/, are cached when they are fetched, and used if the network fails.
 *
 * It also makes the page cross-origin isolated, since browsers let WebAssembly threads share memory only in such a page,
 * and static hosts rarely send the headers. The visit that installs this worker starts without them, and has one thread.
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

/** Adds the isolation headers to the response for a page or the script of its worker. */
function isolated(response) {
  // An opaque redirect has status 0. The browser must get it unchanged.
  if (response.status === 0) return response;
  const { body, status, statusText } = response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(body, { status, statusText, headers });
}

/** Files with a hash in their name never change, so they come from the cache. Other files come from the network first. */
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
