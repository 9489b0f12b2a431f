/*
 * An output never replaces an input, and no two outputs are the same file, by whatever names or links.
 */
import { fstatSync, lstatSync, readlinkSync, realpathSync, statSync, type BigIntStats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Option } from "commander";
import { OptionError } from "../../errors.ts";
import { inputName, STANDARD_INPUT } from "../../node/csv-file.ts";
import { DeclaredOption } from "./declared-option.ts";

/** A path that a command was given, and the option or argument that gave it. */
export interface GivenPath {
  readonly option: string;
  /** "-" is standard input; nothing is checked where the option was not given. */
  readonly path: string | undefined;
}

/** The files and folders of a command. */
export interface CommandPaths {
  readonly inputs: readonly GivenPath[];
  readonly outputs: readonly GivenPath[];
}

/** The files that options are declared to name, with the paths that they were given. */
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
 * Compares all paths of a command, before any work is done for it. Standard output counts as an output, and standard
 * input as an input, where it is a file.
 * @throws OptionError naming the output and what it would replace
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
  const named = path === undefined ? "it" : path;
  const otherName = other.path === undefined ? other.option : `${inputName(other.path)} (${other.option})`;
  const what = `${named} is the same file as ${otherName}, which is ${isInput ? "read" : "written too"}`;
  return new OptionError({ where: option, what, fix: "Give it a name of its own" });
}

/** Texts of which two paths share one exactly where they lead to one file. Devices such as /dev/null are no files. */
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

/** Nothing for a path that leads nowhere or may not be followed: opening the file says why. */
function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/** Where links lead, also one to a file that is not there yet: a file opened by such a link is made there. */
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

/** Of a file that is not there yet: the nearest folder that is, and the rest of the path as that folder compares names. */
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

/** Whether a folder takes names in capital and small letters for the same, as its own name shows. */
function ignoresCase(folder: string): boolean {
  const name = basename(folder);
  const swapped = name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase();
  if (swapped === name) return process.platform === "win32" || process.platform === "darwin";
  const [one, other] = [statOf(folder), statOf(join(dirname(folder), swapped))];
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}
