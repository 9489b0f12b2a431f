/*
 * The NATS clients are optional packages, so they are imported only when a cluster is used.
 */
import type * as jetstream from "@nats-io/jetstream";
import type * as kv from "@nats-io/kv";
import type * as core from "@nats-io/nats-core";
import type * as obj from "@nats-io/obj";
import { DataError } from "../errors.ts";

/** The modules of the NATS clients. */
export interface NatsPackages {
  /** `connect` uses TCP in Node, and a WebSocket in browsers. */
  readonly transport: typeof core & { connect(options: core.ConnectionOptions): Promise<core.NatsConnection> };
  readonly jetstream: typeof jetstream;
  readonly kv: typeof kv;
  readonly obj: typeof obj;
}

const INSTALL = "npm install @nats-io/transport-node @nats-io/jetstream @nats-io/kv @nats-io/obj";

/** Imports the NATS clients. @throws DataError with the npm command if they are not installed */
export async function loadNatsPackages(): Promise<NatsPackages> {
  try {
    const [transportModule, jetstreamModule, kvModule, objModule] = await Promise.all([
      import("@nats-io/transport-node"),
      import("@nats-io/jetstream"),
      import("@nats-io/kv"),
      import("@nats-io/obj"),
    ]);
    return { transport: transportModule, jetstream: jetstreamModule, kv: kvModule, obj: objModule };
  } catch (cause) {
    const what = "the NATS clients are not installed: they are optional packages";
    throw new DataError({ where: "NATS", what, fix: `Run \`${INSTALL}\`` }, { cause });
  }
}
