/*
 * What the demo's build does besides bundling: shaders without comments, a service worker that keeps the page's own
 * files, a list of the MNIST files beside the page, and a limit on the page's size.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/**
 * The most that the JavaScript of the first visit, with the shaders in it, may be when packed by gzip: the page with its
 * first tab, its worker, and the WebGPU backend with the products of GPUs. The build counts what is imported statically, which is 146.
 * A test counts all that a browser loads on a GPU, with the panel of settings, which follows the first paint: 149.
 */
export const LARGEST_KILOBYTES = 150;

/**
 * The same for what the page loads beside that if it uses WebAssembly: JavaScript, the reference loops of the CPU for ops
 * without a kernel, and one of the two files of kernels. It is 41, and a little more or less with the folder of the build.
 */
const LARGEST_WASM_KILOBYTES = 42;

/** Loaded in place of the other kernels, on request only. */
const RELAXED = /\bkernels-relaxed-.*\.wasm$/;

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const PUBLIC = fromHere("../../public");

/** Which of MNIST's files lie beside the page; `npm run demo:mnist` writes it with them. */
const MNIST_LIST = "mnist/files.json";

/** What makes a page cross-origin isolated: threads of WebAssembly share their memory only there. */
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export function demoPlugins(): Plugin[] {
  return [compactShaders(), usedCharts(), mnistList(), isolation(), serviceWorker(), sizeLimit()];
}

/** Loads shaders without comments, indentation and empty lines, which make about a third of their size. */
export function compactShaders(): Plugin {
  return {
    name: "wgrad-compact-shaders",
    enforce: "pre",
    apply: "build",
    load(id) {
      if (!id.endsWith(".wgsl?raw")) return undefined;
      const lines = readFileSync(id.replace(/\?raw$/, ""), "utf8")
        .split("\n")
        .map((line) => line.replace(/\/\/.*$/, "").trim());
      return `export default ${JSON.stringify(lines.filter((line) => line !== "").join("\n") + "\n")}`;
    },
  };
}

/** What the page uses of the functions that uPlot exports as its properties, which a bundler cannot find out. */
const USED_OF_UPLOT = ["rangeNum", "join"];

/** Leaves out uPlot's bars, steps, splines and dates: 2 KB when packed by gzip. */
function usedCharts(): Plugin {
  return {
    name: "wgrad-used-charts",
    apply: "build",
    transform: {
      filter: { id: /\/uplot\/dist\/uPlot\.esm\.js$/ },
      handler(code) {
        const properties = code.indexOf("\nuPlot.assign = assign;\n");
        if (properties < 0) this.error("uPlot does not export its functions as it did; look for what it exports now");
        const used = USED_OF_UPLOT.map((name) => `uPlot.${name} = ${name};`);
        return { code: [code.slice(0, properties), ...used, "export { uPlot as default };"].join("\n"), map: null };
      },
    },
  };
}

/** Has Vite's own servers send the headers that the service worker adds on a static host. */
function isolation(): Plugin {
  return {
    name: "wgrad-isolation",
    config: () => ({ server: { headers: ISOLATION }, preview: { headers: ISOLATION } }),
  };
}

/** Says that there is no MNIST where nobody put it, so that the page need not ask for files that are not there. */
function mnistList(): Plugin {
  const isThere = () => existsSync(join(PUBLIC, MNIST_LIST));
  return {
    name: "wgrad-mnist-list",
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        if (isThere() || request.url !== `/${MNIST_LIST}`) return next();
        response.setHeader("content-type", "application/json");
        response.end("[]");
      });
    },
    generateBundle() {
      if (!isThere()) this.emitFile({ type: "asset", fileName: MNIST_LIST, source: "[]\n" });
    },
  };
}

/** The picture that other sites show with a link to the page. The page itself does not load it. */
const SHARE_PICTURE = "share.png";

/** The static files that the page itself uses: its icons and manifest. */
const staticFiles = () =>
  readdirSync(PUBLIC, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== SHARE_PICTURE)
    .map(({ name }) => name)
    .sort();

/** What is of no use without a network: the worker of the page at `?lend`. */
const ONLINE = /^assets\/lend-worker-/;

