import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** Tests of whole training runs, packages and thousands of damaged files, which are slow on any machine. */
const SLOW =
  /^(examples|mnist|package|properties|soak)\/|^web\/(digits\/connection|playground\/state)\.|^formats\/(fuzz|onnx)\.|^data\/mnist-source\.|^node\/csv-limits\./;

/** Marks of a test that needs a device, a browser, the built command line or another program. */
const HEAVY =
  /\b(dawnGpu|createNodeBackend|createWebGPUBackend|openDevice|playwright-core|spawn|spawnSync|execFile|execFileSync)\b|from "vite"/;

const heavy = new Map<string, boolean>();

/** Whether a test, or a helper that it imports from the test folder, contains such a mark. */
function isHeavy(file: string): boolean {
  const known = heavy.get(file);
  if (known !== undefined) return known;
  heavy.set(file, false);
  const text = readFileSync(file, "utf8");
  const helpers = [...text.matchAll(/from "(\.[^"]+\.ts)"/g)].map(([, path]) => join(dirname(file), path!));
  const found =
    HEAVY.test(text) || helpers.some((helper) => helper.startsWith(folder) && existsSync(helper) && isHeavy(helper));
  heavy.set(file, found);
  return found;
}

/** The test files that need no GPU, no browser and no build: those of `npm run test:unit` and `npm run test:watch`. */
export function unitFiles(): string[] {
  const files = (readdirSync(folder, { recursive: true }) as string[]).map((name) => name.replaceAll("\\", "/"));
  const unit = files.filter((name) => name.endsWith(".test.ts") && !SLOW.test(name) && !isHeavy(join(folder, name)));
  return unit.map((name) => `test/${name}`);
}
