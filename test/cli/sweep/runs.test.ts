import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { loadModelFile } from "../../../src/node/index.ts";
import { actingWhen, commandLine, signaled, type Finished } from "../built-cli.ts";
import { HEADER, leaves } from "../data/tables.ts";

const cli = commandLine();
const { inFolder, write } = cli;
const wgrad = (args: string): Promise<Finished> => cli.run(args.split(" "));

beforeAll(() => write("leaves.csv", [HEADER, ...leaves(90, 1)]));

describe("wgrad sweep", () => {
  const command =
    "sweep --csv leaves.csv --label kind --drop id --device cpu --max-steps 30 --out runs --grid hidden=4;8,4";

  test("compares runs, keeps the best model, and trains only missing runs", async () => {
    const first = await wgrad(`${command} --grid lr=0.0001,0.05`);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const files = readdirSync(inFolder("runs"));
    expect(files.filter((name) => /^[0-9a-f]{12}\.json$/.test(name))).toHaveLength(4);
    const csv = readFileSync(inFolder("runs/results.csv"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","));
    expect(csv[0]).toEqual(["run", "hidden", "lr", "loss", "accuracy", "steps", "stop", "seconds"]);
    expect(csv.slice(1).map(([, hidden, lr]) => [hidden, lr])).toEqual([
      ["4", "0.0001"],
      ["4", "0.05"],
      ["8-4", "0.0001"],
      ["8-4", "0.05"],
    ]);
    const losses = csv.slice(1).map((row) => Number(row[3]));
    const best = await loadModelFile(inFolder("runs/best.safetensors"));
    expect(best.results).toMatchObject({ loss: Math.min(...losses) });
    expect(best.configuration).toMatchObject({ lr: 0.05, validation: 0.1 });
    const table = first.stdout.split("\n").findIndex((line) => /^hidden +lr +loss +accuracy +steps +s$/.test(line));
    expect(Number(first.stdout.split("\n")[table + 1]!.trim().split(/ +/)[2])).toBeCloseTo(Math.min(...losses), 4);

    const second = await wgrad(`${command} --grid lr=0.0001,0.05,0.02`);
    expect(second.stdout.match(/: already done$/gm)).toHaveLength(4);
    expect(second.stdout.match(/: validation accuracy/g)).toHaveLength(2);
    expect(readFileSync(inFolder("runs/results.csv"), "utf8").split("\n")).toHaveLength(8);
  });

  test("continues after Ctrl-C", async () => {
    const long =
      "sweep --csv leaves.csv --label kind --drop id --device cpu --out cut --random 2 --range lr=0.01..0.1:log --hidden 8 --max-steps";
    const isOneDone =
      'fs.existsSync("cut") && fs.readdirSync("cut").some((name) => /^[0-9a-f]{12}\\.json$/.test(name))';
    const env = actingWhen(isOneDone, signaled("SIGINT"));
    const interrupted = await cli.run(`${long} 3000`.split(" "), { env });
    expect(interrupted.code).toBe(130);
    expect(interrupted.stdout).toContain("interrupted after 1 of 2 runs; the same command continues the sweep");
    const again = await wgrad(`${long} 3000`);
    expect(again.stdout.match(/: already done$/gm)).toHaveLength(1);
    expect(again.code).toBe(0);
  });
});