const contentOf = (file: { code: string } | { source: string | Uint8Array }) =>
  "code" in file ? file.code : file.source;

function serviceWorker(): Plugin {
  return {
    name: "wgrad-service-worker",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const hash = createHash("sha256");
        const names = Object.keys(bundle)
          .filter((name) => name !== MNIST_LIST && !ONLINE.test(name))
          .sort();
        for (const name of names) hash.update(name).update(contentOf(bundle[name]!));
        const statics = staticFiles();
        for (const name of statics) hash.update(name).update(readFileSync(join(PUBLIC, name)));
        const version = JSON.stringify(hash.digest("hex").slice(0, 12));
        const files = JSON.stringify(["./", MNIST_LIST, ...statics, ...names]);
        const headers = JSON.stringify(ISOLATION);
        const source = `const VERSION = ${version};\nconst FILES = ${files};\nconst HEADERS = ${headers};\n\n`;
        const text = readFileSync(fromHere("service-worker.js"), "utf8");
        this.emitFile({ type: "asset", fileName: "service-worker.js", source: source + text });
      },
    },
  };
}

/** The chunks of the backends, which are imported dynamically, by the start of their names. */
const BACKENDS = { webgpu: /^assets\/webgpu-.*\.js$/, wasm: /^assets\/wasm-.*\.js$/ };

/** What the WebGPU backend loads on an adapter that is not software. */
const OF_GPUS = /^assets\/webgpu-registers-.*\.js$/;

/** Prints the size of what the demo's page loads, and fails the build where it is too large. */
function sizeLimit(): Plugin {
  return {
    name: "wgrad-size-limit",
    apply: "build",
    writeBundle({ dir }, bundle) {
      // The service worker names all files, and a link to another page loads nothing.
      const names = Object.keys(bundle).filter((name) => name !== "service-worker.js" && !name.endsWith(".html"));
      const textOf = (name: string) => readFileSync(join(dir!, name), "utf8");
      const page = loadedBy(["index.html"], names, textOf);
      const ofBackend = (backend: RegExp) => {
        const first = names.filter(
          (name) => backend.test(name) && page.some((by) => textOf(by).includes(baseOf(name))),
        );
        if (first.length === 0) this.error(`no chunk of a backend was found by the name ${backend}`);
        return loadedBy(first, names, textOf);
      };
      const first = [...page, ...ofBackend(BACKENDS.webgpu)];
      const texts = first.map(textOf);
      first.push(...names.filter((name) => OF_GPUS.test(name) && texts.some((text) => text.includes(baseOf(name)))));
      const forWasm = ofBackend(BACKENDS.wasm).filter((name) => !first.includes(name) && !RELAXED.test(name));
      const limits = [
        ["the JavaScript and WGSL of the first visit", first, LARGEST_KILOBYTES],
        ["the WebAssembly backend", forWasm, LARGEST_WASM_KILOBYTES],
      ] as const;
      for (const [what, all, largest] of limits) {
        const files = [...new Set(all)].filter((name) => /\.(js|wasm)$/.test(name));
        const bytes = files.map((name) => gzipSync(readFileSync(join(dir!, name))).length);
        const kilobytes = bytes.reduce((sum, size) => sum + size, 0) / 1000;
        const said = `${what}: ${kilobytes.toFixed(1)} KB gzipped in ${files.length} files`;
        if (kilobytes > largest) this.error(`${said}, more than ${largest} KB`);
        this.info(`${said}, of at most ${largest} KB`);
      }
    },
  };
}

const baseOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/** Dynamic imports in minified code, and Vite's list of the files that they preload. */
const DYNAMIC = /import\([^)]*\)|\.f=\[[^\]]*\]/g;

/** The files that are loaded with the given ones: those that their text names, except in dynamic imports, and so on. */
function loadedBy(first: readonly string[], names: readonly string[], textOf: (name: string) => string): string[] {
  const found = [...first];
  for (const name of found) {
    if (!/\.(html|js|css)$/.test(name)) continue;
    const text = textOf(name).replaceAll(DYNAMIC, "");
    found.push(...names.filter((other) => !found.includes(other) && text.includes(baseOf(other))));
  }
  return found;
}
