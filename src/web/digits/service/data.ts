/*
 * What the Digits tab learns from.
 */
import { acceptedNames, mnistFiles, mnistFromFiles, type MnistFile, type NamedBytes } from "../../../data/mnist.ts";
import { builtInDigits, DataError, type ClassificationDataset } from "../../../index.ts";
import type { DigitsSettings } from "../settings.ts";

export interface DigitsData {
  /** What to call it on the page. */
  readonly name: string;
  readonly train: ClassificationDataset;
  readonly test: ClassificationDataset;
  /** Whether MNIST was asked for and is not there. */
  readonly mnistMissing: boolean;
}

/** Few enough to be drawn in about a third of a second on a slow core, enough to learn 96 % from. */
const BUILT_IN = { train: 5000, test: 500 };

/** What the pad draws and the pictures show. */
const SHAPE = [28, 28];

/** Beside the page; the list names the files that are there, so that no request fails. */
const FOLDER = "mnist/";

/** Whether all of MNIST's files are beside the page at an address. */
export async function hasMnist(base: string): Promise<boolean> {
  return filesIn(await listed(new URL(FOLDER, base))) !== undefined;
}

/** The name of each of MNIST's files in a list; undefined where one of them is not there. */
function filesIn(names: readonly unknown[]): readonly (readonly [MnistFile, string])[] | undefined {
  const found = mnistFiles.map((file) => [file, acceptedNames(file).find((name) => names.includes(name))] as const);
  return found.every((entry): entry is [MnistFile, string] => entry[1] !== undefined) ? found : undefined;
}

/**
 * MNIST from beside the page, or the built-in digits.
 * @param base the page's address
 * @throws DataError where MNIST's files are damaged
 */
export async function loadData(choice: DigitsSettings["data"], base: string): Promise<DigitsData> {
  const folder = new URL(FOLDER, base);
  const files = choice === "digits" ? undefined : filesIn(await listed(folder));
  if (files) {
    try {
      const entries = await Promise.all(
        files.map(async ([file, name]) => [file, await fetched(folder, name)] as const),
      );
      const { train, test } = await mnistFromFiles(Object.fromEntries(entries) as Record<MnistFile, NamedBytes>);
      if (train.shape.join() !== SHAPE.join()) {
        const [found, wanted] = [train.shape.join("×"), SHAPE.join("×")];
        throw new DataError({
          where: "mnist/",
          what: `pictures of ${found}`,
          fix: `This page takes those of ${wanted} only`,
        });
      }
      return { name: "MNIST", train, test, mnistMissing: false };
    } catch (error) {
      // fetch fails so without a network.
      if (!(error instanceof TypeError)) throw error;
    }
  }
  return { name: "built-in digits", ...builtInDigits(BUILT_IN), mnistMissing: choice === "mnist" };
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
    throw new DataError({
      where: `mnist/${name}`,
      what: `status ${response.status}`,
      fix: "Reload the page, or choose the built-in digits",
    });
  }
  return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
}
