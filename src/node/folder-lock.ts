/*
 * A lock that lets only one process at a time write to a folder. The lock is a file that names the process. A killed
 * process leaves its lock behind, so a lock contains enough to tell whether its process still runs.
 */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { DataError, optionName, OptionError } from "../errors.ts";
import { makeFolderOrRefuse, plainReason } from "./files.ts";

const LOCK = "run.lock";

/** The process that holds a lock. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When the process started, in ISO 8601, for messages. */
  readonly started: string;
  /** When the process started, as the system reports it; it distinguishes processes that reuse the same pid. */
  readonly startMark: string;
  /** An id of the system's current boot. */
  readonly boot: string;
  /** The PID namespace: processes of another container are invisible. */
  readonly processSpace: string;
}

/** The start time of a process, as the system reports it; empty if it does not, or if there is no such process. */
function startMarkOf(pid: number): string {
  try {
    if (process.platform === "linux") {
      // After the name in parentheses, which may contain anything, come the state and 19 fields later the start time.
      const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
      return state === "Z" ? "" : fields[18]!;
    }
    if (process.platform === "win32") return "";
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "";
  }
}

/** Reads something that only Linux has; empty on other systems. */
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

/** Whether a process runs on this host. EPERM means that it runs as another user. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether the process of a lock runs: "unknown" on another host, or in another container. */
function stateOf(holder: Holder | undefined, self: Holder): "running" | "dead" | "unknown" {
  if (!holder || holder.host !== self.host) return "unknown";
  if (holder.boot !== self.boot) return "dead";
  if (holder.processSpace !== self.processSpace) return "unknown";
  return isRunning(holder.pid) && startMarkOf(holder.pid) === holder.startMark ? "running" : "dead";
}

/** Parses a lock. @returns undefined for an invalid text, such as a partially written lock */
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

/** How often to retry while another process writes or takes over a lock, which takes milliseconds. */
const MOST_TRIES = 25;

const RETRY_MILLISECONDS = 20;

/** The signals that end a process, on which it must release its lock. */
const ENDING_SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** A lock of a folder, which one process can hold at a time. */
export class FolderLock {
  readonly #folder: string;
  readonly #path: string;
  readonly #takeOver: boolean;
  readonly #self = thisProcess();
  readonly #text = `${JSON.stringify(this.#self)}\n`;
  #isHeld = false;
  readonly #release = (): void => this.release();
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    // If there is another listener, the process continues for a while.
    if (process.listenerCount(signal) > 1) return;
    this.release();
    process.kill(process.pid, signal);
  };

  /** @param takeOver whether to take over a lock if it is unknown whether its process runs, such as on another host */
  constructor(folder: string, takeOver: boolean) {
    this.#folder = folder;
    this.#path = join(folder, LOCK);
    this.#takeOver = takeOver;
  }

  /**
   * Acquires the lock, or checks that it is still held. Creates the folder if needed. A lock of a dead process is replaced.
   * The lock is released by `release`, and when the process exits or a signal ends it.
   * @throws OptionError with the process that holds the lock
   * @throws DataError with the path and the reason if the lock cannot be written
   */
  async hold(): Promise<void> {
    await makeFolderOrRefuse(this.#folder);
    for (let tries = 1; ; tries++) {
      const found = this.#create(this.#path);
      if (found === undefined || (this.#isHeld && found === this.#text)) break;
      const holder = holderIn(found);
      // A lock is empty for a moment before its text is written.
      if (holder || tries > MOST_TRIES) {
        if (!this.#givesWay(holder)) throw this.#refusal(holder);
        this.#remove(found, tries > MOST_TRIES);
      }
      await setTimeout(RETRY_MILLISECONDS);
    }
    if (!this.#isHeld) this.#listen(true);
    this.#isHeld = true;
  }

  /** Releases the lock, unless another process has taken it over. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#listen(false);
    try {
      if (readFileSync(this.#path, "utf8") === this.#text) rmSync(this.#path);
    } catch {
      // The folder is gone, or the lock cannot be removed; the next process will see that this one is dead.
    }
  }

  /** Creates a lock file. @returns the text of the existing lock; undefined if the file was created */
  #create(path: string): string | undefined {
    try {
      const file = openSync(path, "wx");
      try {
        writeFileSync(file, this.#text);
      } catch (cause) {
        rmSync(path);
        throw cause;
      } finally {
        closeSync(file);
      }
      return undefined;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw this.#unwritable(cause);
    }
    try {
      return readFileSync(path, "utf8");
    } catch (cause) {
      // The lock was released in between.
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return this.#create(path);
      throw this.#unwritable(cause);
    }
  }

  #unwritable(cause: unknown): DataError {
    const what = `the lock of the folder cannot be written: ${plainReason(cause)}`;
    return new DataError({ where: this.#path, what, fix: "Choose another folder" }, { cause });
  }

  /** Whether a lock may be removed: its process is dead, or unknown and the user asked to take over the lock. */
  #givesWay(holder: Holder | undefined): boolean {
    const state = stateOf(holder, this.#self);
    // A lock that another process has taken over from this one is not taken back.
    return state === "dead" || (state === "unknown" && this.#takeOver && !this.#isHeld);
  }

  #refusal(holder: Holder | undefined): OptionError {
    const who = holder
      ? `process ${holder.pid} on host ${JSON.stringify(holder.host)}, started at ${holder.started},`
      : `an unknown process, not named in ${LOCK},`;
    const waits = stateOf(holder, this.#self) === "running";
    const fix = waits
      ? "Wait until it ends"
      : `If it no longer runs, take over the lock with ${optionName("takeOver")}`;
    return new OptionError({
      where: this.#folder,
      what: `${who} is training in this folder`,
      fix: `${fix}, or choose another folder`,
    });
  }

  /**
   * Removes the lock that was read. A process must first create the claim file: otherwise two processes that found the same
   * dead process could each remove the other's new lock. Does nothing if another process has the claim.
   * @throws OptionError with the process that has the claim, if this is the last try
   */
  #remove(text: string, isLast: boolean): void {
    const claim = `${this.#path}.claim`;
    const found = this.#create(claim);
    try {
      if (found === undefined) {
        if (readFileSync(this.#path, "utf8") === text) rmSync(this.#path);
      } else {
        const holder = holderIn(found);
        // The process with the claim died before it could remove the claim.
        if (this.#givesWay(holder) && (holder || isLast)) rmSync(claim, { force: true });
        else if (isLast) throw this.#refusal(holder);
      }
    } catch (cause) {
      if (cause instanceof OptionError) throw cause;
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw this.#unwritable(cause);
    } finally {
      if (found === undefined) rmSync(claim, { force: true });
    }
  }

  #listen(isOn: boolean): void {
    const change = isOn ? "on" : "off";
    process[change]("exit", this.#release);
    for (const signal of ENDING_SIGNALS) process[change](signal, this.#onSignal);
  }
}
