import { afterEach, expect, test, vi } from "vitest";
import { loadNatsPackages } from "../../src/cluster/packages.ts";

afterEach(() => vi.doUnmock("@nats-io/obj"));

test("without the optional packages, the error has the command that installs them", async () => {
  vi.doMock("@nats-io/obj", () => {
    throw new Error("Cannot find package '@nats-io/obj'");
  });
  await expect(loadNatsPackages()).rejects.toThrow(
    /^NATS: the NATS clients are not installed.* Run `npm install @nats-io\/transport-node @nats-io\/jetstream @nats-io\/kv @nats-io\/obj`/,
  );
});
