import { beforeAll, test } from "vitest";
import { setUpSweeps } from "../../src/cluster/sweeps/set-up.ts";
import { commandLine } from "../cli/built-cli.ts";
import { sweepWithKills } from "../cluster/kills.ts";
import { natsServer } from "../cluster/nats-server.ts";
import { backgroundCommands, sweepOf, writeLeaves } from "../cluster/workers.ts";

const cli = commandLine();
const server = natsServer();
const commands = backgroundCommands(cli);

beforeAll(async () => {
  writeLeaves(cli);
  const link = await server.current.connect();
  await setUpSweeps(link, { leaseSeconds: 2 });
  await link.close();
});

test("a sweep whose workers are killed twenty times has the results of an undisturbed one", async () => {
  const sweep = sweepOf(4000, "--grid", "lr=0.001,0.01,0.02,0.05");
  const kills = { kills: 20, mostMilliseconds: 2000, owner: "stays" } as const;
  await sweepWithKills({ cli, server: server.current, commands }, sweep, kills);
});
