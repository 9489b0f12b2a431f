import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Rolldown } from "vite";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { assemblyPlugin } from "./scripts/assembly/plugin.ts";
import { compactShaders, demoPlugins } from "./scripts/demo/plugins.ts";
import { unitFiles } from "./test/unit-files.ts";

const entry = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What a group of chunks may ask of modules. */
interface ModuleGraph {
  getModuleInfo(id: string): { importedIds: readonly string[]; dynamicallyImportedIds: readonly string[] } | null;
}

const loadsLater = new Map<string, boolean>();

/** Whether a module, or one that it imports, loads another by `import()`. */
function mayLoadLater(id: string, graph: ModuleGraph): boolean {
  const known = loadsLater.get(id);
  if (known !== undefined) return known;
  loadsLater.set(id, false);
  const { importedIds = [], dynamicallyImportedIds = [] } = graph.getModuleInfo(id) ?? {};
  const may = dynamicallyImportedIds.length > 0 || importedIds.some((other) => mayLoadLater(other, graph));
  loadsLater.set(id, may);
  return may;
}

/** The test whether a module is an entry point, or is imported by it statically. */
function isOf(path: string): (id: string, graph: ModuleGraph) => boolean {
  const imported = new Set([entry(path)]);
  return (id, graph) => {
    for (const one of imported) for (const other of graph.getModuleInfo(one)?.importedIds ?? []) imported.add(other);
    return imported.has(id);
  };
}

const isOfIndex = isOf("src/index.ts");

/**
 * One chunk for what the entry point imports: Node reads and links one file in less time than 40. Without modules that load others by
 * `import()`, and without the backends: a bundler would not drop what these load, even from a page that does not use them.
 */
const coreOf = (id: string, graph: ModuleGraph) =>
  isOfIndex(id, graph) && !id.includes("/src/backends/") && !mayLoadLater(id, graph) ? "core" : null;

/** The library and the command line, in dist. */
const library: ViteUserConfig["build"] = {
  target: "es2023",
  minify: false,
  sourcemap: true,
  // An SSR build leaves Node's modules and the packages of node_modules as imports; the library entry
  // uses neither, so the same build serves the browser.
  ssr: true,
  rolldownOptions: {
    // Of Node's, the bundler would put `createRequire` into the chunk that all others share.
    platform: "neutral",
    input: {
      index: entry("src/index.ts"),
      node: entry("src/node/index.ts"),
      onnx: entry("src/formats/onnx/index.ts"),
      cli: entry("src/cli/main.ts"),
    },
    output: {
      // The types have the docstrings; Node would scan them in every start, as a quarter of the code.
      comments: { legal: true, annotation: true, jsdoc: false },
      entryFileNames: "[name].js",
      chunkFileNames: "chunks/[name]-[hash].js",
      // Apart from what a page loads first: two backends share the one, and two the other.
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [
          { name: "compiler", test: /\/src\/compiler\// },
          { name: "reference", test: /\/src\/ops\/[\w-]+\/cpu\.ts$/ },
          { name: coreOf },
        ],
      },
    },
  },
};

const isOfDemo = isOf("src/web/main.tsx");

/** What a first visit loads as well, and more than one part uses. */
const SHARED = /\/src\/(data\/resample|train\/curve|web\/lessons\/show)\.ts/;

/**
 * One chunk for the demo's own files that it loads first, and the packages that they use. Otherwise each set of its later parts that
 * share a module makes a chunk. Without the library, of which the entry point imports all, and the demo uses little.
 */
const firstOf = (id: string, graph: ModuleGraph) => {
  const isOwn = id !== entry("src/web/main.tsx") && /\/(src\/web|node_modules)\//.test(id);
  return (isOwn && isOfDemo(id, graph)) || SHARED.test(id) ? "first" : null;
};

/** The demo and the benchmark as pages, in dist/demo: `vite build --mode demo`. They may be served from any folder. */
const pages: ViteUserConfig["build"] = {
  target: "es2023",
  outDir: "dist/demo",
  rolldownOptions: {
    input: { index: entry("index.html"), bench: entry("bench.html") },
    output: { codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: firstOf }] } },
  },
};

