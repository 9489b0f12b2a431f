/*
 * Checks that no output replaces an input, and that no two outputs are the same file, under any names or links.
 */
import { fstatSync, lstatSync, readlinkSync, realpathSync, statSync, type BigIntStats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Option } from "commander";
import { OptionError } from "../../errors.ts";
import { inputName, STANDARD_INPUT } from "../../node/csv-file.ts";
import { DeclaredOption } from "./declared-option.ts";

/** A path and the option or argument that names it. */
export interface GivenPath {
  readonly option: string;
  /** "-" is standard input. Undefined if the option was not given; then nothing is checked. */
  readonly path: string | undefined;
}

/** The files and folders of a command. */
export interface CommandPaths {
  readonly inputs: readonly GivenPath[];
  readonly outputs: readonly GivenPath[];
}

/** The paths of the options that are declared to name an input or an output. */
export function optionPaths(options: readonly Option[], values: object): CommandPaths {
  const pathOf = (option: DeclaredOption) =>
    (values as Readonly<Record<string, string | undefined>>)[option.attributeName()];
  const pathsOf = (kind: "input" | "output") =>
    options
      .filter((option) => option instanceof DeclaredOption)
      .filter(({ facts }) => facts.file === kind)
      .map((option) => ({ option: option.flag, path: pathOf(option) }));
  return { inputs: pathsOf("input"), outputs: pathsOf("output") };
}

/**
 * Compares all paths of a command before it does any work. If standard output or standard input is a file, it counts as
 * an output or an input.
 * @throws OptionError with the output and the file that it would replace
 */
export function requireSeparatePaths({ inputs, outputs }: CommandPaths): void {
  const taken = new Map<string, GivenPath>();
  const note = (given: GivenPath, identities: readonly string[]) => {
    for (const identity of identities) taken.set(identity, given);
  };
  for (const given of inputs) if (given.path !== undefined) note(given, identitiesOf(given.path));
  const standardOutput = identitiesOfDescriptor(1);
  for (const { option, path, identities } of [
    { option: "standard output", path: undefined, identities: standardOutput },
    ...outputs.map((given) => ({ ...given, identities: given.path === undefined ? [] : identitiesOf(given.path) })),
  ]) {
    const other = identities.map((identity) => taken.get(identity)).find((found) => found !== undefined);
    if (other) throw sameFile({ option, path }, other, inputs.includes(other));
    note({ option, path }, identities);
  }
}

function sameFile({ option, path }: GivenPath, other: GivenPath, isInput: boolean): OptionError {
  const name = path === undefined ? "it" : path;
  const otherName = other.path === undefined ? other.option : `${inputName(other.path)} (${other.option})`;
  const what = `${name} is the same file as ${otherName}, which is ${isInput ? "an input" : "also an output"}`;
  return new OptionError({ where: option, what, fix: "Give another path" });
}

/** Keys of a file: two paths share a key if and only if they lead to the same file. Devices such as /dev/null have none. */
function identitiesOf(path: string): string[] {
  if (path === STANDARD_INPUT) return identitiesOfDescriptor(0);
  const target = followed(resolve(path));
  const found = statOf(target);
  return found ? identitiesOfStats(found) : [futureIdentity(target)];
}

const identitiesOfStats = (stats: BigIntStats): string[] =>
  stats.isFile() || stats.isDirectory() ? [`${stats.dev}:${stats.ino}`] : [];

function identitiesOfDescriptor(descriptor: number): string[] {
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    return stats.isFile() ? identitiesOfStats(stats) : [];
  } catch {
    return [];
  }
}

/** The stats of a path; undefined if it does not exist or cannot be followed, which opening the file then reports. */
function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/** Resolves links, including links to files that do not exist yet: opening such a link creates the file there. */
function followed(path: string, links = 0): string {
  try {
    return realpathSync(path);
  } catch {
    return isLink(path) && links < 40 ? followed(resolve(dirname(path), readlinkSync(path)), links + 1) : path;
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** The key of a file that does not exist yet: its nearest existing folder, and the rest of the path as that folder compares names. */
function futureIdentity(path: string): string {
  let folder = dirname(path);
  let rest = basename(path);
  while (!statOf(folder) && dirname(folder) !== folder) {
    rest = join(basename(folder), rest);
    folder = dirname(folder);
  }
  const found = statOf(folder);
  const name = ignoresCase(folder) ? rest.normalize("NFC").toLowerCase() : rest;
  return `${found?.dev}:${found?.ino}/${name}`;
}

/** Whether the file system of a folder ignores case, tested with the folder's own name. */
function ignoresCase(folder: string): boolean {
  const name = basename(folder);
  const swapped = name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase();
  if (swapped === name) return process.platform === "win32" || process.platform === "darwin";
  const [one, other] = [statOf(folder), statOf(join(dirname(folder), swapped))];
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}
