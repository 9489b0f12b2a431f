import { describe, expect, test } from "vitest";

// The scripts are plain JavaScript, so that setup runs before anything is built: these are the types in their JSDoc.
interface NatsServers {
  findNatsServer: (machine: {
    environment: Record<string, string>;
    runs: (file: string) => boolean;
  }) => string | undefined;
  chooseNatsPlan: (machine: { family: readonly string[]; mayInstall: boolean }) => {
    action: "install" | "instructions";
    package?: string;
    lines?: string[];
  };
}

const setup = "../../scripts/setup/nats-server.mjs";
const { findNatsServer, chooseNatsPlan } = (await import(setup)) as NatsServers;

describe("a NATS server for the tests of sweeps", () => {
  const found = (there: string, environment: Record<string, string> = {}) =>
    findNatsServer({ environment: { PATH: "/usr/bin", ...environment }, runs: (file) => file === there });

  test("is the one in NATS_SERVER_PATH, unchecked, or one in PATH or the usual folders", () => {
    expect(found("/usr/bin/nats-server", { NATS_SERVER_PATH: "/opt/nats" })).toBe("/opt/nats");
    expect(found("/usr/bin/nats-server")).toBe("/usr/bin/nats-server");
    expect(found("/usr/sbin/nats-server")).toBe("/usr/sbin/nats-server");
    expect(found("/elsewhere/nats-server")).toBeUndefined();
  });

  test("is installed where apt has it and may install it, and otherwise left to the user", () => {
    const plan = { action: "install", package: "nats-server" };
    expect(chooseNatsPlan({ family: ["linuxmint", "ubuntu", "debian"], mayInstall: true })).toMatchObject(plan);
    const { action, lines } = chooseNatsPlan({ family: ["debian"], mayInstall: false });
    expect(action).toBe("instructions");
    expect(lines!.at(-1)).toBe("sudo apt-get install --no-install-recommends nats-server");
    expect(chooseNatsPlan({ family: ["fedora"], mayInstall: true }).lines!.join("\n")).toMatch(/NATS_SERVER_PATH/);
  });
});
