import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { acceptedNames, mnistFiles, type MnistFile } from "../../src/data/mnist-files.ts";
import { DataError, OptionError } from "../../src/errors.ts";
import { loadMnist, mnistChecksums, mnistMirrors, type MnistSourceOptions } from "../../src/node/mnist-source.ts";
import { smallMnist, writeIdx } from "./idx-files.ts";

let root: string;
let cacheDirectory: string;
let lines: string[];
let asked: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "wgrad-mnist-"));
  cacheDirectory = join(root, "data", "mnist");
  lines = [];
  asked = [];
});
afterEach(() => rm(root, { recursive: true }));

/** Loads without anything from this machine: no environment variables, no cache, no network. */
function load(options: MnistSourceOptions) {
  const log = (line: string) => void lines.push(line);
  return loadMnist({ cacheDirectory, env: {}, fetch: offline, log, ...options });
}

const offline: typeof fetch = (address) => {
  asked.push(String(address));
  return Promise.reject(new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND host") }));
};

/** The contents of a mirror: the small set, compressed. */
const packed = Object.fromEntries(
  Object.entries(smallMnist()).map(([file, { name, bytes }]) => [file, name.endsWith(".gz") ? bytes : gzipSync(bytes)]),
) as Record<MnistFile, Uint8Array>;
const checksums = Object.fromEntries(
  Object.entries(packed).map(([file, bytes]) => [file, createHash("sha256").update(bytes).digest("hex")]),
) as Record<MnistFile, string>;
const packedNames = mnistFiles.map((file) => acceptedNames(file)[0]);
const mirrors = ["https://first.example/mnist/", "https://second.example/mnist"];

/** Mirrors by host. Each returns a compressed file's response or does something else. */
function network(hosts: Record<string, (bytes: Uint8Array, signal: AbortSignal) => Promise<Response>>): typeof fetch {
  return (address, init) => {
    asked.push(String(address));
    const url = new URL(String(address));
    const file = mnistFiles.find((candidate) => url.pathname === `/mnist/${acceptedNames(candidate)[0]}`);
    if (file === undefined) return Promise.resolve(new Response("not found", { status: 404 }));
    return hosts[url.host]!(packed[file], init!.signal!);
  };
}
const gives = (bytes: Uint8Array) => Promise.resolve(new Response(Buffer.from(bytes)));

/** Writes the small set with its first test label changed, to tell the folders apart. */
async function fillFolder(folder: string, firstTestLabel: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const { name, bytes } of Object.values(smallMnist())) await writeFile(join(folder, name), bytes);
  await writeFile(join(folder, "t10k-labels-idx1-ubyte.gz"), gzipSync(writeIdx([4], [firstTestLabel, 2, 1, 0])));
  return folder;
}

test("prefers the directory to MNIST_DIR and that to the cache, and uses the network for none of them", async () => {
  const directory = await fillFolder(join(root, "named"), 3);
  const env = { MNIST_DIR: await fillFolder(join(root, "variable"), 4) };
  await fillFolder(cacheDirectory, 5);
  const unset = { MNIST_DIR: "" };
  const found = [await load({ directory, env }), await load({ env }), await load({}), await load({ env: unset })];
  expect(found.map(({ test: held }) => held.labels[0])).toEqual([3, 4, 5, 5]);
  expect(found.map(({ source }) => source)).toEqual([
    `MNIST in ${directory}`,
    `MNIST in ${env.MNIST_DIR}`,
    `MNIST in ${cacheDirectory}`,
    `MNIST in ${cacheDirectory}`,
  ]);
  expect(found.map(({ kind }) => kind)).toEqual(["mnist", "mnist", "mnist", "mnist"]);
  expect(asked).toEqual([]);
  expect(lines).toEqual([]);
});

