/*
 * The data sets of the Digits tab.
 */
import type { NamedBytes } from "../../../data/mnist.ts";
import { acceptedNames, mnistFiles, type MnistFile } from "../../../data/mnist-files.ts";
import { builtInDigits, DataError, type ClassificationDataset } from "../../../index.ts";
import type { DigitsSettings } from "../settings.ts";

export interface DigitsData {
  /** The name on the page. */
  readonly name: string;
  readonly train: ClassificationDataset;
  readonly test: ClassificationDataset;
  /** Whether MNIST was requested but is missing. */
  readonly mnistMissing: boolean;
}

/** Generated in about a third of a second on a slow core, and enough to reach an accuracy of 96 %. */
const BUILT_IN = { train: 5000, test: 500 };

/** The shape of the images that the page draws and shows. */
const SHAPE = [28, 28];

/** MNIST's folder beside the page. Its files.json lists the files that exist, so that no request fails. */
const FOLDER = "mnist/";

/** Whether all of MNIST's files are beside the page at an address. */
export async function hasMnist(base: string): Promise<boolean> {
  return filesIn(await listed(new URL(FOLDER, base))) !== undefined;
}

/** The name of each of MNIST's files in a list; undefined if one is missing. */
function filesIn(names: readonly unknown[]): readonly (readonly [MnistFile, string])[] | undefined {
  const found = mnistFiles.map((file) => [file, acceptedNames(file).find((name) => names.includes(name))] as const);
  return found.every((entry): entry is [MnistFile, string] => entry[1] !== undefined) ? found : undefined;
}

/**
 * Loads MNIST from the folder beside the page, or generates the built-in digits.
 * @param base the page's address
 * @throws DataError if MNIST's files are damaged
 */
export async function loadData(choice: DigitsSettings["data"], base: string): Promise<DigitsData> {
  const folder = new URL(FOLDER, base);
  const files = choice === "digits" ? undefined : filesIn(await listed(folder));
  if (files) {
    try {
      const entries = await Promise.all(
        files.map(async ([file, name]) => [file, await fetched(folder, name)] as const),
      );
      const { mnistFromFiles } = await import("../../../data/mnist.ts");
      const { train, test } = await mnistFromFiles(Object.fromEntries(entries) as Record<MnistFile, NamedBytes>);
      if (train.shape.join() !== SHAPE.join()) {
        const [found, wanted] = [train.shape.join("×"), SHAPE.join("×")];
        throw new DataError({
          where: "mnist/",
          what: `the images are ${found} pixels`,
          fix: `Use images of ${wanted} pixels`,
        });
      }
      return { name: "MNIST", train, test, mnistMissing: false };
    } catch (error) {
      // fetch throws a TypeError if there is no network.
      if (!(error instanceof TypeError)) throw error;
    }
  }
  return { name: "built-in digits", ...builtInDigits(BUILT_IN), mnistMissing: choice === "mnist" };
}

/** The names in the folder's list; none if it cannot be loaded. */
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
      what: `the server answered with status ${response.status}`,
      fix: "Reload the page, or choose the built-in digits",
    });
  }
  return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
}
