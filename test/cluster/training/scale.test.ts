import { Command } from "commander";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { benchCommand } from "../../../src/cli/commands/bench.ts";
import { simulateRound, simulateRun, type ScaleOptions } from "../../../src/cluster/training/scale.ts";
import { OptionError } from "../../../src/errors.ts";

/** Equal machines with lines that cost nothing. */
const ideal: ScaleOptions = {
  workers: 4,
  rounds: 3,
  innerSteps: 10,
  stepSeconds: 0.1,
  parameters: 1000,
  changeBytes: 2,
  linkRate: Infinity,
  serverRate: Infinity,
  latencySeconds: 0,
  addSeconds: 0,
  roundSeconds: 0,
  spread: { machines: 0, rounds: 0 },
  quorum: 0.5,
  graceSeconds: 5,
  seed: 1,
};

describe("the simulation of a shared run", () => {
  test("is ideal without costs", () => {
    expect(simulateRun(ideal)).toEqual({ seconds: 3, steps: 120, speedup: 4, efficiency: 1, training: 1, late: 0 });
  });

  test("adds up the parts of a round as by hand", () => {
    // Reading: 2 × 0.01 s, and 4 workers × 4000 bytes at 20,000 bytes/s, which is slower than 4000 bytes at 8000 bytes/s.
    // Training 1 s; sending 2000 bytes at 8000 bytes/s, and to the coordinator 2 × 0.01 s. There each change takes 2000 / 8000 s
    // + 1000 × 1e-4 s, one after another: more than the 2000 / 20,000 s between two changes at the server.
    // Storing: 2 × 4000 bytes at 8000 bytes/s; 0.5 s for the rest.
    const options = { ...ideal, linkRate: 8000, serverRate: 20_000, latencySeconds: 0.01, addSeconds: 1e-4 };
    const { seconds, used } = simulateRound([1, 1, 1, 1], { ...options, roundSeconds: 0.5 });
    expect(seconds).toBeCloseTo(0.02 + 0.8 + 1 + 0.25 + 0.02 + 4 * 0.35 + 1 + 0.5, 10);
    expect(used).toBe(4);
  });

  test("waits for slow workers as long again as for the quorum, and at least for the grace time", () => {
    expect(simulateRound([1, 1, 1, 5.5], ideal)).toEqual({ seconds: 5.5, used: 4 });
    expect(simulateRound([1, 1, 1, 6.5], ideal)).toEqual({ seconds: 6, used: 3 });
    expect(simulateRound([10, 10, 19, 21], ideal)).toEqual({ seconds: 20, used: 3 });
    expect(simulateRound([10, 10, 19, 21], { ...ideal, quorum: 1 })).toEqual({ seconds: 21, used: 4 });
    // The steps of late changes are not counted.
    const { late, steps } = simulateRun({ ...ideal, spread: { machines: 2, rounds: 0 }, graceSeconds: 0, seed: 3 });
    expect(late).toBeGreaterThan(0);
    expect(steps).toBe(120 * (1 - late));
  });

  test("repeats itself, and has machines of mean speed 1", () => {
    const uneven = { ...ideal, workers: 200, rounds: 20, spread: { machines: 0.1, rounds: 0.1 } };
    expect(simulateRun(uneven)).toEqual(simulateRun(uneven));
    expect(simulateRun({ ...uneven, seed: 2 })).not.toEqual(simulateRun(uneven));
    const { seconds, training } = simulateRun({ ...uneven, innerSteps: 1000 });
    expect((seconds * training) / 20).toBeCloseTo(100, 0);
  });
});

interface Written {
  readonly inputs: object;
  readonly rows: readonly { readonly result: { readonly speedup: number } }[];
}

describe("wgrad bench cluster", () => {
  async function printed(...args: readonly string[]): Promise<string> {
    let text = "";
    const write = vi.spyOn(process.stdout, "write").mockImplementation((part) => ((text += String(part)), true));
    try {
      const bench = benchCommand(new Command("bench").exitOverride());
      await bench.parseAsync(["cluster", ...args], { from: "user" });
    } finally {
      write.mockRestore();
    }
    return text;
  }

  test("prints the inputs, and a line for each number of workers", async () => {
    const text = await printed("--workers", "1,2", "--links", "100,10", "--spread", "0", "--round-spread", "0");
    expect(text).toMatch(/^a round is 100 steps of 75 ms; a worker reads 0\.1811 MB and sends 0\.09055 MB$/m);
    expect(text).toMatch(/^workers +100 Mbit\/s +10 Mbit\/s$/m);
    expect(text).toMatch(/^1 +1\.0 × \(9\d\.\d+ %\) +0\.9 × \(9\d\.\d+ %\)$/m);
    expect(text).toMatch(/^2 +/m);
  });

  test("writes them as JSON", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wgrad-scale-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const free = ["--latency", "0", "--add-ns", "0", "--round-ms", "0", "--spread", "0", "--round-spread", "0"];
    const lines = ["--links", "1000000000", "--server", "1000000000"];
    await printed("--json", join(folder, "s.json"), "--workers", "3", ...lines, ...free);
    const written = JSON.parse(readFileSync(join(folder, "s.json"), "utf8")) as Written;
    expect(written.inputs).toMatchObject({ workers: [3], stepMs: 75, seed: 1 });
    expect(written.rows).toHaveLength(1);
    expect(written.rows[0]!.result.speedup).toBeCloseTo(3, 4);
  });

  test.each([
    ["--workers 1,x", /--workers: "x" is/],
    ["--workers 2,2", /--workers: "2,2" has a number twice/],
    ["--quorum 2", /--quorum: 2 is no share/],
  ])("refuses %s", async (args, message) => {
    const refused = await printed(...args.split(" ")).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OptionError);
    expect((refused as OptionError).message).toMatch(message);
  });
});
