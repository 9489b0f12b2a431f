import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { connectToNats, type NatsCredentials, type NatsLink } from "../../src/cluster/connection.ts";

interface Setup {
  findNatsServer: () => string | undefined;
  NO_NATS_SERVER: string;
}

// The scripts are plain JavaScript, so that setup runs before anything is built.
const setup = "../../scripts/setup/nats-server.mjs";
const { findNatsServer, NO_NATS_SERVER } = (await import(setup)) as Setup;

/** Where a process of the tests runs. */
export interface Place {
  /** The address under which others reach it. */
  readonly address: string;
  /** The command that runs another command there, with its arguments. */
  readonly prefix: readonly string[];
}

const HERE: Place = { address: "127.0.0.1", prefix: [] };

/** A server of the tests, in a folder that is removed after them. */
export class NatsServer {
  readonly folder = mkdtempSync(join(tmpdir(), "wgrad-nats-"));
  readonly #port: number;
  readonly #config: string;
  readonly #scheme: string;
  readonly #place: Place;
  #process: ChildProcess | undefined;

  private constructor(port: number, config: string, scheme: string, place: Place) {
    [this.#port, this.#config, this.#scheme, this.#place] = [port, config, scheme, place];
  }

  /**
   * Starts a server with JetStream on a free port.
   * @param config more of its configuration; "FOLDER" stands for the server's folder
   */
  static async start(config = "", scheme = "nats", place = HERE): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), config, scheme, place);
    await server.start();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `${this.#scheme}://${this.#place.address}:${this.#port}`;
  }

  /** Starts it, or starts it again with what it has stored. */
  async start(): Promise<void> {
    const path = findNatsServer();
    if (path === undefined) throw new Error(NO_NATS_SERVER);
    const file = join(this.folder, "server.conf");
    const common = `listen: "${this.#place.address}:${this.#port}"\njetstream { store_dir: "${this.folder}/store" }\n`;
    writeFileSync(file, common + this.#config.replaceAll("FOLDER", this.folder));
    const [command, ...args] = [...this.#place.prefix, path, "-c", file];
    const child = spawn(command!, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    let log = "";
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        log += text;
        if (log.includes("Server is ready")) resolve();
      });
      child.once("exit", () => reject(new Error(`nats-server has ended:\n${log}`)));
      child.once("error", reject);
    });
  }

  /** Kills it without a warning. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null) return;
    await new Promise((resolve) => {
      child.once("exit", resolve);
      child.kill("SIGKILL");
    });
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true });
  }

  /** Connects to it. */
  connect(
    role: "owner" | "worker" = "owner",
    credentials: NatsCredentials = { kind: "none" },
    ca?: string,
    address = this.address,
  ): Promise<NatsLink> {
    const certificates = ca === undefined ? {} : { certificates: { ca } };
    return connectToNats({ servers: [address], credentials, ...certificates, role, name: "test", log: () => {} });
  }
}

/** A port that no process of this machine listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** A file of the tests: the certificate of an authority, or that of a server and its key. */
export const certificate = (name: string): string => new URL(`certificates/${name}`, import.meta.url).pathname;

/** The configuration in docs/cluster.md, with the certificate of the tests, and the WebSocket on a port of this machine. */
export function documentedConfig(websocketPort: number): string {
  const text = readFileSync(new URL("../../docs/cluster.md", import.meta.url), "utf8");
  const config = /```text\n(# server\.conf\n[^]*?)```/.exec(text)![1]!;
  return config
    .replace(/^listen: .*\n/m, "")
    .replace(/^jetstream .*\n/m, "")
    .replaceAll("server.pem", certificate("server.pem"))
    .replaceAll("server.key", certificate("server.key"))
    .replace("0.0.0.0:8443", `127.0.0.1:${websocketPort}`);
}

/** A server that runs during the tests of a file. */
export function natsServer(): { readonly current: NatsServer } {
  let server: NatsServer | undefined;
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server?.remove());
  return {
    get current() {
      return server!;
    },
  };
}