const isOfWebGPU = isOf("src/backends/webgpu/index.ts");
const isOfWasm = isOf("src/backends/wasm/index.ts");

/** The WebGPU backend in one chunk, although a part that it loads later uses much of it. It shares most of the compiler with WebAssembly. */
const webgpuOf = (id: string, graph: ModuleGraph) =>
  isOfWebGPU(id, graph) && !(id.includes("/src/compiler/") && isOfWasm(id, graph)) ? "webgpu" : null;

/**
 * Of a page's worker: all that it imports statically is one chunk. Otherwise each set of tabs that share a module makes a
 * chunk; these 13 took 7 KB more when packed by gzip.
 */
const oneFirstChunk = {
  includeDependenciesRecursively: false,
  groups: [{ name: "first", tags: ["$initial" as const] }, { name: webgpuOf }],
};

/**
 * What the library's build holds of others: a report's charts, a chunk that only a report loads, and the encoder of byte
 * pairs, a chunk that only their tokenizers load.
 */
const bundled = ["echarts", "zrender", "tslib", "@huggingface/tokenizers"];

/** Their licences, beside the chunks; tslib's is in its code. */
const licences = {
  name: "licences",
  generateBundle(this: { emitFile(file: { type: "asset"; fileName: string; source: string }): unknown }) {
    const files = ["echarts/NOTICE", ...bundled.filter((name) => name !== "tslib").map((name) => `${name}/LICENSE`)];
    const source = files
      .map((file) => `${file}\n\n${readFileSync(entry(`node_modules/${file}`), "utf8").trim()}\n`)
      .join("\n\n");
    this.emitFile({ type: "asset", fileName: "chunks/LICENSES.txt", source });
  },
};

/** A chunk with code of other packages has no source map: that of a report's charts would be half of the package. */
const noForeignMaps = {
  name: "no-foreign-maps",
  generateBundle(_options: unknown, bundle: Rolldown.OutputBundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk" || !chunk.moduleIds.some((id) => id.includes("/node_modules/"))) continue;
      delete bundle[`${chunk.fileName}.map`];
      chunk.code = chunk.code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
    }
  },
};

/** npm sets the run bit of a command only when it installs or packs; a build alone must leave one that runs too. */
const executableCli = {
  name: "executable-cli",
  writeBundle({ dir }: { dir?: string }) {
    chmodSync(join(dir!, "cli.js"), 0o755);
  },
};

/** Two projects of tests, which differ in their processes. */
function tests(): ViteUserConfig["test"] {
  const unit = unitFiles();
  const other = { include: ["test/**/*.test.ts"], exclude: unit, globalSetup: "test/builds-folder.ts" };
  return {
    pool: "forks",
    // Devices are software, and other processes may keep the cores for seconds, in which nothing happens that a test waits for.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    setupFiles: ["test/equality.ts"],
    expect: { poll: { timeout: 60_000 } },
    projects: [
      // Files without a device share a process and its modules, which take 0.4 s of CPU time for each file otherwise.
      { extends: true, test: { name: "unit", include: unit, isolate: false } },
      // One process a file: Dawn is a native addon, and a device lost in one file must not reach another.
      { extends: true, test: { name: "devices", ...other } },
    ],
  };
}

export default defineConfig(({ command, mode }) => ({
  // As dependencies, they would install 68 MB with every use of the library; the chunks have 1.4 MB.
  ...(command === "build" && mode !== "demo" && { ssr: { noExternal: bundled } }),
  base: mode === "demo" ? "./" : "/",
  build: mode === "demo" ? pages : library,
  // What lies in public belongs to the demo.
  publicDir: mode === "production" ? false : "public",
  worker: {
    format: "es",
    plugins: () => [assemblyPlugin(), ...(mode === "demo" ? [compactShaders()] : [])],
    ...(mode === "demo" && { rolldownOptions: { output: { codeSplitting: oneFirstChunk } } }),
  },
  plugins: [
    assemblyPlugin(),
    ...(mode === "demo" || mode === "development"
      ? demoPlugins()
      : command === "build"
        ? [licences, noForeignMaps, executableCli]
        : []),
  ],
  ...(mode === "test" && { test: tests() }),
}));
