import type { ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { createServer, type ViteDevServer } from "vite";
import { assemblyPlugin } from "../../scripts/assembly/plugin.ts";

/**
 * Serves the project's sources, and at every other address a page that runs a script of them.
 * @param script its path from the root of the project
 */
export async function serveSources(script: string): Promise<ViteDevServer> {
  const page = `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/${script}"></script>`;
  const pages = {
    name: "page",
    configureServer:
      ({ middlewares }: ViteDevServer) =>
      () => {
        middlewares.use((_: unknown, response: ServerResponse) =>
          response.setHeader("content-type", "text/html").end(page),
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
