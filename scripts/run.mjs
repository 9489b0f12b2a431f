/*
 * Runs a TypeScript file of the project, with its WGSL imports, through vite's own loader: a file by its path, or an
 * example by its number. `npm run example 04`
 */
import { existsSync, readdirSync } from "node:fs";
import { createServerModuleRunner, createServer } from "vite";

const examples = readdirSync("examples").filter((name) => name.endsWith(".ts"));
const wanted = process.argv[2] ?? "";
const example = examples.find((name) => name.split("-")[0] === wanted.padStart(2, "0"));
const file = example ? `examples/${example}` : wanted;
if (!file || !existsSync(file)) {
  console.error(`There is no example "${wanted}". Name one of: ${examples.join(", ")}.`);
  process.exit(2);
}
const server = await createServer({ server: { middlewareMode: true, ws: false, watch: null }, appType: "custom", logLevel: "error" });
try {
  await createServerModuleRunner(server.environments.ssr, { hmr: false }).import(`/${file}`);
} finally {
  await server.close();
}
