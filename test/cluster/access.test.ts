import { readFileSync } from "node:fs";
import { Command } from "commander";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadNatsPackages } from "../../src/cluster/packages.ts";
import { ObjectBucket } from "../../src/cluster/objects.ts";
import { CHANGES } from "../../src/cluster/training/names.ts";
import { openRuns } from "../../src/cluster/training/run-store.ts";
import { setUpTraining } from "../../src/cluster/training/set-up.ts";
import { RESULTS, TRIALS } from "../../src/cluster/sweeps/names.ts";
import { sweepCommand } from "../../src/cli/commands/sweep.ts";
import { workerCommand } from "../../src/cli/commands/worker.ts";
import { OptionError } from "../../src/errors.ts";
import { connectBy, credentialsOf } from "../../src/cli/options/nats-options.ts";
import { commandLine, expectRefusal } from "../cli/built-cli.ts";
import { certificate, documentedConfig, freePort, NatsServer } from "./nats-server.ts";
import { Operator } from "./operator.ts";
import { backgroundCommands, expectSameSweep, sweepOf, writeLeaves } from "./workers.ts";

const cli = commandLine();
const { start } = backgroundCommands(cli);

beforeAll(() => writeLeaves(cli));

let server: NatsServer | undefined;
afterEach(async () => {
  await server?.remove();
  server = undefined;
});

describe("the configuration in docs/cluster.md", () => {
  const grid = ["--grid", "lr=0.01,0.05"];

  test("lets a worker train over TLS, and do nothing else", async () => {
    server = await NatsServer.start(documentedConfig(await freePort()), "tls");
    const how = ["--nats", server.address, "--nats-ca", certificate("ca.pem")];
    const sweep = [...sweepOf(600, ...grid), "--out", "remote", ...how, "--nats-user", "owner"];
    const owner = start(sweep, { NATS_PASSWORD: "OWNER-PASSWORD" });
    await owner.printed(/^workers/m);
    const worker = ["worker", ...how, "--nats-user", "worker", "--every", "100", "--cache", "cache"];
    start(worker, { NATS_PASSWORD: "WORKER-PASSWORD" });
    expect(await owner.ended).toBe(0);
    expect(await cli.run([...sweepOf(600, ...grid), "--out", "local"])).toMatchObject({ code: 0 });
    expectSameSweep(cli, "remote", "local");

    // The same worker then joins a run.
    const train =
      "train --csv leaves.csv --label kind --drop id --device cpu --hidden 8 --max-steps 60 --inner-steps 20";
    const run = [...train.split(" "), "--out", "shared.safetensors", ...how, "--nats-user", "owner"];
    const trained = start(run, { NATS_PASSWORD: "OWNER-PASSWORD" });
    expect(await trained.ended).toBe(0);
    expect(trained.output()).toMatch(/^model +shared\.safetensors$/m);

    const credentials = { kind: "password", user: "worker", password: "WORKER-PASSWORD" } as const;
    const link = await server.connect("worker", credentials, readFileSync(certificate("ca.pem"), "utf8"));
    const { manager, streams } = link;
    const bytes = new Uint8Array(1);
    await expect(streams.publish("wgrad.trials.a.b.0", bytes)).rejects.toThrow(/permissions violation/i);
    await expect(streams.publish("wgrad.browser-trials.a.b.0", bytes)).rejects.toThrow(/permissions violation/i);
    await expect(streams.publish("$O.wgrad-data.C.x", bytes)).rejects.toThrow(/permissions violation/i);
    await expect(manager.streams.purge(RESULTS)).rejects.toThrow(/permissions violation/i);
    await expect(manager.streams.delete(TRIALS)).rejects.toThrow(/permissions violation/i);
    await expect(streams.publish("wgrad.commits.0123456789ab", bytes)).rejects.toThrow(/permissions violation/i);
    const changes = await ObjectBucket.open(link, CHANGES);
    const reference = await changes.put("lost", new Uint8Array(200_000));
    await manager.streams.purge(`OBJ_${CHANGES}`, { filter: `$O.${CHANGES}.C.>`, keep: 1 });
    await expect(changes.get(reference)).rejects.toThrow(/object lost: the server has lost parts of it: it has 1 of 2/);
    await expect(streams.publish("$KV.wgrad-runs.open.x", bytes)).rejects.toThrow(/permissions violation/i);
    await expect(streams.publish("$KV.wgrad-leases.x", bytes)).rejects.toThrow(/permissions violation/i);
    await expect(streams.publish("$O.wgrad-values.C.x", bytes)).rejects.toThrow(/permissions violation/i);
    await expect(manager.streams.purge("OBJ_wgrad-values")).rejects.toThrow(/permissions violation/i);
    await expect(manager.streams.getMessage("KV_wgrad-sweeps", { seq: 1 })).rejects.toThrow(/permissions violation/i);
    await link.close();
  });

  test("lets a worker train trials if it may not join runs", async () => {
    const config = documentedConfig(await freePort()).replaceAll(/^.*(KV_wgrad-runs|BROWSER_TRIALS).*$/gm, "");
    server = await NatsServer.start(config, "tls");
    const how = ["--nats", server.address, "--nats-ca", certificate("ca.pem")];
    const owner = start([...sweepOf(100, ...grid), "--out", "trials", ...how, "--nats-user", "owner"], {
      NATS_PASSWORD: "OWNER-PASSWORD",
    });
    await owner.printed(/^workers/m);
    const worker = start(["worker", ...how, "--nats-user", "worker", "--cache", "cache"], {
      NATS_PASSWORD: "WORKER-PASSWORD",
    });
    expect(await owner.ended).toBe(0);
    expect(worker.output().match(/lets this worker train trials of sweeps, but not join runs/g)).toHaveLength(1);
  });

  test("refuses a wrong password, and a certificate of an unknown authority", async () => {
    server = await NatsServer.start(documentedConfig(await freePort()), "tls");
    const worker = ["worker", "--nats", server.address, "--max-idle", "1", "--nats-user", "worker"];
    const unknown = await cli.run(worker, { env: { NATS_PASSWORD: "WORKER-PASSWORD" } });
    expectRefusal(unknown, 1, /no secure connection: .*certificate/);
    const wrong = await cli.run([...worker, "--nats-ca", certificate("ca.pem")], { env: { NATS_PASSWORD: "guess" } });
    expectRefusal(wrong, 1, /^error: tls:\/\/.*: the server refuses the credentials/);
    expect(wrong.stderr).not.toContain("guess");
  });
});

