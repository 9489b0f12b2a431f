/*
 * A folder that one process at a time works in. Its lock is a file that names the process. A process that was killed
 * leaves it behind, so each lock says enough to tell whether its process still runs.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, linkSync, openSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DataError, OptionError } from "../errors.ts";
import { makeFolderOrRefuse, plainReason } from "./files.ts";

const LOCK = "run.lock";

/** The process that holds a lock. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When the process started, for a reader. */
  readonly started: string;
  /** When the process started, as its system tells it: another process that got the same number has another one. */
  readonly startMark: string;
  /** Changes with each start of the system. */
  readonly boot: string;
  /** Processes of another container are not seen from here. */
  readonly processSpace: string;
}

/** What the system tells of the moment when a process started; empty where it does not tell, or no such process runs. */
function startMarkOf(pid: number): string {
  try {
    if (process.platform === "linux") {
      // After the name in parentheses, which may hold anything, come the state and, as the twentieth field, the start time.
      const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
      return state === "Z" ? "" : fields[18]!;
    }
    if (process.platform === "win32") return "";
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}

/** The result of reading something that only Linux has; empty elsewhere. */
function onLinux(read: () => string): string {
  try {
    return process.platform === "linux" ? read().trim() : "";
  } catch {
    return "";
  }
}

function thisProcess(): Holder {
  return {
    host: hostname(),
    pid: process.pid,
    started: new Date(Date.now() - 1000 * process.uptime()).toISOString().slice(0, 19).concat("Z"),
    startMark: startMarkOf(process.pid),
    boot: onLinux(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1")),
    processSpace: onLinux(() => readlinkSync("/proc/self/ns/pid")),
  };
}

/** Whether a process of this host runs. One of another user does, too, though it may not be signalled. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether the process of a lock runs: "unknown" on another host, or in another container of this one. */
function stateOf(holder: Holder | undefined, self: Holder): "running" | "dead" | "unknown" {
  if (!holder || holder.host !== self.host) return "unknown";
  if (holder.boot !== self.boot) return "dead";
  if (holder.processSpace !== self.processSpace) return "unknown";
  return isRunning(holder.pid) && startMarkOf(holder.pid) === holder.startMark ? "running" : "dead";
}

/** @returns undefined for a text that is no lock, such as one that was not written to its end */
function holderIn(text: string): Holder | undefined {
  try {
    const { host, pid, started, startMark, boot, processSpace } = JSON.parse(text) as Holder;
    const texts = [host, started, startMark, boot, processSpace];
    if (!Number.isSafeInteger(pid) || pid < 1 || texts.some((value) => typeof value !== "string")) return undefined;
    return { host, pid, started, startMark, boot, processSpace };
  } catch {
    return undefined;
  }
}

/** The signals that end a process, after which it must not leave its lock behind. */
const ENDING_SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** The right to write into a folder, which one process has at a time. */
export class FolderLock {
  readonly #folder: string;
  readonly #path: string;
  readonly #takeOver: boolean;
  readonly #self = thisProcess();
  readonly #text = `${JSON.stringify(this.#self)}\n`;
  #isHeld = false;
  readonly #release = (): void => this.release();
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    // Another listener means that the process goes on for a while.
    if (process.listenerCount(signal) > 1) return;
    this.release();
    process.kill(process.pid, signal);
  };

  /** @param takeOver whether a lock whose process cannot be asked about, such as one of another host, gives way */
  constructor(folder: string, takeOver: boolean) {
    this.#folder = folder;
    this.#path = join(folder, LOCK);
    this.#takeOver = takeOver;
  }

  /**
   * Takes the lock, or makes sure that it is still held. The folder is made where there is none. A lock whose process
   * is dead gives way. It is released by `release`, and where the process exits or a signal ends it.
   * @throws OptionError naming the process that holds it
   * @throws DataError with the path and the reason where it cannot be written
   */
  async hold(): Promise<void> {
    await makeFolderOrRefuse(this.#folder);
    for (;;) {
      const found = this.#create();
      if (found === undefined || (this.#isHeld && found === this.#text)) break;
      this.#requireRemovable(holderIn(found));
      this.#remove(found);
    }
    if (!this.#isHeld) this.#listen(true);
    this.#isHeld = true;
  }

  /** Gives the lock back. One that another process has taken over stays. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#listen(false);
    try {
      if (readFileSync(this.#path, "utf8") === this.#text) rmSync(this.#path);
    } catch {
      // The folder is gone, or the lock cannot be removed; the next process finds that this one is dead.
    }
  }

  /** @returns the text of the lock that is there; undefined where this one was made */
  #create(): string | undefined {
    try {
      const file = openSync(this.#path, "wx");
      try {
        writeFileSync(file, this.#text);
      } catch (cause) {
        rmSync(this.#path);
        throw cause;
      } finally {
        closeSync(file);
      }
      return undefined;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw this.#unwritable(cause);
    }
    try {
      return readFileSync(this.#path, "utf8");
    } catch (cause) {
      // It was given back in between.
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return this.#create();
      throw this.#unwritable(cause);
    }
  }

  #unwritable(cause: unknown): DataError {
    const what = `the lock of the folder cannot be written: ${plainReason(cause)}`;
    return new DataError({ where: this.#path, what, fix: "Choose a folder that you may write to" }, { cause });
  }

  /** @throws OptionError naming the process that holds the lock, unless it gives way */
  #requireRemovable(holder: Holder | undefined): void {
    const state = stateOf(holder, this.#self);
    // What was taken over from this process stays with the other one.
    if (state === "dead" || (state === "unknown" && this.#takeOver && !this.#isHeld)) return;
    const who = holder ? `process ${holder.pid} on host ${JSON.stringify(holder.host)}, started at ${holder.started},` : `a process that ${LOCK} does not name`;
    const what = `${who} trains in this folder`;
    const others = "choose another folder for --checkpoint";
    const fix = state === "running" ? `Wait until it ends, or ${others}` : `If it no longer runs, add --take-over; else ${others}`;
    throw new OptionError({ where: this.#folder, what, fix });
  }

  /** Removes the lock that was read, and no other that was made in between. */
  #remove(text: string): void {
    const aside = `${this.#path}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      renameSync(this.#path, aside);
      if (readFileSync(aside, "utf8") !== text) linkSync(aside, this.#path);
      rmSync(aside);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw this.#unwritable(cause);
    }
  }

  #listen(isOn: boolean): void {
    const change = isOn ? "on" : "off";
    process[change]("exit", this.#release);
    for (const signal of ENDING_SIGNALS) process[change](signal, this.#onSignal);
  }
}