test.each(["directory", "MNIST_DIR"])(
  "%s without one of the files is an error; no other place is searched",
  async (how) => {
    await fillFolder(cacheDirectory, 5);
    const folder = await fillFolder(join(root, "named"), 3);
    await rm(join(folder, "train-labels-idx1-ubyte"));
    await rm(join(folder, "t10k-labels-idx1-ubyte.gz"));
    // Some decompressors create a folder with the name of a file.
    await mkdir(join(folder, "train-labels-idx1-ubyte"));
    const options = how === "directory" ? { directory: folder } : { env: { MNIST_DIR: folder } };
    const error: unknown = await load(options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject({
      where: folder,
      what: "the folder lacks train-labels-idx1-ubyte.gz, t10k-labels-idx1-ubyte.gz (with or without .gz)",
    });
    expect(asked).toEqual([]);
  },
);

test("a given folder that does not exist is an error", async () => {
  const error: unknown = await load({ directory: join(root, "nowhere") }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DataError);
  expect(error).toMatchObject({ where: join(root, "nowhere") });
  expect(String(error)).toContain("no such file or folder");
});

test("a damaged file in the cache is an error that names it", async () => {
  await fillFolder(cacheDirectory, 5);
  await writeFile(join(cacheDirectory, "t10k-images-idx3-ubyte"), "damaged");
  await expect(load({})).rejects.toThrow(join(cacheDirectory, "t10k-images-idx3-ubyte"));
});

test("loads MNIST if the machine's MNIST_DIR is set, else a small set", async () => {
  const real = process.env["MNIST_DIR"];
  const env = { MNIST_DIR: real || (await fillFolder(join(root, "small"), 7)) };
  const expected = real
    ? { train: [60_000, 28, 28], test: [10_000, 28, 28], firstTestLabels: [7, 2, 1, 0, 4, 1, 4, 9, 5, 9] }
    : { train: [6, 3, 2], test: [4, 3, 2], firstTestLabels: [7, 2, 1, 0] };
  const { train, test: held, kind } = await load({ env });
  expect(kind).toBe("mnist");
  expect({
    train: [train.count, ...train.shape],
    test: [held.count, ...held.shape],
    firstTestLabels: [...held.labels.subarray(0, 10)],
  }).toEqual(expected);
});

describe("downloading", () => {
  test("contacts mirrors only by TLS, and follows no redirects to other protocols", async () => {
    expect(mnistMirrors.every((mirror) => mirror.startsWith("https://"))).toBe(true);
    const redirects: unknown[] = [];
    const giving = network({ "first.example": gives });
    await load({
      mirrors,
      checksums,
      fetch: (address, init) => {
        redirects.push(init?.redirect);
        return giving(address, init);
      },
    });
    expect(redirects).toEqual(["error", "error", "error", "error"]);
  });

  test("stores the four files, so that the next call needs no network", async () => {
    const first = await load({ mirrors, checksums, fetch: network({ "first.example": gives }) });
    expect(first).toMatchObject({ kind: "mnist", source: `MNIST in ${cacheDirectory}` });
    expect([...first.test.labels]).toEqual([7, 2, 1, 0]);
    expect(asked).toEqual(packedNames.map((name) => `https://first.example/mnist/${name}`));
    expect((await readdir(cacheDirectory)).sort()).toEqual([...packedNames].sort());
    for (const file of mnistFiles) {
      expect(Buffer.compare(await readFile(join(cacheDirectory, acceptedNames(file)[0])), packed[file])).toBe(0);
    }
    asked = [];
    expect([...(await load({})).train.labels]).toEqual([5, 0, 4, 1, 9, 2]);
    expect(asked).toEqual([]);
  });

  test("downloads only the missing files", async () => {
    await fillFolder(cacheDirectory, 5);
    await rm(join(cacheDirectory, "train-images-idx3-ubyte.gz"));
    const { test: held } = await load({ mirrors, checksums, fetch: network({ "first.example": gives }) });
    expect(asked).toEqual(["https://first.example/mnist/train-images-idx3-ubyte.gz"]);
    expect(held.labels[0]).toBe(5);
  });

  test.each<[string, (bytes: Uint8Array, signal: AbortSignal) => Promise<Response>, number | undefined]>([
    ["has the wrong contents", (bytes) => gives(Uint8Array.from([...bytes.subarray(0, -1), 1])), undefined],
    ["answers 404", () => Promise.resolve(new Response("gone", { status: 404 })), undefined],
    ["never answers", (_, signal) => hang(signal), 0.05],
    ["stops within the body", (bytes, signal) => Promise.resolve(stalling(bytes, signal)), 0.05],
    ["never stops sending", () => Promise.resolve(endless()), undefined],
  ])("goes to the next mirror if one %s, and does not ask that one again", async (_, first, timeoutSeconds) => {
    const fetch = network({ "first.example": first, "second.example": gives });
    const options = timeoutSeconds === undefined ? {} : { timeoutSeconds };
    const { kind } = await load({ mirrors, checksums, fetch, ...options });
    expect(kind).toBe("mnist");
    expect(asked).toEqual([
      `https://first.example/mnist/${packedNames[0]}`,
      ...packedNames.map((name) => `https://second.example/mnist/${name}`),
    ]);
    expect((await readdir(cacheDirectory)).sort()).toEqual([...packedNames].sort());
  });

  test("without a network returns the built-in digits, says so, and stores nothing", async () => {
    const { train, kind, source } = await load({ mirrors });
    expect({ kind, source, count: train.count }).toEqual({ kind: "digits", source: "built-in digits", count: 10_000 });
    expect(asked.length).toBe(2);
    expect(lines).toEqual([
      `MNIST is not in ${cacheDirectory}: downloading it (about 11 MB).`,
      "MNIST could not be downloaded: first.example: no connection: getaddrinfo ENOTFOUND host; " +
        "second.example: no connection: getaddrinfo ENOTFOUND host.",
      `Using the built-in digits instead. For MNIST, put its four files into ${cacheDirectory}, ` +
        "or give their folder with directory or MNIST_DIR.",
    ]);
    expect(await readdir(root)).toEqual([]);
  });

  test("that fails at the third file stores nothing", async () => {
    const fetch = network({
      "first.example": (bytes, signal) => (bytes === packed.testImages ? hang(signal) : gives(bytes)),
    });
    const { kind } = await load({ mirrors: mirrors.slice(0, 1), checksums, fetch, timeoutSeconds: 0.05 });
    expect(kind).toBe("digits");
    expect(asked.length).toBe(3);
    expect(lines[1]).toContain("first.example: not finished within 0.05 s");
    expect(await readdir(root)).toEqual([]);
  });

  test("that cannot be stored is used nevertheless", async () => {
    await writeFile(join(root, "data"), "a file where the folder should be");
    const { kind, source } = await load({ mirrors, checksums, fetch: network({ "first.example": gives }) });
    expect({ kind, source }).toEqual({ kind: "mnist", source: "MNIST, downloaded" });
    expect(lines[1]).toContain("could not be stored");
  });

  test("a body that is too large is reported as such", async () => {
    await load({ mirrors: mirrors.slice(0, 1), fetch: network({ "first.example": () => Promise.resolve(endless()) }) });
    expect(lines[1]).toContain("first.example: more than 67108864 bytes");
  });

  test("is checked by the official checksums and uses only https", async () => {
    await load({ mirrors: mirrors.slice(0, 1), fetch: network({ "first.example": gives }) });
    expect(lines[1]).toContain(`expected ${mnistChecksums.trainImages}`);
    expect(mnistMirrors.every((mirror) => mirror.startsWith("https://"))).toBe(true);
    await expect(load({ mirrors: ["http://first.example/"] })).rejects.toThrow(OptionError);
    await expect(load({ timeoutSeconds: 0 })).rejects.toThrow(OptionError);
  });
});

/** A request that fails only when it is aborted. */
function hang(signal: AbortSignal): Promise<Response> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
}

/** A body that stalls until it is aborted, like that of a real `fetch`. */
function stalling(bytes: Uint8Array, signal: AbortSignal): Response {
  return new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(Uint8Array.from(bytes.subarray(0, 20)));
        signal.addEventListener("abort", () => controller.error(signal.reason));
      },
    }),
  );
}

function endless(): Response {
  const megabyte = new Uint8Array(2 ** 20);
  return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(megabyte) }));
}
