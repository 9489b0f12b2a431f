/*
 * Compiles AssemblyScript: the kernels of the WebAssembly backend, assembly/*.ts, and what tests call beside them.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The sources of the kernels; index.ts exports them. */
export const KERNELS = fromHere("../../assembly");

/** Compiling takes seconds, and many processes ask: a result is kept under the hash of all that it depends on. */
const CACHE = fromHere("../../node_modules/.cache/wgrad");

/** A module imports `env.memory` and `env.table`, and allocates nothing. */
const OPTIONS = [
  "--runtime stub --noAssert --use abort= -O3",
  "--enable simd --enable threads --importMemory --noExportMemory --sharedMemory --initialMemory 1",
  "--maximumMemory 65536 --importTable",
  // Only wasm calls the functions of vectors.
  "--disableWarning 112",
].flatMap((line) => line.split(" "));

export interface AssemblyOptions {
  /** Whether the module may use relaxed SIMD, which not every engine has. */
  readonly relaxedSimd?: boolean;
}

/**
 * The path of a compiled module.
 * @param folder its sources, of which index.ts exports the functions
 * @throws Error with the compiler's messages
 */
export async function compileAssembly(folder: string, { relaxedSimd = false }: AssemblyOptions = {}): Promise<string> {
  const options = relaxedSimd ? [...OPTIONS, "--enable", "relaxed-simd"] : OPTIONS;
  const file = join(CACHE, `${basename(folder)}-${hashOf(folder, options)}.wasm`);
  if (existsSync(file)) return file;
  const bytes = await compile(folder, options);
  mkdirSync(CACHE, { recursive: true });
  // Another process may be writing the same file.
  const own = `${file}.${process.pid}`;
  writeFileSync(own, bytes);
  renameSync(own, file);
  return file;
}

function hashOf(folder: string, options: readonly string[]): string {
  const hash = createHash("sha256").update(options.join(" "));
  hash.update(readFileSync(fromHere("../../node_modules/assemblyscript/package.json")));
  const names = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  for (const name of names.sort()) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest("hex").slice(0, 16);
}

async function compile(folder: string, options: readonly string[]): Promise<Uint8Array> {
  // The compiler itself takes a second to load.
  const { default: asc } = await import("assemblyscript/asc");
  const written = new Map<string, string | Uint8Array>();
  const { error, stderr } = await asc.main(["index.ts", "--outFile", "out.wasm", "--baseDir", folder, ...options], {
    readFile: (name, base) => {
      const path = join(base, name);
      return existsSync(path) ? readFileSync(path, "utf8") : null;
    },
    writeFile: (name, contents) => void written.set(name, contents),
    listFiles: () => null,
  });
  if (error) throw new Error(`AssemblyScript cannot compile ${folder}:\n${stderr.toString()}`);
  return written.get("out.wasm") as Uint8Array;
}
