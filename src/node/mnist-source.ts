import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { ClassificationDataset } from "../data/dataset.ts";
import { builtInDigits } from "../data/digits.ts";
import { mnistFromFiles, type NamedBytes } from "../data/mnist.ts";
import { acceptedNames, mnistFiles, type MnistFile } from "../data/mnist-files.ts";
import { DataError, optionName, OptionError } from "../errors.ts";
import { makeFolderOrRefuse, plainReason, readFileOrRefuse, writeFileAtomically } from "./files.ts";

/** Public mirrors of MNIST, tried in this order; a file's name is appended. */
export const mnistMirrors: readonly string[] = [
  "https://storage.googleapis.com/cvdf-datasets/mnist/",
  "https://ossci-datasets.s3.amazonaws.com/mnist/",
  "https://raw.githubusercontent.com/fgnt/mnist/master/",
];

/** SHA-256 of the four official .gz files, in hexadecimal. */
export const mnistChecksums: Readonly<Record<MnistFile, string>> = {
  trainImages: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
  trainLabels: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
  testImages: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
  testLabels: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
};

/** The largest download in bytes; the largest MNIST file has 9.9 MB. */
const largestDownload = 64 * 2 ** 20;

/** Where to look for MNIST and how to fetch it. */
export interface MnistSourceOptions {
  /** A folder with the four files; no other place is tried. */
  directory?: string | undefined;
  /**
   * The folder where downloads are stored and looked up. By default data/mnist in the current folder; data/mnist in
   * wgrad's own folder is then also searched.
   */
  cacheDirectory?: string | undefined;
  /** Environment variables; MNIST_DIR names a folder, like `directory`. By default those of the process. */
  env?: Readonly<Record<string, string | undefined>>;
  /** By default Node's `fetch`. */
  fetch?: typeof globalThis.fetch;
  /** https addresses, tried in order; a file's name is appended. By default `mnistMirrors`; [] disables downloads. */
  mirrors?: readonly string[];
  /** SHA-256 that each downloaded .gz must have; default `mnistChecksums`. */
  checksums?: Readonly<Record<MnistFile, string>>;
  /** Seconds that the download of one file from one mirror may take, in (0, 86400]; default 20. */
  timeoutSeconds?: number;
  /** Receives each message for the user; by default it prints to standard error. */
  log?: (line: string) => void;
}

/** MNIST, or the built-in digits in its place. */
export interface MnistSource {
  readonly train: ClassificationDataset;
  readonly test: ClassificationDataset;
  /** Where the data come from, in words: "MNIST in data/mnist", "built-in digits". */
  readonly source: string;
  readonly kind: "mnist" | "digits";
}

/**
 * Loads MNIST from `directory`, else from the folder in MNIST_DIR, else from data/mnist. If it is in none of them, the
 * missing files are downloaded from a public mirror to data/mnist (about 11 MB). If that fails, a message is logged and the
 * built-in digits are returned. Files in a folder may be any data in MNIST's format; only downloads are checked against the
 * official checksums.
 * @throws DataError for a given folder that lacks a file, and for a damaged file
 * @throws OptionError for a mirror that is not https, and for a timeout outside its range
 */
export async function loadMnist(options: MnistSourceOptions = {}): Promise<MnistSource> {
  const { directory, cacheDirectory, env = process.env, log = (line) => console.error(line) } = options;
  const fetching = checkedFetching(options);
  const named = directory ?? (env["MNIST_DIR"] || undefined);
  if (named !== undefined) return readFolder(named, await filesOfNamedFolder(named));
  const folders = cacheDirectory === undefined ? defaultFolders() : [cacheDirectory];
  for (const folder of folders) {
    const files = await filesIn(folder).catch(() => ({}));
    if (isComplete(files)) return readFolder(folder, files);
  }
  try {
    return await completeFolder(folders[0]!, fetching, log);
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    log(`MNIST could not be downloaded: ${error.what}.`);
    log(
      "Using the built-in digits instead. For MNIST, put its four files into " +
        `${folders[0]!}, or give their folder with ${optionName("directory")} or MNIST_DIR.`,
    );
    return { ...builtInDigits(), source: "built-in digits", kind: "digits" };
  }
}

/** A download that failed, or has the wrong contents. */
class DownloadError extends DataError {}

type Fetching = Required<Pick<MnistSourceOptions, "fetch" | "mirrors" | "checksums" | "timeoutSeconds">>;

function checkedFetching(options: MnistSourceOptions): Fetching {
  const { fetch = globalThis.fetch, mirrors = mnistMirrors, checksums = mnistChecksums, timeoutSeconds = 20 } = options;
  if (!(timeoutSeconds > 0 && timeoutSeconds <= 86_400)) {
    const fix = "Give a number of seconds";
    throw new OptionError({ where: "timeoutSeconds", what: `${String(timeoutSeconds)} is outside (0, 86400]`, fix });
  }
  const insecure = mirrors.find((mirror) => !URL.canParse(mirror) || new URL(mirror).protocol !== "https:");
  if (insecure !== undefined) {
    throw new OptionError({
      where: "mirrors",
      what: `${insecure} is not an https address`,
      fix: "Use addresses that begin with https://",
    });
  }
  return { fetch, mirrors, checksums, timeoutSeconds };
}

