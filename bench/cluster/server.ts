/*
 * A NATS server for a benchmark, in a folder that is removed after it.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Setup {
  findNatsServer(): string | undefined;
  NO_NATS_SERVER: string;
}

/** Starts a server on a free port. @returns its address, and a function that ends it */
export async function startServer(): Promise<{ readonly address: string; stop(): void }> {
  // The scripts are plain JavaScript.
  const setup = "../../scripts/setup/nats-server.mjs";
  const { findNatsServer, NO_NATS_SERVER } = (await import(setup)) as Setup;
  const path = findNatsServer();
  if (path === undefined) throw new Error(NO_NATS_SERVER);
  const folder = mkdtempSync(join(tmpdir(), "wgrad-bench-"));
  const port = await freePort();
  writeFileSync(join(folder, "server.conf"), `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${folder}" }\n`);
  const server = spawn(path, ["-c", join(folder, "server.conf")], { stdio: ["ignore", "ignore", "pipe"] });
  await new Promise<void>((resolve, reject) => {
    server.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes("Server is ready")) resolve();
    });
    server.once("exit", () => reject(new Error("nats-server has ended")));
  });
  const stop = () => {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  };
  return { address: `nats://127.0.0.1:${port}`, stop };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
