// `npm run pack:bench`: creates an archive with everything needed to benchmark wgrad on a machine with a GPU. There, run:
// tar xf wgrad-bench.tar.gz && wgrad-bench/run.sh

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { contentsOf, stage } from "./pack/contents.mjs";

const MOST_BYTES = 60e6;
const NAME = "wgrad-bench";
const PROJECT = fileURLToPath(new URL("..", import.meta.url));

/** `tar xf` unpacks both; the second is smaller, and takes a minute longer to create. */
const PACKINGS = [
  { ending: "tar.gz", option: "--gzip" },
  { ending: "tar.xz", option: "--xz" },
];

/** The libraries that Node from nodejs.org links to. A distribution's Node may link to more, and not run elsewhere. */
const NODE_LIBRARIES = /linux-vdso|ld-linux|lib(dl|m|c|rt|pthread|stdc\+\+|gcc_s|atomic)\.so/;

try {
  const { file, bytes } = pack();
  console.log(`${file}: ${megabytes(bytes)}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

function pack() {
  requirePortableNode();
  const mnist = process.env.MNIST_DIR || join(PROJECT, "data", "mnist");
  const entries = contentsOf({ project: PROJECT, node: process.execPath, mnist, system: "/" });
  const scratch = mkdtempSync(join(tmpdir(), `${NAME}-`));
  try {
    const sizes = entries.map((entry) => ({ name: entry.name, bytes: stageStripped(entry, join(scratch, NAME)) }));
    for (const packing of PACKINGS) {
      const packed = compress(scratch, packing);
      if (packed.bytes <= MOST_BYTES) return keep(packed.file, packing);
      console.log(`${packing.ending}: ${megabytes(packed.bytes)}, too large`);
    }
    const largest = sizes.toSorted((one, other) => other.bytes - one.bytes).slice(0, 5);
    throw new Error(
      [
        `The archive would be larger than ${megabytes(MOST_BYTES)}. Its largest files, unpacked:`,
        ...largest.map(({ name, bytes }) => `  ${megabytes(bytes).padStart(9)}  ${name}`),
        "Another version of Node may be smaller: version 20 fits.",
      ].join("\n"),
    );
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** @throws Error if this Node would not run on another Linux machine */
function requirePortableNode() {
  const { platform, arch, execPath } = process;
  if (platform !== "linux" || arch !== "x64") {
    const here = `this is ${platform}-${arch}`;
    throw new Error(
      `The archive contains Node and libraries for Linux on x86-64, but ${here}. Create it on Linux on x86-64.`,
    );
  }
  const linked = spawnSync("ldd", [execPath], { encoding: "utf8" }).stdout.split("\n");
  const foreign = linked.filter((line) => line.includes(".so") && !NODE_LIBRARIES.test(line));
  if (foreign.length > 0) {
    const what = `${execPath} needs libraries that another machine may lack:`;
    throw new Error([what, ...foreign, "Run this with Node from nodejs.org."].join("\n"));
  }
}

/** Stages a file of the archive without debug symbols. @returns {number} its size in bytes */
function stageStripped(entry, folder) {
  const target = stage(entry, folder);
  // Debug symbols are an eighth of Node and a fifth of Dawn. Without binutils, they stay.
  if (/^bin\/|\.node$/.test(entry.name)) spawnSync("strip", ["--strip-unneeded", target]);
  return statSync(target).size;
}

/** @throws Error with tar's message */
function compress(scratch, { ending, option }) {
  const file = join(scratch, `${NAME}.${ending}`);
  const options = ["--create", option, "--sort=name", "--owner=0", "--group=0", "--numeric-owner"];
  const places = ["--file", file, "--directory", scratch, NAME];
  const { status, stderr } = spawnSync("tar", [...options, ...places], { encoding: "utf8" });
  if (status !== 0) throw new Error(`tar could not create ${file}: ${stderr.trim()}`);
  return { file, bytes: statSync(file).size };
}

/** Moves the archive to dist, which git ignores, because MNIST must not be added to the repository. */
function keep(packed, { ending }) {
  for (const packing of PACKINGS) rmSync(join(PROJECT, "dist", `${NAME}.${packing.ending}`), { force: true });
  const file = join("dist", `${NAME}.${ending}`);
  const target = join(PROJECT, file);
  copyFileSync(packed, `${target}.partial`);
  renameSync(`${target}.partial`, target);
  return { file, bytes: statSync(target).size };
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
