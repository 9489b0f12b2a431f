/*
 * A connection to a NATS server in Node.
 */
import { openLink, requireAddress, type NatsLink, type NatsOptions } from "./link.ts";
import { loadNatsPackages } from "./packages.ts";

export type { NatsCertificates, NatsCredentials, NatsLink, NatsOptions } from "./link.ts";

/**
 * Connects to a NATS server.
 * @throws OptionError for an address that is invalid or contains a password; DataError if the packages are missing, if no
 * server can be reached, and if the server refuses the credentials
 */
export async function connectToNats(options: NatsOptions): Promise<NatsLink> {
  for (const server of options.servers)
    requireAddress(server, ["nats:", "tls:"], "nats://host:4222 or tls://host:4222");
  return openLink(await loadNatsPackages(), options);
}
