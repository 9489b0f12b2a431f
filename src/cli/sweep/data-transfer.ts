/*
 * The data of a sweep on their way to the workers: the one who starts it stores the files on the server, and a worker
 * that lacks them takes them from there once.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { sha256 } from "../../cluster/messages.ts";
import type { ObjectBucket } from "../../cluster/objects.ts";
import {
  dataSetBytes,
  MOST_DATA_SET_BYTES,
  readDataSet,
  type DataFile,
  type DataSet,
} from "../../cluster/sweeps/data-set.ts";
import type { DataReference } from "../../cluster/sweeps/trial.ts";
import { DataError, OptionError } from "../../errors.ts";
import { plainReason } from "../../node/files.ts";
import { readFileOrRefuse } from "../../node/index.ts";
import { mnistPaths } from "../options/data-options.ts";
import type { TrainFlags } from "../options/train-options.ts";

/** The options that name files or folders with data, or the model that runs start from. */
export const DATA_OPTIONS = ["data", "images", "labels", "csv", "text", "init"] as const;

type DataOption = (typeof DATA_OPTIONS)[number];

/** Files, and the folder that their paths begin with. */
interface FoundFiles {
  readonly kind: DataSet["kind"];
  readonly folder: string;
  readonly paths: readonly string[];
}

/**
 * Stores the data that the options select, unless the server has them.
 * @throws DataError for files that cannot be read; OptionError if there are no files
 */
export async function uploadData(flags: TrainFlags, bucket: ObjectBucket): Promise<DataReference[]> {
  const references: DataReference[] = [];
  for (const option of DATA_OPTIONS) {
    const found = await filesOf(option, flags);
    if (found) references.push(await uploadFiles(option, found, bucket));
  }
  return references;
}

async function filesOf(option: DataOption, flags: TrainFlags): Promise<FoundFiles | undefined> {
  if (option === "data") return mnistFiles(flags);
  const path = flags[option];
  if (path === undefined) return undefined;
  const found = await stat(path).catch((cause: unknown) => {
    const what = `cannot be read: ${plainReason(cause)}`;
    throw new DataError({ where: path, what, fix: "Check the path and its permissions" }, { cause });
  });
  if (!found.isDirectory()) return { kind: "file", folder: dirname(path), paths: [path] };
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && !entry.name.startsWith("."));
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return { kind: "folder", folder: path, paths };
}

/** The files of MNIST, which are the data without other ones. */
async function mnistFiles(flags: TrainFlags): Promise<FoundFiles | undefined> {
  const isMnist = (["images", "csv", "text"] as const).every((option) => flags[option] === undefined);
  if (!isMnist) return undefined;
  const candidates = mnistPaths(flags).map(({ path }) => path!);
  const exist = await Promise.all(
    candidates.map((path) =>
      stat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  const paths = candidates.filter((_, index) => exist[index]);
  if (paths.length > 0) return { kind: "folder", folder: dirname(paths[0]!), paths };
  throw new OptionError({
    where: "--nats",
    what: `workers get the data from this machine, and there is no MNIST in ${dirname(candidates[0]!)}`,
    fix: "Give the folder of its files with --data, or other data",
  });
}

async function uploadFiles(
  option: DataOption,
  { kind, folder, paths }: FoundFiles,
  bucket: ObjectBucket,
): Promise<DataReference> {
  const files: DataFile[] = [];
  for (const path of paths) {
    const bytes = await readFileOrRefuse(path);
    const digest = await sha256(bytes);
    if (!(await bucket.has(digest))) await bucket.put(digest, bytes);
    const name = kind === "file" ? basename(path) : relative(folder, path).split(sep).join("/");
    files.push({ path: name, digest, bytes: bytes.length });
  }
  const list = dataSetBytes({ kind, files });
  const digest = await sha256(list);
  if (!(await bucket.has(digest))) await bucket.put(digest, list);
  return { option, digest, bytes: list.length };
}

/** Data sets that a worker keeps, each in a folder that is named by its digest. */
export class DataCache {
  readonly #folder: string;
  readonly #bucket: ObjectBucket;

  constructor(folder: string, bucket: ObjectBucket) {
    [this.#folder, this.#bucket] = [folder, bucket];
  }

  /**
   * The path of a data set on this machine. It is taken from the server if it is not there.
   * @throws MessageError if the server does not have it, or has other contents; DataError if it cannot be written
   */
  async pathOf({ digest, bytes }: DataReference): Promise<string> {
    if (bytes > MOST_DATA_SET_BYTES) throw new DataError({ where: `data ${digest}`, what: "the list is too long" });
    const set = readDataSet(await this.#bucket.get({ object: digest, digest, bytes }));
    const folder = join(this.#folder, digest);
    if (!(await stat(folder).catch(() => undefined))) await this.#take(set, folder);
    return set.kind === "file" ? join(folder, set.files[0]!.path) : folder;
  }

  /** Writes the files to a temporary folder, which is then renamed: a folder with the digest's name is complete. */
  async #take({ files }: DataSet, folder: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const temporary = `${folder}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      for (const { path, digest, bytes } of files) {
        const contents = await this.#bucket.get({ object: digest, digest, bytes });
        await mkdir(dirname(join(temporary, path)), { recursive: true });
        await writeFile(join(temporary, path), contents, { flag: "wx" });
      }
      await rename(temporary, folder).catch(async (error: unknown) => {
        // Another worker of this machine was faster.
        if (!(await stat(folder).catch(() => undefined))) throw error;
      });
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
}
