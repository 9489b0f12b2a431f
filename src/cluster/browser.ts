/*
 * A connection to a NATS server from a browser, by WebSocket.
 */
import * as jetstream from "@nats-io/jetstream";
import * as kv from "@nats-io/kv";
import * as core from "@nats-io/nats-core";
import * as obj from "@nats-io/obj";
import { OptionError, optionName } from "../errors.ts";
import { openLink, requireAddress, type NatsLink, type NatsOptions } from "./link.ts";

const ON_THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Connects to the WebSocket of a NATS server.
 * @throws OptionError for an address that is invalid, contains a password, or would send it to another machine without
 * encryption; DataError if no server can be reached, and if the server refuses the credentials
 */
export async function connectFromBrowser(options: Omit<NatsOptions, "certificates" | "role">): Promise<NatsLink> {
  for (const server of options.servers) {
    const { protocol, hostname } = requireAddress(server, ["wss:", "ws:"], "wss://host:443");
    if (protocol === "wss:" || ON_THIS_MACHINE.includes(hostname)) continue;
    const what = "ws:// sends the password and the values without encryption";
    throw new OptionError({ where: optionName("nats"), what, fix: "Give an address that begins with wss://" });
  }
  const transport = { ...core, connect: core.wsconnect };
  return openLink({ transport, jetstream, kv, obj }, { ...options, role: "browser" });
}
