/*
 * What the Digits tab learns from.
 */
import { acceptedNames, mnistFiles, mnistFromFiles, type MnistFile, type NamedBytes } from "../../../data/mnist.ts";
import { builtInDigits, DataError, type Dataset } from "../../../index.ts";
import type { DigitsSettings } from "../settings.ts";

export interface DigitsData {
  /** What to call it on the page. */
  readonly name: string;
  readonly train: Dataset;
  readonly test: Dataset;
}

/** Few enough to be drawn in about a third of a second on a slow core, enough to learn 96 % from. */
const BUILT_IN = { train: 5000, test: 500 };

/** What the pad draws and the pictures show. */
const SHAPE = [28, 28];

/** Beside the page; the list names the files that are there, so that no request fails. */
const FOLDER = "mnist/";

/**
 * MNIST from beside the page, or the built-in digits.
 * @param base the page's address
 * @throws DataError where MNIST is asked for and not there, or its files are damaged
 */
export async function loadData(choice: DigitsSettings["data"], base: string): Promise<DigitsData> {
  const folder = new URL(FOLDER, base);
  const names = choice === "digits" ? [] : await listed(folder);
  const nameOf = (file: MnistFile) => acceptedNames(file).find((name) => names.includes(name));
  if (mnistFiles.every((file) => nameOf(file) !== undefined)) {
    try {
      const entries = await Promise.all(mnistFiles.map(async (file) => [file, await fetched(folder, nameOf(file)!)] as const));
      const { train, test } = await mnistFromFiles(Object.fromEntries(entries) as Record<MnistFile, NamedBytes>);
      if (train.shape.join() !== SHAPE.join()) {
        const [found, wanted] = [train.shape.join("×"), SHAPE.join("×")];
        throw new DataError({ where: "mnist/", what: `pictures of ${found}`, fix: `This page takes those of ${wanted} only` });
      }
      return { name: "MNIST", train, test };
    } catch (error) {
      // fetch fails so without a network.
      if (choice === "mnist" || !(error instanceof TypeError)) throw error;
    }
  }
  if (choice === "mnist") {
    const fix = "Run `npm run demo:mnist` where this page is served from, or choose the built-in digits";
    throw new DataError({ where: "mnist/", what: "MNIST does not lie beside this page", fix });
  }
  return { name: "built-in digits", ...builtInDigits(BUILT_IN) };
}

/** The names that the folder's list has; none where it cannot be had. */
async function listed(folder: URL): Promise<readonly unknown[]> {
  try {
    const response = await fetch(new URL("files.json", folder));
    const names: unknown = response.ok ? await response.json() : [];
    return Array.isArray(names) ? names : [];
  } catch {
    return [];
  }
}

async function fetched(folder: URL, name: string): Promise<NamedBytes> {
  const response = await fetch(new URL(name, folder));
  if (!response.ok) {
    throw new DataError({ where: `mnist/${name}`, what: `status ${response.status}`, fix: "Run `npm run demo:mnist` again" });
  }
  return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
}
