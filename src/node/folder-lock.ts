/*
 * A folder that one process at a time works in. Its lock is a file that names the process. A process that was killed
 * leaves it behind, so each lock says enough to tell whether its process still runs.
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
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
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

/** How often a lock is looked at that another process is making or taking over, which takes it milliseconds. */
const MOST_TRIES = 25;

const RETRY_MILLISECONDS = 20;

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
      // It was given back in between.
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return this.#create(path);
      throw this.#unwritable(cause);
    }
  }

  #unwritable(cause: unknown): DataError {
    const what = `the lock of the folder cannot be written: ${plainReason(cause)}`;
    return new DataError({ where: this.#path, what, fix: "Choose a folder that you may write to" }, { cause });
  }

  /** Whether a lock may be removed: its process is dead, or the user says so of one that cannot be seen from here. */
  #givesWay(holder: Holder | undefined): boolean {
    const state = stateOf(holder, this.#self);
    // What another process has taken over from this one stays with it.
    return state === "dead" || (state === "unknown" && this.#takeOver && !this.#isHeld);
  }

  #refusal(holder: Holder | undefined): OptionError {
    const who = holder
      ? `process ${holder.pid} on host ${JSON.stringify(holder.host)}, started at ${holder.started},`
      : `a process that ${LOCK} does not name`;
    const waits = stateOf(holder, this.#self) === "running";
    const fix = waits
      ? "Wait until it ends"
      : `If it no longer runs, take the lock over with ${optionName("takeOver")}`;
    return new OptionError({
      where: this.#folder,
      what: `${who} trains in this folder`,
      fix: `${fix}, or choose another folder`,
    });
  }

  /**
   * Removes the lock that was read. Only who made the claim may do that, one process at a time; else two that found the
   * same dead process could each remove the other's new lock. Does nothing where another process has the claim.
   * @throws OptionError naming the process that has the claim, where this is the last try
   */
  #remove(text: string, isLast: boolean): void {
    const claim = `${this.#path}.claim`;
    const found = this.#create(claim);
    try {
      if (found === undefined) {
        if (readFileSync(this.#path, "utf8") === text) rmSync(this.#path);
      } else {
        const holder = holderIn(found);
        // Its process ended within the moment that this takes.
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