/** data/mnist in the current folder and in wgrad's own folder. */
function defaultFolders(): string[] {
  const folders = [join("data", "mnist")];
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, "package.json")) && dirname(root) !== root) root = dirname(root);
  const own = join(root, "data", "mnist");
  return own === resolve(folders[0]!) ? folders : [...folders, own];
}

type MnistPaths = Readonly<Record<MnistFile, string>>;

/** The paths of those of the four files that are in the folder, plain or gzipped. */
async function filesIn(folder: string): Promise<Partial<MnistPaths>> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = new Set(entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name));
  const found: Partial<Record<MnistFile, string>> = {};
  for (const file of mnistFiles) {
    const name = acceptedNames(file).find((accepted) => names.has(accepted));
    if (name !== undefined) found[file] = join(folder, name);
  }
  return found;
}

function isComplete(files: Partial<MnistPaths>): files is MnistPaths {
  return mnistFiles.every((file) => files[file] !== undefined);
}

async function filesOfNamedFolder(folder: string): Promise<MnistPaths> {
  const fix = "Name a folder with the four MNIST files, or none to have them downloaded";
  const files = await filesIn(folder).catch((cause: unknown) => {
    throw new DataError({ where: folder, what: `the folder cannot be read: ${plainReason(cause)}`, fix }, { cause });
  });
  if (isComplete(files)) return files;
  const missing = mnistFiles.filter((file) => files[file] === undefined).map((file) => acceptedNames(file)[0]);
  throw new DataError({ where: folder, what: `the folder lacks ${missing.join(", ")} (with or without .gz)`, fix });
}

async function readFolder(folder: string, files: MnistPaths): Promise<MnistSource> {
  const read = async (file: MnistFile) => ({ name: files[file], bytes: await readFileOrRefuse(files[file]) });
  return { ...(await mnistFromFiles(await forEachFile(read))), source: `MNIST in ${folder}`, kind: "mnist" };
}

/** Calls the function for each file in turn. */
async function forEachFile(give: (file: MnistFile) => Promise<NamedBytes>): Promise<Record<MnistFile, NamedBytes>> {
  const given: Partial<Record<MnistFile, NamedBytes>> = {};
  for (const file of mnistFiles) given[file] = await give(file);
  return given as Record<MnistFile, NamedBytes>;
}

/** Downloads the files that the folder lacks, and stores them once all of them are complete. */
async function completeFolder(folder: string, fetching: Fetching, log: (line: string) => void): Promise<MnistSource> {
  const present: Partial<MnistPaths> = await filesIn(folder).catch(() => ({}));
  // A mirror that failed once is not tried for the other files, so that being offline costs one timeout per mirror.
  const mirrors = [...fetching.mirrors];
  const downloaded: NamedBytes[] = [];
  log(`MNIST is not in ${folder}: downloading it (about 11 MB).`);
  const files = await forEachFile(async (file) => {
    const path = present[file];
    if (path !== undefined) return { name: path, bytes: await readFileOrRefuse(path) };
    const name = acceptedNames(file)[0];
    const bytes = await downloadFromAny(mirrors, name, fetching.checksums[file], fetching);
    downloaded.push({ name: join(folder, name), bytes });
    return downloaded.at(-1)!;
  });
  const data = await mnistFromFiles(files);
  try {
    await makeFolderOrRefuse(folder);
    for (const { name, bytes } of downloaded) await writeFileAtomically(name, bytes);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    log(`The download could not be stored: ${error.message}`);
    return { ...data, source: "MNIST, downloaded", kind: "mnist" };
  }
  return { ...data, source: `MNIST in ${folder}`, kind: "mnist" };
}

/** Tries the mirrors in order, and removes those that fail from the list. */
async function downloadFromAny(
  mirrors: string[],
  name: string,
  checksum: string,
  fetching: Fetching,
): Promise<Uint8Array> {
  const failures: string[] = [];
  while (mirrors.length > 0) {
    const address = `${mirrors[0]!.replace(/\/*$/, "/")}${name}`;
    try {
      return await download(address, checksum, fetching);
    } catch (error) {
      failures.push(`${new URL(address).host}: ${downloadReason(error, fetching.timeoutSeconds)}`);
      mirrors.shift();
    }
  }
  throw new DownloadError({ where: name, what: failures.join("; ") || "no mirror is left" });
}

async function download(address: string, checksum: string, { fetch, timeoutSeconds }: Fetching): Promise<Uint8Array> {
  // A redirect could lead to another host, or away from TLS.
  const response = await fetch(address, { redirect: "error", signal: AbortSignal.timeout(1000 * timeoutSeconds) });
  if (!response.ok || response.body === null) throw new DownloadError({ what: `status ${response.status}` });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > largestDownload) throw new DownloadError({ what: `more than ${largestDownload} bytes` });
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks, length);
  const { createHash } = await import("node:crypto");
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== checksum) throw new DownloadError({ what: `wrong contents: SHA-256 ${found}, expected ${checksum}` });
  return bytes;
}

function downloadReason(error: unknown, timeoutSeconds: number): string {
  if (error instanceof DownloadError) return error.what;
  if (error instanceof Error && error.name === "TimeoutError") return `not finished within ${timeoutSeconds} s`;
  // Node's fetch only reports "fetch failed"; the reason is in the cause.
  if (error instanceof TypeError && error.cause !== undefined) return `no connection: ${plainReason(error.cause)}`;
  return plainReason(error);
}
