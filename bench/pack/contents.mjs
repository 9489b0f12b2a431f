import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { dirname, join } from "node:path";

/**
 * A file of the archive: its source file, or its contents.
 *
 * @typedef {{ name: string, source: string } | { name: string, bytes: Uint8Array }} Entry
 */

/** The Vulkan loader, through which Dawn finds a driver; required. */
const LOADER = "libvulkan.so.1";

/** Libraries that a driver or Node may need: X11 and EGL for NVIDIA's driver, the C++ runtime for Node. */
const HELPFUL_LIBRARIES = [
  "libX11.so.6",
  "libXext.so.6",
  "libxcb.so.1",
  "libXau.so.6",
  "libXdmcp.so.6",
  "libbsd.so.0",
  "libmd.so.0",
  "libEGL.so.1",
  "libGLdispatch.so.0",
  "libstdc++.so.6",
  "libgcc_s.so.1",
];
const LIBRARY_FOLDERS = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib64", "usr/lib"];

const MNIST_FILES = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

/** The scripts that run on the other machine, by their names in the archive. */
const SCRIPTS = {
  "run.sh": "bench/pack/run.sh",
  "bench/pack/run.mjs": "bench/pack/run.mjs",
  "bench/pack/background.mjs": "bench/pack/background.mjs",
  "bench/pack/drivers.mjs": "bench/pack/drivers.mjs",
  "bench/pack/diagnosis.mjs": "bench/pack/diagnosis.mjs",
  "bench/pack/gpt.mjs": "bench/pack/gpt.mjs",
  "bench/pack/mnist98.mjs": "bench/pack/mnist98.mjs",
  "bench/pack/products.mjs": "bench/pack/products.mjs",
  "bench/pack/recipes.mjs": "bench/pack/recipes.mjs",
  "bench/pack/recipes.json": "bench/pack/recipes.json",
  "bench/pack/summary.mjs": "bench/pack/summary.mjs",
  "bench/pack/variants.mjs": "bench/pack/variants.mjs",
  "bench/pack/pytorch_mnist.py": "bench/pack/pytorch_mnist.py",
  "scripts/setup/adapter.mjs": "scripts/setup/adapter.mjs",
  "scripts/setup/probe.mjs": "scripts/setup/probe.mjs",
};

/**
 * Lists everything in the archive.
 *
 * @param {object} from
 * @param {string} from.project the repository, built
 * @param {string} from.node a Node binary for linux-x64
 * @param {string} from.mnist the folder with the four MNIST files, plain or gzipped
 * @param {string} from.system the root folder in which libraries are searched, "/" except in tests
 * @returns {Entry[]}
 * @throws Error for a missing file, with how to get it
 */
export function contentsOf({ project, node, mnist, system }) {
  const packages = join(project, "node_modules");
  return [
    { name: "bin/node", source: node },
    { name: "package.json", source: join(project, "package.json") },
    { name: "LICENSE", source: join(project, "LICENSE") },
    ...Object.entries(SCRIPTS).map(([name, script]) => ({ name, source: join(project, script) })),
    ...builtFiles(join(project, "dist")),
    ...dependencies(project, packages),
    // Only Dawn's files for Linux on x86-64; its index.js imports none of the package's dependencies.
    ...["package.json", "index.js", "LICENSE.md", "dist/linux-x64/dawn.node"].map((name) => ({
      name: `node_modules/webgpu/${name}`,
      source: join(packages, "webgpu", name),
    })),
    ...libraries(system),
    ...MNIST_FILES.map((name) => mnistFile(mnist, name)),
  ];
}

/**
 * Copies or writes a file of the archive.
 *
 * @param {Entry} entry
 * @param {string} top the folder of the archive
 * @returns {string} its path
 */
export function stage(entry, top) {
  const target = join(top, entry.name);
  mkdirSync(dirname(target), { recursive: true });
  if ("bytes" in entry) writeFileSync(target, entry.bytes);
  else copyFileSync(entry.source, target);
  const isProgram = /^(bin\/|run\.sh$)/.test(entry.name);
  chmodSync(target, isProgram ? 0o755 : 0o644);
  return target;
}

function builtFiles(dist) {
  if (!existsSync(join(dist, "cli.js"))) {
    throw new Error(`${dist}: wgrad is not built. Run \`npm run build\` first.`);
  }
  // The folder also contains types, pages and earlier archives.
  return folder(dist, "dist").filter(({ name }) => /^dist\/(chunks\/)?([^/]+\.(js|wasm)|LICENSES\.txt)$/.test(name));
}

/** The files of all direct and indirect dependencies. Dawn is an optional dependency, and listed separately. */
function dependencies(project, packages) {
  const found = new Set();
  const waiting = [project];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const { dependencies: named = {} } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    const more = Object.keys(named).filter((name) => !found.has(name));
    for (const name of more) found.add(name);
    waiting.push(...more.map((name) => join(packages, name)));
  }
  return [...found].flatMap((name) => folder(join(packages, name), `node_modules/${name}`));
}

function libraries(system) {
  const entries = [LOADER, ...HELPFUL_LIBRARIES].flatMap((library) => {
    const source = LIBRARY_FOLDERS.map((place) => join(system, place, library)).find((path) => existsSync(path));
    return source === undefined ? [] : [{ name: `lib/${library}/${library}`, source }];
  });
  if (!entries.some(({ name }) => name.endsWith(LOADER))) {
    throw new Error(
      `${LOADER}, the Vulkan loader, is not on this machine. Run \`npm run setup\`, or install libvulkan1 (Debian, ` +
        "Ubuntu) or vulkan-loader (Fedora).",
    );
  }
  return entries;
}

/** A file of MNIST, uncompressed: the archive compresses it as well as a separate .gz. */
function mnistFile(mnist, name) {
  const plain = join(mnist, name);
  if (existsSync(plain)) return { name: `mnist/${name}`, source: plain };
  if (existsSync(`${plain}.gz`)) return { name: `mnist/${name}`, bytes: gunzipSync(readFileSync(`${plain}.gz`)) };
  throw new Error(`${plain}: neither this file nor its .gz exists. Set MNIST_DIR to the folder of MNIST's files.`);
}

/** @returns {{ name: string, source: string }[]} the files below a folder */
function folder(path, name) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((source) => ({ name: name + source.slice(path.length), source }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
