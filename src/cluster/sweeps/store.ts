/*
 * The descriptions of sweeps on a server.
 */
import type { KV } from "@nats-io/kv";
import { DataError } from "../../errors.ts";
import type { NatsLink } from "../connection.ts";
import { describeSweep, readDescription, type SweepDescription } from "./description.ts";
import { SWEEPS } from "./names.ts";

const bucket = ({ packages, streams }: NatsLink): Promise<KV> => new packages.kv.Kvm(streams).open(SWEEPS);

/** Stores a description, unless the server has it. @returns the name of the sweep */
export async function storeSweep(link: NatsLink, sweep: SweepDescription): Promise<string> {
  const { name, bytes } = await describeSweep(sweep);
  const descriptions = await bucket(link);
  if (!(await descriptions.get(name))) await descriptions.put(name, bytes);
  return name;
}

/** Reads a description. @throws DataError if the server does not have it; MessageError if it is damaged */
export async function loadSweep(link: NatsLink, name: string): Promise<SweepDescription> {
  const found = await (await bucket(link)).get(name);
  if (found && found.operation === "PUT") return readDescription(name, found.value);
  const what = "the server does not have this sweep";
  throw new DataError({ where: `sweep ${name}`, what, fix: "Check the name, which the sweep printed when it started" });
}
