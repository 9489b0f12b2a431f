import { expect, test } from "vitest";
import { Members } from "../../../src/cluster/training/members.ts";
import { memberBytes } from "../../../src/cluster/training/messages.ts";
import { memberSubject } from "../../../src/cluster/training/names.ts";
import { version } from "../../../src/version.ts";
import { natsServer } from "../nats-server.ts";

const server = natsServer();

const REPORT_MILLISECONDS = 40;

test("a worker that is silent counts as lost, but not for the time in which its coordinator got no core", async () => {
  const [run, member] = ["0123456789ab", "a".repeat(32)];
  const link = await server.current.connect();
  const members = new Members(link, run, { version, reportMilliseconds: REPORT_MILLISECONDS, log: () => {} });
  const report = memberBytes({ member, name: "one", version, change: null, failure: null });
  link.connection.publish(memberSubject(run), report);
  const names = () => members.alive.map(({ name }) => name);
  await expect.poll(names).toEqual(["one"]);
  // As if the process were stopped.
  const until = performance.now() + 20 * REPORT_MILLISECONDS;
  while (performance.now() < until);
  expect(names()).toEqual(["one"]);
  await expect.poll(names).toEqual([]);
  members.stop();
  await link.close();
});
