/*
 * Runs a TypeScript file of the project, with its WGSL imports, through Vite's loader: a file by its path, or an example by
 * its number. `npm run example 04`, `npm run example -- 04 --device cpu`
 */
import { existsSync } from "node:fs";
import { createServerModuleRunner, createServer } from "vite";

const wanted = process.argv[2] ?? "";
const named = existsSync(wanted) && wanted.endsWith(".ts");
const file = named ? wanted : "examples/lib/run.ts";
// A program given by its path finds its arguments after that path, as with Node.
if (named) process.argv.splice(1, 1);
const server = await createServer({
  server: { middlewareMode: true, ws: false, watch: null },
  appType: "custom",
  logLevel: "error",
  // No browser loads packages from this server: looking for them takes longer than everything else.
  optimizeDeps: { noDiscovery: true },
});
try {
  await createServerModuleRunner(server.environments.ssr, { hmr: false }).import(`/${file}`);
} finally {
  await server.close();
}
