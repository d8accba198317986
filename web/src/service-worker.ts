/**
 * Everything of the folder kept on the device, so that the page works without a network after its first load. The exporter writes
 * `version`, `files` and `whenUsed` before this code: another export is another version, which replaces the whole of the one before.
 */
declare const self: ServiceWorkerGlobalScope & { readonly EDGEAU: { readonly version: string; readonly files: readonly string[]; readonly whenUsed: readonly string[] } };

const NAME = `edgeau ${self.registration.scope} `, KEPT = NAME + self.EDGEAU.version;

self.addEventListener("install", (event) => {
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(takeOver());
});

// A page says when it has read all its files; of another page that is open nobody knows whether it has.
self.addEventListener("message", (event) => {
  if (event.data === "take over") event.waitUntil(takeOverIfAlone());
});

self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event.request));
});

async function keep(): Promise<void> {
  const cache = await caches.open(KEPT);
  // Not through the browser's own cache, which may still hold files of another export.
  await cache.addAll(self.EDGEAU.files.map((file) => new Request(file, { cache: "reload" })));
}

async function takeOverIfAlone(): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (pages.filter((page) => page.url.startsWith(self.registration.scope)).length <= 1) await self.skipWaiting();
}

async function takeOver(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(NAME) && name !== KEPT) await caches.delete(name);
  await self.clients.claim();
}

/** What was kept; else what the network has. Of the two builds of the runtime the one that is asked for is kept too. */
async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(KEPT), url = new URL(request.url);
  const kept = await cache.match(url.pathname.endsWith("/") ? new URL("index.html", url).href : request, { ignoreSearch: true });
  if (kept) return whole(request, kept);
  const file = request.url.startsWith(self.registration.scope) ? request.url.slice(self.registration.scope.length) : "";
  if (!self.EDGEAU.whenUsed.includes(file)) return fetch(request);
  const response = await fetch(new Request(request, { cache: "reload" }));
  if (response.status === 200) {
    try {
      await cache.put(request, response.clone());
    } catch {
      // A device without room for it: the page runs from its server.
    }
  }
  return response;
}

/** A part of a file where a player asks for one. */
async function whole(request: Request, kept: Response): Promise<Response> {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
  if (!range) return kept;
  const content = await kept.arrayBuffer(), first = Number(range[1]), last = Math.min(range[2] ? Number(range[2]) : Infinity, content.byteLength - 1);
  return new Response(content.slice(first, last + 1), {
    status: 206,
    headers: {
      "Content-Type": kept.headers.get("Content-Type") ?? "",
      "Content-Range": `bytes ${first}-${last}/${content.byteLength}`,
      "Content-Length": String(last + 1 - first),
    },
  });
}

interface ServiceWorkerGlobalScope {
  readonly registration: { readonly scope: string };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(of: { type: "window"; includeUncontrolled: boolean }): Promise<readonly { readonly url: string }[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(kind: "install" | "activate", listener: (event: { waitUntil(done: Promise<void>): void }) => void): void;
  addEventListener(kind: "message", listener: (event: { readonly data: unknown; waitUntil(done: Promise<void>): void }) => void): void;
  addEventListener(kind: "fetch", listener: (event: { readonly request: Request; respondWith(answer: Promise<Response>): void }) => void): void;
}

export {};
