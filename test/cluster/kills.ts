import { expect } from "vitest";
import { Random } from "../../src/random.ts";
import type { CommandLine } from "../cli/built-cli.ts";
import type { NatsServer } from "./nats-server.ts";
import { expectSameSweep, type backgroundCommands } from "./workers.ts";

interface Parts {
  readonly cli: CommandLine;
  readonly server: NatsServer;
  readonly commands: ReturnType<typeof backgroundCommands>;
}

/**
 * Trains a sweep with workers that are killed at random moments, and expects the rows and the best model of the same sweep
 * without workers.
 * @param how.owner whether the process that started the sweep stays, or leaves and returns
 */
export async function sweepWithKills(
  { cli, server, commands }: Parts,
  sweep: readonly string[],
  how: { readonly kills: number; readonly mostMilliseconds: number; readonly owner: "stays" | "returns" },
): Promise<void> {
  const seed = Number(process.env["WGRAD_SEED"] ?? Date.now() % 2 ** 31);
  console.log(`WGRAD_SEED=${seed}`);
  const random = new Random(seed);
  const local = cli.run([...sweep, "--out", "undisturbed"]);
  const owner = commands.start([...sweep, "--nats", server.address, "--out", "killed"]);
  await owner.printed(/^workers/m);
  for (let kill = 0; kill < how.kills; kill++) {
    const worker = commands.startWorker(server, `killed-${kill}`);
    await worker.printed(/attempt \d/);
    setTimeout(() => worker.child.kill("SIGKILL"), random.uniform(0, how.mostMilliseconds));
    expect(await worker.ended).toBe(null);
  }
  if (how.owner === "returns") owner.child.kill("SIGINT");
  commands.startWorker(server, "last");
  const code = await owner.ended;
  expect(code).toBe(how.owner === "returns" ? 130 : 0);
  if (how.owner === "returns") {
    const attach = /`wgrad (sweep --attach .*?)` returns/.exec(owner.output())![1]!;
    expect(await cli.run(attach.split(" "))).toMatchObject({ code: 0, stderr: "" });
  }
  expect(await local).toMatchObject({ code: 0 });
  expectSameSweep(cli, "killed", "undisturbed");
}
