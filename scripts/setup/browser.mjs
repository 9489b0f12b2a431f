import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The packages of a browser. Ubuntu's installs a snap, which needs snapd to run. */
const PACKAGES = { ubuntu: "chromium-browser", debian: "chromium" };

/** The message of a test without a browser. */
export const NO_BROWSER =
  "No Chrome or Chromium was found for the tests of the demo. Run `npm run setup`, install one, or set CHROME_PATH to its path.";

const COMMANDS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];

const MAC_APPLICATIONS = ["Google Chrome", "Chromium", "Microsoft Edge"];

const WINDOWS_PROGRAMS = ["Google\\Chrome\\Application\\chrome.exe", "Microsoft\\Edge\\Application\\msedge.exe"];

/**
 * Finds a browser for the tests of the demo: the one in CHROME_PATH, or Chrome, Chromium or Edge in the usual places.
 *
 * @param {object} [machine]
 * @param {string} [machine.platform] as `process.platform`
 * @param {Record<string, string | undefined>} [machine.environment]
 * @param {(file: string) => boolean} [machine.runs] whether a file exists and is executable
 * @returns {string | undefined} its path; that of CHROME_PATH is not checked
 */
export function findBrowser({ platform = process.platform, environment = process.env, runs = mayRun } = {}) {
  if (environment.CHROME_PATH) return environment.CHROME_PATH;
  return candidates(platform, environment).find(runs);
}

/** @returns {string[]} */
function candidates(platform, environment) {
  if (platform === "darwin") {
    return ["", environment.HOME ?? ""].flatMap((root) =>
      MAC_APPLICATIONS.map((name) => `${root}/Applications/${name}.app/Contents/MacOS/${name}`),
    );
  }
  if (platform === "win32") {
    const roots = [environment.PROGRAMFILES, environment["PROGRAMFILES(X86)"], environment.LOCALAPPDATA].filter(
      Boolean,
    );
    return roots.flatMap((root) => WINDOWS_PROGRAMS.map((program) => `${root}\\${program}`));
  }
  const folders = (environment.PATH ?? "").split(delimiter).filter(Boolean);
  return COMMANDS.flatMap((command) => folders.map((folder) => join(folder, command)));
}

/** @param {string} file */
function mayRun(file) {
  try {
    accessSync(file, constants.X_OK);
    return existsSync(file);
  } catch {
    return false;
  }
}

/**
 * Decides how to get a browser.
 *
 * @param {object} machine
 * @param {string} machine.platform as `process.platform`
 * @param {string[]} machine.family the distribution and those that it derives from, nearest first
 * @param {boolean} machine.mayInstall whether this process can become root without asking
 * @returns {{ action: "install", package: string } | { action: "instructions", lines: string[] }}
 */
export function chooseBrowserPlan({ platform, family, mayInstall }) {
  const byHand = (...lines) => ({ action: "instructions", lines });
  if (platform !== "linux")
    return byHand("Install Chrome from Google's website, or set CHROME_PATH to the path of a browser.");
  const known = Object.keys(PACKAGES).find((name) => family.includes(name));
  if (known !== undefined && mayInstall) return { action: "install", package: PACKAGES[known] };
  if (known !== undefined) {
    return byHand(
      "Setup has no permission to install packages. Run these commands:",
      "",
      "sudo apt-get update",
      `sudo apt-get install --no-install-recommends ${PACKAGES[known]}`,
    );
  }
  return byHand("Install chromium from your distribution's packages, or set CHROME_PATH to the path of a browser.");
}
