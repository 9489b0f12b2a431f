import { spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const COMMANDS = ["firefox", "firefox-esr", "firefox-nightly"];

/** WebGPU is off by default in some versions for Linux, and software adapters are on Firefox's list of blocked ones. */
const PREFERENCES = {
  "dom.webgpu.enabled": true,
  "gfx.webgpu.ignore-blocklist": true,
  "app.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
};

/** The path of Firefox: that in FIREFOX_PATH, or the first in PATH. @throws Error with how to get one */
function findFirefox(): string {
  const given = process.env["FIREFOX_PATH"];
  if (given) return given;
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  const found = COMMANDS.flatMap((command) => folders.map((folder) => join(folder, command))).find(mayRun);
  if (found !== undefined) return found;
  throw new Error("No Firefox was found. Install one (Debian: apt-get install firefox-esr), or set FIREFOX_PATH.");
}

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A running Firefox without a window, with a profile of its own. */
export interface Firefox {
  /** Resolves with the reason when it ends. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

/** Opens a page in a new Firefox. @throws Error if none is installed */
export function openFirefox(address: string): Firefox {
  const program = findFirefox();
  const profile = mkdtempSync(join(tmpdir(), "wgrad-firefox-"));
  const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${value});`);
  writeFileSync(join(profile, "user.js"), lines.join("\n"));
  // Firefox refuses to run as root in the home of another user.
  const env = { ...process.env, HOME: profile };
  const options = ["--headless", "--no-remote", "--profile", profile, address];
  const child = spawn(program, options, { env, stdio: "ignore" });
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(`Firefox ended by ${signal ?? `code ${code}`}`));
  });
  return { ended, close: () => close(child, profile, ended) };
}

async function close(child: ChildProcess, profile: string, ended: Promise<string>): Promise<void> {
  child.kill();
  await ended;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
