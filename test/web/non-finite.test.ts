/*
 * NaN and infinities in a browser on SwiftShader, whose compiler differs from lavapipe's.
 */
import type { ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { createServer, type ViteDevServer } from "vite";
import { expect, test } from "vitest";
import { assemblyPlugin } from "../../scripts/assembly/plugin.ts";
import { consoleOf, openChromium } from "../package/chromium.ts";

const PAGE =
  '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/test/web/non-finite-page.ts"></script>';

/** Serves the project's sources, and the test page at every other address. */
async function serveSources(): Promise<ViteDevServer> {
  const pages = {
    name: "page",
    configureServer:
      ({ middlewares }: ViteDevServer) =>
      () => {
        middlewares.use((_: unknown, response: ServerResponse) =>
          response.setHeader("content-type", "text/html").end(PAGE),
        );
      },
  };
  const server = await createServer({
    root: fileURLToPath(new URL("../..", import.meta.url)),
    configFile: false,
    logLevel: "error",
    appType: "custom",
    optimizeDeps: { noDiscovery: true },
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null },
    plugins: [assemblyPlugin(), pages],
  });
  return server.listen();
}

test("every op gives PyTorch's results for NaN and infinities on SwiftShader", async () => {
  const [server, browser] = await Promise.all([serveSources(), openChromium()]);
  try {
    const lines = await consoleOf(browser, server.resolvedUrls!.local[0]!, "Compared on");
    expect(lines.map(({ text }) => text).filter((text) => !text.startsWith("Compared on"))).toEqual([]);
    expect(lines.at(-1)!.text).toMatch(/SwiftShader/i);
  } finally {
    await browser.close();
    await server.close();
  }
}, 300_000);