test("tokens and nkeys are accepted", async () => {
  const { transport } = await loadNatsPackages();
  const pair = transport.nkeys.createUser();
  server = await NatsServer.start(`authorization { users: [{ nkey: "${pair.getPublicKey()}" }] }`);
  await (await server.connect("owner", { kind: "nkey", seed: pair.getSeed() })).close();
  await expect(server.connect("owner", { kind: "token", token: "secret" })).rejects.toThrow(/refuses the credentials/);
  await server.remove();
  server = await NatsServer.start('authorization { token: "secret" }');
  await (await server.connect("owner", { kind: "token", token: "secret" })).close();
  await expect(server.connect()).rejects.toThrow(/refuses the credentials/);
});

test("credentials files of an operator's account are accepted, with their permissions", async () => {
  const [operator, other] = [await Operator.create(), await Operator.create()];
  server = await NatsServer.start(operator.config);
  const connect = (role: "owner" | "worker", credentials: readonly string[]) => {
    cli.write("user.creds", credentials);
    const natsCreds = cli.inFolder("user.creds");
    return connectBy({ nats: server!.address, natsCreds }, { role, name: "test" });
  };
  const owner = await connect("owner", operator.credentials());
  await setUpTraining(owner);
  await owner.close();
  const worker = await connect("worker", operator.credentials({ pub: { deny: ["wgrad.commits.>"] } }));
  expect(await openRuns(worker)).toEqual([]);
  const refused = worker.streams.publish("wgrad.commits.0123456789ab", new Uint8Array(1));
  await expect(refused).rejects.toThrow(/permissions violation/i);
  await worker.close();
  await expect(connect("worker", other.credentials())).rejects.toThrow(/the server refuses the credentials/);
});

describe("the options", () => {
  test.each<[string, RegExp]>([
    ["worker", /worker: there is no server to connect to\. Add --nats/],
    ["worker --nats localhost", /nats: this is not the address of a NATS server/],
    ["worker --nats http://localhost", /nats: this is not the address of a NATS server/],
    ["worker --nats nats://me:secret@localhost", /nats: the address contains a user or a password/],
    ["worker --nats nats://localhost --nats-user me", /--nats-user: there is no password\. Set NATS_PASSWORD/],
    ["worker --nats nats://localhost --nats-user me --nats-creds f", /--nats-user: --nats-creds is given as well/],
    ["worker --nats nats://localhost --nats-cert package.json", /--nats-cert: a client certificate and its key/],
    ["sweep --grid lr=0.1 --out o --nats-user me", /--nats-user: there is no server to connect to/],
    ["sweep --grid lr=0.1 --out o --browsers", /--browsers: there is no server to connect to/],
    ["sweep --grid lr=0.1 --out o --rungs 2", /--rungs: only asha has this option/],
    ["sweep --grid lr=0.1 --out o --search asha --patience 3", /--patience: asha compares runs after the same number/],
    ["sweep --out o --attach 0123456789ab", /--attach: there is no server to connect to/],
    [
      "sweep --out o --attach 0123456789ab --nats nats://localhost --grid lr=0.1",
      /--grid: a sweep that has started keeps its own options\. Omit it/,
    ],
    ["sweep --out o --attach ../x --nats nats://localhost", /--attach: "\.\.\/x" is not the name of a sweep/],
  ])("%s is refused", async (args, message) => {
    const command = new Command("wgrad").exitOverride();
    sweepCommand(command.command("sweep"));
    workerCommand(command.command("worker"));
    const refused = await command.parseAsync(args.split(" "), { from: "user" }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OptionError);
    expect((refused as OptionError).message).toMatch(message);
    expect((refused as OptionError).message).not.toContain("secret");
  });

  test("a credentials file and a seed are read, and a seed's line break is not part of it", async () => {
    cli.write("user.seed", ["SUSEED"]);
    const seed = { kind: "nkey", seed: new TextEncoder().encode("SUSEED") };
    expect(await credentialsOf({ natsNkey: cli.inFolder("user.seed") }, {})).toEqual(seed);
    const creds = await credentialsOf({ natsCreds: cli.inFolder("user.seed") }, { NATS_TOKEN: "t" });
    expect(creds.kind).toBe("credentials");
    expect(await credentialsOf({}, { NATS_TOKEN: "t" })).toEqual({ kind: "token", token: "t" });
    expect(await credentialsOf({ natsUser: "me" }, { NATS_PASSWORD: "p" })).toEqual({
      kind: "password",
      user: "me",
      password: "p",
    });
  });

  test("a server that cannot be reached is named", async () => {
    const refused = await cli.run(["worker", "--nats", "nats://127.0.0.1:1"]);
    expectRefusal(refused, 1, /^error: nats:\/\/127\.0\.0\.1:1: no NATS server can be reached/);
  });
});
