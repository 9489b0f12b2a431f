/*
 * What the demo's build does besides bundling: a service worker that keeps the page's own files, a list of the MNIST
 * files beside the page, and a limit on the page's size.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/**
 * The most that the page's JavaScript, with the shaders in it, may be when packed by gzip. The page loads any model, so it
 * holds all layers and the kernels of all ops: those of convolutional networks took it from 146 to 165 kB, a trainer that
 * takes any model and stream of data to 180 kB, and the layers of sequences to 190 kB. To get below 150 kB again, they must
 * be loaded when they are needed.
 */
const LARGEST_KILOBYTES = 195;

/** The same for what it loads beside that for the WebAssembly backend: JavaScript and kernels. */
const LARGEST_WASM_KILOBYTES = 40;

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
  return [mnistList(), isolation(), serviceWorker(), sizeLimit()];
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

/** The static files of the page that the repository holds: its icon and manifest. */
const staticFiles = () =>
  readdirSync(PUBLIC, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();

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
          .filter((name) => name !== MNIST_LIST)
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

/** A chunk with the WebAssembly backend, and its kernels: loaded only if the backend is chosen. */
const OF_WASM = /^assets\/wasm-.*\.js$|\.wasm$/;

/** The chunks of what is loaded when it is opened: the Convolution tab, its service in the worker, and a view. */
const OF_TABS = /^assets\/(tab|service|runs)-.*\.js$/;

/** Their limit. */
const LARGEST_TABS_KILOBYTES = 15;

/** Prints the size of what the demo's page loads, and fails the build where it is too large. */
function sizeLimit(): Plugin {
  return {
    name: "wgrad-size-limit",
    apply: "build",
    writeBundle({ dir }, bundle) {
      // The service worker names all files, those of the other page too.
      const names = Object.keys(bundle).filter((name) => name !== "service-worker.js");
      const textOf = (name: string) => readFileSync(join(dir!, name), "utf8");
      const loadedFrom = (among: readonly string[]) =>
        reachable("index.html", among, textOf).filter((name) => /\.(js|wasm)$/.test(name));
      const always = loadedFrom(names.filter((name) => !OF_WASM.test(name) && !OF_TABS.test(name)));
      const tabs = loadedFrom(names).filter((name) => OF_TABS.test(name));
      const chosen = loadedFrom(names).filter((name) => !always.includes(name) && !tabs.includes(name));
      if (chosen.length === 0) this.error("no chunk of the WebAssembly backend was found by its name");
      const limits = [
        ["the demo's JavaScript and WGSL", always, LARGEST_KILOBYTES],
        ["its WebAssembly backend", chosen, LARGEST_WASM_KILOBYTES],
        ["its tabs and views that are loaded when they are opened", tabs, LARGEST_TABS_KILOBYTES],
      ] as const;
      for (const [what, files, largest] of limits) {
        const bytes = files.map((name) => gzipSync(readFileSync(join(dir!, name))).length);
        const kilobytes = bytes.reduce((sum, size) => sum + size, 0) / 1000;
        const said = `${what}: ${kilobytes.toFixed(1)} KB gzipped in ${files.length} files`;
        if (kilobytes > largest) this.error(`${said}, more than ${largest} KB`);
        this.info(`${said}, of at most ${largest} KB`);
      }
    },
  };
}

/** The files whose names occur in the first one, in those, and so on. */
function reachable(first: string, names: readonly string[], textOf: (name: string) => string): string[] {
  const found = [first];
  for (const name of found) {
    if (!/\.(html|js|css)$/.test(name)) continue;
    const text = textOf(name);
    const base = (other: string) => other.slice(other.lastIndexOf("/") + 1);
    found.push(...names.filter((other) => !found.includes(other) && text.includes(base(other))));
  }
  return found;
}
