/*
 * What is built for tests. Each build is made by the first test file that needs it and used by all later ones of the run, so they
 * must not write to it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the builds, which `test/builds-folder.ts` makes. */
    builds: string;
  }
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** The library and the command line, as in dist. @returns the folder */
export const builtLibrary = (): Promise<string> =>
  builtOnce("library", (outDir) =>
    build({ root, configFile: join(root, "vite.config.ts"), logLevel: "error", build: { outDir } }),
  );

/** The declarations of types, as in dist/types. @returns the folder */
export const builtTypes = (): Promise<string> =>
  builtOnce("types", (outDir) => {
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", outDir], { cwd: root });
  });

/** The page of the demo and that of the benchmark, for production. @returns the folder */
export const builtPages = (): Promise<string> =>
  builtOnce("pages", async (outDir) => {
    // Vitest sets another value, which would make this a build for tests.
    const { NODE_ENV } = process.env;
    process.env["NODE_ENV"] = "production";
    const into = { outDir, emptyOutDir: true };
    await build({ root, configFile: join(root, "vite.config.ts"), mode: "demo", logLevel: "error", build: into });
    process.env["NODE_ENV"] = NODE_ENV;
  });

async function builtOnce(name: string, make: (outDir: string) => unknown): Promise<string> {
  const folder = join(inject("builds"), name);
  if (existsSync(folder)) return folder;
  const fresh = mkdtempSync(`${folder}-`);
  await make(fresh);
  // Test files run in several processes: another one may have built the same in the meantime.
  if (existsSync(folder)) rmSync(fresh, { recursive: true });
  else renameSync(fresh, folder);
  return folder;
}
