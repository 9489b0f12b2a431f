/*
 * The options that say how a NATS server is reached.
 */
import type { Command } from "commander";
import { connectToNats, type NatsCredentials, type NatsLink, type NatsOptions } from "../../cluster/connection.ts";
import { OptionError } from "../../errors.ts";
import { readFileOrRefuse } from "../../node/index.ts";
import { shellQuoted, warn } from "../text/terminal.ts";
import { DeclaredOption } from "./declared-option.ts";

export interface NatsFlags {
  readonly nats?: string;
  readonly natsUser?: string;
  readonly natsCreds?: string;
  readonly natsNkey?: string;
  readonly natsCa?: string;
  readonly natsCert?: string;
  readonly natsKey?: string;
}

/** The options, in the order of the help. Passwords and tokens come from the environment, where other users cannot see them. */
export function natsOptions(use: string): DeclaredOption[] {
  const file = (flags: string, description: string) =>
    new DeclaredOption(flags, description).withFacts({ file: "input" });
  return [
    new DeclaredOption(
      "--nats <addresses>",
      `${use}: the address of a NATS server, such as nats://host:4222 or tls://host:4222; several are separated by commas`,
    ),
    new DeclaredOption("--nats-user <name>", "user, with the password in NATS_PASSWORD (a token alone: NATS_TOKEN)"),
    file("--nats-creds <file>", "credentials file"),
    file("--nats-nkey <file>", "file with the seed of an nkey"),
    file("--nats-ca <file>", "certificate of the authority that signed the server's, in PEM"),
    file("--nats-cert <file>", "client certificate in PEM"),
    file("--nats-key <file>", "key of the client certificate in PEM"),
  ].map((option) => option.helpGroup("NATS:"));
}

/** @throws OptionError if an option for NATS is given without --nats */
export function requireNatsAddress(command: Command): void {
  const { nats, ...rest } = natsFlagsOf(command.opts<NatsFlags>());
  if (nats !== undefined) return;
  const [name] = Object.entries(rest).find(([, value]) => value !== undefined) ?? [];
  if (name === undefined) return;
  const where = command.options.find((option) => option.attributeName() === name)?.long ?? name;
  throw new OptionError({ where, what: "there is no server to connect to", fix: "Add --nats with its address" });
}

const natsFlagsOf = ({ nats, natsUser, natsCreds, natsNkey, natsCa, natsCert, natsKey }: NatsFlags): NatsFlags =>
  ({ nats, natsUser, natsCreds, natsNkey, natsCa, natsCert, natsKey }) as NatsFlags;

/**
 * Connects as the options and the environment say.
 * @throws OptionError for options that do not fit together; DataError as `connectToNats` does
 */
export async function connectBy(
  flags: NatsFlags & { readonly nats: string },
  who: Pick<NatsOptions, "role" | "name">,
): Promise<NatsLink> {
  const [ca, cert, key] = await Promise.all([flags.natsCa, flags.natsCert, flags.natsKey].map(textIn));
  if ((cert === undefined) !== (key === undefined)) {
    const what = "a client certificate and its key belong together";
    throw new OptionError({ where: cert === undefined ? "--nats-key" : "--nats-cert", what, fix: "Give both" });
  }
  const certificates = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  return connectToNats({
    servers: flags.nats.split(",").map((address) => address.trim()),
    credentials: await credentialsOf(flags, process.env),
    ...(Object.keys(certificates).length > 0 && { certificates }),
    log: warn,
    ...who,
  });
}

const textIn = async (path: string | undefined): Promise<string | undefined> =>
  path === undefined ? undefined : new TextDecoder().decode(await readFileOrRefuse(path));

/** The credentials that the options and the environment give. @throws OptionError if they give several */
export async function credentialsOf(
  { natsUser, natsCreds, natsNkey }: NatsFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<NatsCredentials> {
  const { NATS_PASSWORD: password, NATS_TOKEN: token } = environment;
  const given = Object.entries({ "--nats-user": natsUser, "--nats-creds": natsCreds, "--nats-nkey": natsNkey })
    .filter(([, value]) => value !== undefined)
    .map(([flag]) => flag);
  if (given.length > 1) {
    const what = `${given[1]} is given as well`;
    throw new OptionError({ where: given[0]!, what, fix: "Give one of them: a client has one identity" });
  }
  if (natsUser !== undefined) {
    if (password) return { kind: "password", user: natsUser, password };
    throw new OptionError({ where: "--nats-user", what: "there is no password", fix: "Set NATS_PASSWORD" });
  }
  if (natsCreds !== undefined) return { kind: "credentials", file: await readFileOrRefuse(natsCreds) };
  if (natsNkey !== undefined) return { kind: "nkey", seed: trimmed(await readFileOrRefuse(natsNkey)) };
  return token ? { kind: "token", token } : { kind: "none" };
}

/** Without the line break at the end of the file. */
const trimmed = (bytes: Uint8Array) => new TextEncoder().encode(new TextDecoder().decode(bytes).trim());

/** The options as they are written, to reach the same server again. */
export function writtenNatsOptions(command: Command): string {
  const given = natsFlagsOf(command.opts<NatsFlags>()) as Readonly<Record<string, string | undefined>>;
  const options = command.options.filter((option) => option instanceof DeclaredOption);
  const written = Object.entries(given).flatMap(([name, value]) =>
    options.filter((option) => option.attributeName() === name).map((option) => option.written(value, shellQuoted)),
  );
  return written.filter((text) => text !== undefined).join(" ");
}
