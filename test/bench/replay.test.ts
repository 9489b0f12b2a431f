import { afterEach, expect, test, vi } from "vitest";
import { quickly, Replay, settingsFor, thorough } from "../../src/bench/replay.ts";

afterEach(() => void vi.restoreAllMocks());

test("short steps warm up for the whole time, in runs of at most 256 steps", async () => {
  const counts: number[] = [];
  // By this clock, each run takes a millisecond, whatever else the machine does.
  let milliseconds = 0;
  vi.spyOn(performance, "now").mockImplementation(() => milliseconds);
  const executable = {
    dispatches: [],
    run: async (_first: number, count: number) => {
      counts.push(count);
      milliseconds++;
      return {};
    },
    read: () => Promise.reject(new Error("nothing is read")),
  };
  await new Replay(executable, { ...quickly, warmUpSeconds: 0.05 }).warmUp();
  expect(counts).toHaveLength(50);
  expect(counts.slice(0, 9)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
  expect(new Set(counts.slice(8))).toEqual(new Set([256]));
});

test("hardware warms up for half a second, software adapters as the settings say", () => {
  expect(settingsFor(quickly, { software: false })).toEqual({ ...quickly, warmUpSeconds: 0.5 });
  expect(settingsFor(thorough, { software: false }).warmUpSeconds).toBe(0.5);
  expect(settingsFor(quickly, { software: true })).toEqual(quickly);
});
