/*
 * A connection to a NATS server, in Node and in browsers.
 */
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { Authenticator, NatsConnection } from "@nats-io/nats-core";
import { DataError, excerpt, OptionError, optionName } from "../errors.ts";
import type { NatsPackages } from "./packages.ts";

/** How a client proves who it is. */
export type NatsCredentials =
  | { readonly kind: "none" }
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string }
  /** The seed of an nkey, which begins with "SU". */
  | { readonly kind: "nkey"; readonly seed: Uint8Array }
  /** The contents of a credentials file, as `nsc` writes it. */
  | { readonly kind: "credentials"; readonly file: Uint8Array };

/** Certificates in PEM. */
export interface NatsCertificates {
  /** The authority that signed the server's certificate; by default those of the system. */
  readonly ca?: string;
  /** The client's certificate and key, for servers that verify clients. */
  readonly cert?: string;
  readonly key?: string;
}

export interface NatsOptions {
  /**
   * Addresses such as "nats://host:4222", or "tls://host:4222", which refuses a server without TLS; in a browser, "wss://host"
   * or, on the same machine, "ws://127.0.0.1:4223".
   */
  readonly servers: readonly string[];
  readonly credentials: NatsCredentials;
  readonly certificates?: NatsCertificates;
  /** Replies arrive under `_INBOX_wgrad_<role>`, so that a server can give each role its own. */
  readonly role: "owner" | "worker" | "browser";
  /** The name of the client in the server's own reports. */
  readonly name: string;
  /** Receives a line when the connection is lost, and when it is back. */
  log(line: string): void;
}

/** An open connection, which reconnects by itself until it is closed. */
export interface NatsLink {
  readonly packages: NatsPackages;
  readonly connection: NatsConnection;
  readonly streams: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Sends what is still buffered, and closes the connection. */
  close(): Promise<void>;
}

/** The longest wait for the first connection, and for a reply. */
const TIMEOUT_MILLISECONDS = 5000;

/** Connects with the given clients. @throws DataError if no server can be reached, and if it refuses the credentials */
export async function openLink(packages: NatsPackages, options: NatsOptions): Promise<NatsLink> {
  const connection = await opened(packages, options);
  reportStatus(connection, options.log);
  // A worker may have no permission to ask for the limits of the account, which the check does.
  const streams = packages.jetstream.jetstream(connection, { checkAPI: false });
  const manager = await streams.jetstreamManager();
  const close = async () => {
    await connection.drain().catch(() => connection.close());
  };
  return { packages, connection, streams, manager, close };
}

async function opened(packages: NatsPackages, options: NatsOptions): Promise<NatsConnection> {
  const { servers, certificates, role, name } = options;
  const needsTls = certificates !== undefined || servers.some((server) => server.startsWith("tls://"));
  const authenticator = authenticatorOf(packages, options.credentials);
  try {
    return await packages.transport.connect({
      servers: [...servers],
      name,
      inboxPrefix: `_INBOX_wgrad_${role}`,
      timeout: TIMEOUT_MILLISECONDS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 500,
      ...(authenticator && { authenticator }),
      ...(needsTls && { tls: { ...certificates } }),
    });
  } catch (cause) {
    throw refusalOf(servers.join(", "), cause);
  }
}

function authenticatorOf({ transport }: NatsPackages, credentials: NatsCredentials): Authenticator | undefined {
  if (credentials.kind === "password")
    return transport.usernamePasswordAuthenticator(credentials.user, credentials.password);
  if (credentials.kind === "token") return transport.tokenAuthenticator(credentials.token);
  if (credentials.kind === "nkey") return transport.nkeyAuthenticator(credentials.seed);
  if (credentials.kind === "credentials") return transport.credsAuthenticator(credentials.file);
  return undefined;
}

/**
 * The parts of the address of a server, which must not contain a user or a password.
 * @param examples addresses, for the error
 * @throws OptionError
 */
export function requireAddress(server: string, protocols: readonly string[], examples: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  // An invalid address may contain a password as well, so it is not repeated here.
  if (!url || !protocols.includes(url.protocol) || url.hostname === "")
    throw new OptionError({
      where: optionName("nats"),
      what: "this is not the address of a NATS server",
      fix: `Give an address such as ${examples}`,
    });
  if (url.username === "" && url.password === "") return url;
  const what = "the address contains a user or a password, which others can read";
  throw new OptionError({
    where: optionName("nats"),
    what,
    fix: "Give the user and the password apart from the address",
  });
}

function refusalOf(servers: string, cause: unknown): DataError {
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  const refuse = (what: string, fix: string) => new DataError({ where: servers, what, fix }, { cause });
  if (/authorization|authentication|permissions|nkey|credential/i.test(reason))
    return refuse(`the server refuses the credentials (${reason})`, "Check the user, password, token, key or file");
  if (/tls|certificate|ssl|self.signed/i.test(reason))
    return refuse(
      `no secure connection: ${reason}`,
      "Check the certificate of the authority, and the host name in the server's certificate",
    );
  // A browser does not say why a WebSocket was refused.
  const fix = /^wss?:/.test(servers)
    ? "Check the address, and that the server has a websocket listener that allows this page's origin"
    : "Start one with `nats-server -js`, or check the address";
  return refuse(`no NATS server can be reached: ${reason}`, fix);
}

function reportStatus(connection: NatsConnection, log: (line: string) => void): void {
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === "disconnect") log(`The connection to ${status.server} is lost; trying to reconnect.`);
      if (status.type === "reconnect") log(`Connected to ${status.server} again.`);
      if (status.type === "error") log(`NATS: ${excerpt(status.error.message)}.`);
    }
  })();
}
