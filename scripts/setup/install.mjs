import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatSource, parseDeb822Sources, parseSourcesList } from "./apt-sources.mjs";
import { PACKAGES } from "./plan.mjs";

/** @typedef {import("./apt-sources.mjs").AptSource} AptSource */
/** @typedef {import("./plan.mjs").InstallPlan} InstallPlan */

const APT_FOLDER = "/etc/apt";

/** Waits for another apt, such as the unattended upgrades of a machine that has just started. */
const WAIT_FOR_LOCK = ["-o", "DPkg::Lock::Timeout=120"];

/**
 * The prefix that runs a command as root: empty for root, `sudo -n` if sudo needs no password.
 *
 * @returns {string[] | undefined} undefined if this process cannot become root
 */
export function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return spawnSync("sudo", ["-n", "true"]).status === 0 ? ["sudo", "-n"] : undefined;
}

/**
 * Reads the machine's apt sources in both formats.
 *
 * @returns {AptSource[]}
 */
export function readAptSources() {
  const parts = join(APT_FOLDER, "sources.list.d");
  const files = [join(APT_FOLDER, "sources.list"), ...readFolder(parts).map((name) => join(parts, name))];
  return files.flatMap((file) => {
    if (file.endsWith(".sources")) return parseDeb822Sources(readIfThere(file));
    return file.endsWith(".list") ? parseSourcesList(readIfThere(file)) : [];
  });
}

/**
 * Installs the packages of a plan.
 *
 * @param {InstallPlan} plan
 * @param {string[]} prefix the prefix that runs a command as root
 * @returns {string | undefined} apt's error messages; undefined on success
 */
export function install(plan, prefix) {
  if (plan.from === "distribution") return installPackages(PACKAGES, prefix);
  const folder = temporaryAptFolder(plan);
  try {
    return updateAndInstall(
      prefix,
      [
        ["Dir::Etc::sourcelist", "/dev/null"],
        ["Dir::Etc::sourceparts", join(folder, "sources")],
        ["Dir::State::lists", join(folder, "lists")],
      ].flatMap(([name, value]) => ["-o", `${name}=${value}`]),
      ["-t", plan.suite, ...PACKAGES],
    );
  } finally {
    run([...prefix, "rm", "-rf", folder]);
  }
}

/**
 * Installs packages from the machine's own sources.
 *
 * @param {string[]} packages
 * @param {string[]} prefix the prefix that runs a command as root
 * @returns {string | undefined} apt's error messages; undefined on success
 */
export function installPackages(packages, prefix) {
  return updateAndInstall(prefix, [], packages);
}

/** Creates a folder with sources and package lists for this run, so that the machine's own stay unchanged. */
function temporaryAptFolder({ archive, backports }) {
  const folder = mkdtempSync(join(tmpdir(), "wgrad-setup-"));
  // apt downloads as the user _apt, which must be able to read this folder.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "lists"));
  mkdirSync(join(folder, "sources"));
  const sources = backports === undefined ? archive : [...archive, backports];
  writeFileSync(join(folder, "sources", "debian.sources"), sources.map(formatSource).join("\n"));
  return folder;
}

/** Updates and installs. Only a failure of the installation counts, because some unrelated source may be unreachable. */
function updateAndInstall(prefix, aptOptions, toInstall) {
  const environment = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"];
  const apt = [...prefix, ...environment, "apt-get", ...WAIT_FOR_LOCK, ...aptOptions];
  const updated = run([...apt, "update"]);
  const installed = run([...apt, "install", "-y", "--no-install-recommends", ...toInstall]);
  return installed.status === 0 ? undefined : `${updated.stderr}${installed.stderr}`.trim();
}

function run([command, ...commandArguments]) {
  return spawnSync(command, commandArguments, { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
}

function readFolder(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * @param {string} file
 * @returns {string} empty if it cannot be read
 */
export function readIfThere(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
