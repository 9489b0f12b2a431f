/*
 * Runs a TypeScript file of the project, with its WGSL imports, through vite's own loader: a file by its path, or an
 * example by its number. `npm run example 04`, `npm run example -- 04 --device cpu`
 */
import { existsSync } from "node:fs";
import { createServerModuleRunner, createServer } from "vite";

const wanted = process.argv[2] ?? "";
const file = existsSync(wanted) && wanted.endsWith(".ts") ? wanted : "examples/lib/run.ts";
const server = await createServer({ server: { middlewareMode: true, ws: false, watch: null }, appType: "custom", logLevel: "error" });
try {
  await createServerModuleRunner(server.environments.ssr, { hmr: false }).import(`/${file}`);
} finally {
  await server.close();
}
