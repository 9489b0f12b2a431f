import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { tmpdir } from "node:os";
import { builtLibrary, builtTypes } from "../builds.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder with the files that `npm pack` packs. */
export interface Staged {
  readonly folder: string;
  remove(): void;
}

/**
 * Makes a folder with the built package, to which a test may write.
 * @param parent where to create the folder; below the checkout, the package finds its dependencies
 */
export async function stagePackage(parent = tmpdir()): Promise<Staged> {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "wgrad-package-"));
  cpSync(await builtLibrary(), join(folder, "dist"), { recursive: true });
  cpSync(await builtTypes(), join(folder, "dist", "types"), { recursive: true });
  for (const name of topFiles) copyFileSync(join(root, name), join(folder, name));
  cpSync(join(root, "docs"), join(folder, "docs"), {
    recursive: true,
    filter: (path) => !/\/docs\/(api|reference)$/.test(path),
  });
  execFileSync(process.execPath, [join(root, "scripts", "prune-types.mjs"), folder]);
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** Files at the top of the checkout that the package may contain; `files` in package.json chooses from these and docs. */
const topFiles = ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "wgrad.schema.json"];

/** Packs a staged package; in the checkout, npm would build it first. */
export function pack({ folder }: Staged): string {
  const [packed] = JSON.parse(npm(folder, "pack", "--ignore-scripts", "--json")) as [{ filename: string }];
  return join(folder, packed.filename);
}

/** The paths of the files that npm packs. */
export function packedFiles({ folder }: Staged): string[] {
  const [{ files }] = JSON.parse(npm(folder, "pack", "--dry-run", "--ignore-scripts", "--json")) as [
    { files: { path: string }[] },
  ];
  return files.map(({ path }) => path);
}

/**
 * Creates a project and installs packages into it, as a user would.
 * @param packages names, versions or tarballs, and options of `npm install`
 */
export function createProject(files: Readonly<Record<string, string>>, ...packages: string[]): Staged {
  const folder = mkdtempSync(join(tmpdir(), "wgrad-project-"));
  writeFiles(folder, { "package.json": JSON.stringify({ private: true, type: "module" }), ...files });
  npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", ...packages);
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** Runs npm. @returns its output */
export function npm(cwd: string, ...args: string[]): string {
  return execFileSync("npm", args, {
    cwd,
    encoding: "utf8",
    shell: process.platform === "win32",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Checks a project with the checkout's TypeScript, including the types of packages. @returns the errors */
export function complaintsOfTypes(cwd: string, ...args: string[]): string {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  try {
    return execFileSync(
      process.execPath,
      [tsc, "--ignoreConfig", "--noEmit", "--strict", "--target", "es2023", ...args],
      { cwd, encoding: "utf8" },
    );
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
