import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The package of the server in Debian, Ubuntu and their derivatives. */
export const NATS_PACKAGE = "nats-server";

/** The message of a test without a server. */
export const NO_NATS_SERVER =
  "No nats-server was found for the tests of sweeps over NATS. Run `npm run setup`, install it, or set NATS_SERVER_PATH to its path.";

/** What the package does besides. */
const SERVICE_NOTE =
  "With systemd, the package also starts a server; the tests start their own. To stop it:\n  sudo systemctl disable --now nats-server";

/** Folders that are not always in PATH. Debian installs the server in the first. */
const FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/**
 * Finds a server for the tests: the one in NATS_SERVER_PATH, or nats-server in PATH or in the usual folders.
 *
 * @param {object} [machine]
 * @param {Record<string, string | undefined>} [machine.environment]
 * @param {(file: string) => boolean} [machine.runs] whether a file exists and is executable
 * @returns {string | undefined} its path; that of NATS_SERVER_PATH is not checked
 */
export function findNatsServer({ environment = process.env, runs = mayRun } = {}) {
  if (environment.NATS_SERVER_PATH) return environment.NATS_SERVER_PATH;
  const folders = [...(environment.PATH ?? "").split(delimiter).filter(Boolean), ...FOLDERS];
  return folders.map((folder) => join(folder, "nats-server")).find(runs);
}

/** @param {string} file */
function mayRun(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Decides how to get a server.
 *
 * @param {object} machine
 * @param {string[]} machine.family the distribution and those that it derives from, nearest first
 * @param {boolean} machine.mayInstall whether this process can become root without asking
 * @returns {{ action: "install", package: string, note: string } | { action: "instructions", lines: string[] }}
 */
export function chooseNatsPlan({ family, mayInstall }) {
  const hasPackage = ["debian", "ubuntu"].some((name) => family.includes(name));
  if (hasPackage && mayInstall) return { action: "install", package: NATS_PACKAGE, note: SERVICE_NOTE };
  const lines = hasPackage
    ? [
        "Setup has no permission to install packages. Run these commands:",
        "",
        "sudo apt-get update",
        `sudo apt-get install --no-install-recommends ${NATS_PACKAGE}`,
      ]
    : ["Install nats-server 2.9 or newer (https://nats.io/download), or set", "NATS_SERVER_PATH to its path."];
  return { action: "instructions", lines };
}
