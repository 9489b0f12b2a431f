import { execFileSync, spawnSync } from "node:child_process";
import type { Place } from "../cluster/nats-server.ts";

/** A message of a machine that cannot make network namespaces. */
const NO_HOSTS =
  "The hosts of this test are network namespaces. They need Linux, root, and the commands `ip` and `tc`: `apt-get install iproute2`.";

/** The network of the hosts, from the addresses that RFC 2544 keeps for tests. */
const NETWORK = "198.18.77";

/** What a slow network does to each packet that a host sends. */
export interface Impairment {
  readonly kilobitsPerSecond: number;
  readonly delayMilliseconds: number;
  /** In percent. */
  readonly loss: number;
}

const run = (command: string, ...args: readonly string[]) => execFileSync(command, args, { stdio: "pipe" });

/** A host of its own address, as far as the network goes: a network namespace with a cable to a switch. */
export class Host implements Place {
  readonly address: string;
  readonly prefix: readonly string[];
  readonly #namespace: string;
  readonly #cable: string;

  constructor(network: string, index: number) {
    this.#namespace = `${network}-${index}`;
    this.#cable = `${network}p${index}`;
    this.address = `${NETWORK}.${index + 2}`;
    this.prefix = ["ip", "netns", "exec", this.#namespace];
    run("ip", "netns", "add", this.#namespace);
    run("ip", "link", "add", this.#cable, "type", "veth", "peer", "name", "eth0", "netns", this.#namespace);
    run("ip", "link", "set", this.#cable, "master", network, "up");
    for (const link of ["lo", "eth0"]) run("ip", "-n", this.#namespace, "link", "set", link, "up");
    run("ip", "-n", this.#namespace, "address", "add", `${this.address}/24`, "dev", "eth0");
  }

  /**
   * Makes the host's connection slow and unreliable.
   * @returns whether the kernel can delay and lose packets (netem); otherwise only the rate is limited
   */
  impair({ kilobitsPerSecond, delayMilliseconds, loss }: Impairment): boolean {
    const root = ["-n", this.#namespace, "qdisc", "replace", "dev", "eth0", "root"];
    const netem = ["netem", "rate", `${kilobitsPerSecond}kbit`, "delay", `${delayMilliseconds}ms`, "loss", `${loss}%`];
    if (spawnSync("tc", [...root, ...netem]).status === 0) return true;
    run("tc", ...root, "tbf", "rate", `${kilobitsPerSecond}kbit`, "burst", "32kbit", "latency", "400ms");
    return false;
  }

  /** Unplugs the host: nothing passes, and nobody is told. */
  cut(): void {
    run("ip", "link", "set", this.#cable, "down");
  }

  restore(): void {
    run("ip", "link", "set", this.#cable, "up");
  }

  remove(): void {
    spawnSync("ip", ["netns", "del", this.#namespace]);
  }
}

/** Hosts that are connected by a switch, which this process reaches too. */
export class Network {
  readonly hosts: readonly Host[];
  readonly #name: string;

  /** @throws an error that says what is missing */
  constructor(count: number) {
    this.#name = `wg${process.pid}`;
    try {
      run("ip", "link", "add", this.#name, "type", "bridge");
    } catch (error) {
      throw new Error(NO_HOSTS, { cause: error });
    }
    run("ip", "address", "add", `${NETWORK}.1/24`, "dev", this.#name);
    run("ip", "link", "set", this.#name, "up");
    this.hosts = Array.from({ length: count }, (_, index) => new Host(this.#name, index));
  }

  remove(): void {
    for (const host of this.hosts) host.remove();
    spawnSync("ip", ["link", "del", this.#name]);
  }
}
