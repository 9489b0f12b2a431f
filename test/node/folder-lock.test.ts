import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DataError, OptionError } from "../../src/errors.ts";
import { FolderLock } from "../../src/node/folder-lock.ts";
import { temporaryFolder } from "../cli/built-cli.ts";

describe("the lock of a folder", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let path: string;
  let lock: FolderLock;
  const file = () => join(path, "run.lock");
  const read = () => JSON.parse(readFileSync(file(), "utf8")) as Record<string, string | number>;
  /** Leaves a lock of this process with some changes, and tries to acquire it. */
  async function hold(changes: object | string, { takeOver = false } = {}): Promise<unknown> {
    lock.release();
    rmSync(file(), { force: true });
    const own = new FolderLock(path, false);
    await own.hold();
    const left = read();
    own.release();
    writeFileSync(file(), typeof changes === "string" ? changes : JSON.stringify({ ...left, ...changes }));
    lock = new FolderLock(path, takeOver);
    return lock.hold().then(
      () => "held",
      (error: unknown) => error,
    );
  }
  beforeEach(() => {
    folder = temporaryFolder();
    path = join(folder.path, "new");
    lock = new FolderLock(path, false);
  });
  afterEach(() => {
    lock.release();
    folder.remove();
  });

  test("names host, process and start time, can be held again only by its holder, and is removed on release", async () => {
    await lock.hold();
    await lock.hold();
    expect(read()).toMatchObject({
      host: expect.stringMatching(/./),
      pid: process.pid,
      started: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/),
    });
    const other = new FolderLock(path, true);
    await expect(other.hold()).rejects.toThrow(OptionError);
    await expect(other.hold()).rejects.toThrow(
      new RegExp(`process ${process.pid} on host .* is training in this folder\\. Wait until it ends`),
    );
    other.release();
    expect(existsSync(file())).toBe(true);
    lock.release();
    expect(readdirSync(path)).toEqual([]);
    await expect(other.hold()).resolves.toBeUndefined();
    other.release();
  });

  test("is replaced if its process is dead: by pid, start time or boot id", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    expect(await hold({ pid })).toBe("held");
    expect(await hold({ startMark: "1" })).toBe("held");
    expect(await hold({ boot: "another boot" })).toBe("held");
    expect(read()["pid"]).toBe(process.pid);
    expect(readdirSync(path)).toEqual(["run.lock"]);
  });

  test("a claim keeps other processes from taking it over, and is replaced if its process died", async () => {
    await lock.hold();
    const claim = (changes: object) => writeFileSync(`${file()}.claim`, JSON.stringify({ ...read(), ...changes }));
    claim({ startMark: "1" });
    expect(await hold({ startMark: "2" })).toBe("held");
    expect(readdirSync(path)).toEqual(["run.lock"]);
    claim({ host: "elsewhere" });
    expect(String(await hold({ startMark: "2" }))).toMatch(/on host "elsewhere".*take over the lock with takeOver/);
    expect(read()["startMark"]).toBe("2");
    expect(await hold({ startMark: "2" }, { takeOver: true })).toBe("held");
    expect(readdirSync(path)).toEqual(["run.lock"]);
  });

  test.each([
    [
      "of another host",
      { host: "elsewhere" },
      /process \d+ on host "elsewhere", started at .*, is training in this folder\. If it no longer runs, take over the lock with takeOver, or choose another folder\./,
    ],
    ["of another container", { processSpace: "pid:[1]" }, /If it no longer runs, take over the lock with takeOver/],
    ["that is partially written", '{"host":', /an unknown process, not named in run\.lock, is training in this folder/],
    ["of another format", "[]", /an unknown process, not named in run\.lock/],
    ["with an invalid pid", { pid: -1 }, /an unknown process, not named in run\.lock/],
  ])("%s is refused, and can be taken over", async (_, changes, message) => {
    const refusal = await hold(changes);
    expect(refusal).toBeInstanceOf(OptionError);
    expect(String(refusal)).toMatch(message);
    expect(await hold(changes, { takeOver: true })).toBe("held");
  });

  test("that another process took over is neither taken back nor removed", async () => {
    lock = new FolderLock(path, true);
    await lock.hold();
    writeFileSync(file(), JSON.stringify({ ...read(), host: "elsewhere" }));
    await expect(lock.hold()).rejects.toThrow(/on host "elsewhere"/);
    lock.release();
    expect(read()["host"]).toBe("elsewhere");
  });

  test("is created again if the folder was removed; a file in place of the folder is refused", async () => {
    await lock.hold();
    rmSync(path, { recursive: true });
    await lock.hold();
    expect(read()["pid"]).toBe(process.pid);
    rmSync(path, { recursive: true });
    writeFileSync(path, "mine");
    await expect(lock.hold()).rejects.toThrow(DataError);
    rmSync(path);
    mkdirSync(join(path, "run.lock"), { recursive: true });
    await expect(lock.hold()).rejects.toThrow(/run\.lock: the lock of the folder cannot be written: it is a folder/);
  });
});
