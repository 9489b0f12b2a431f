// `npm run demo:mnist`: puts MNIST's four files beside the demo, into public/mnist, which the development server and the
// next build take from there, and into dist/demo/mnist where the demo is built already. They come from MNIST_DIR, from
// data/mnist, or from the checked download. Git ignores them.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const library = join(root, "dist", "node.js");
if (!existsSync(library)) fail("wgrad is not built yet: run `npm ci` or `npm run build` first");

const { loadMnist } = await import(library);
const cache = join(root, "data", "mnist");
const { kind, source } = await loadMnist({ cacheDirectory: cache }).catch((error) => fail(error.message));
if (kind !== "mnist") fail("there is no MNIST: name a folder that has it in MNIST_DIR");

const folder = process.env.MNIST_DIR || cache;
const names = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];
const files = names.map((name) => [`${name}.gz`, packed(join(folder, name))]);
const built = join(root, "dist", "demo");
for (const page of [join(root, "public"), ...(existsSync(built) ? [built] : [])]) {
  const target = join(page, "mnist");
  mkdirSync(target, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(target, name), bytes);
  writeFileSync(join(target, "files.json"), `${JSON.stringify(files.map(([name]) => name))}\n`);
  console.log(`${source}, copied to ${target}`);
}

function packed(path) {
  return existsSync(`${path}.gz`) ? readFileSync(`${path}.gz`) : gzipSync(readFileSync(path));
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
