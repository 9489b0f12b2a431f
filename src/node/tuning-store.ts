import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { TuningStore } from "../backends/webgpu/index.ts";
import { writeFileAtomically } from "./files.ts";

/** The folder of wgrad in the user's cache. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  if (process.platform === "win32" && environment["LOCALAPPDATA"])
    return join(environment["LOCALAPPDATA"], "wgrad", "cache");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "wgrad");
  return join(environment["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "wgrad");
}

/** Stores the tuner's choices in the user's cache folder, in one file for each adapter and version. */
export function fileTuningStore(folder = cacheFolder(process.env)): TuningStore {
  const pathOf = async (key: string) => {
    const { createHash } = await import("node:crypto");
    return join(folder, `tuning-${createHash("sha256").update(key).digest("hex").slice(0, 16)}.json`);
  };
  return {
    async load(key) {
      try {
        return await readFile(await pathOf(key), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async save(key, text) {
      await mkdir(folder, { recursive: true });
      await writeFileAtomically(await pathOf(key), new TextEncoder().encode(text));
    },
  };
}
