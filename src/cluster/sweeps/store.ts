/*
 * The descriptions of sweeps on a server.
 */
import type { NatsLink } from "../connection.ts";
import { storedDescription, storeDescription } from "../stored-descriptions.ts";
import { describeSweep, readDescription, type SweepDescription } from "./description.ts";
import { SWEEPS } from "./names.ts";

const placeOf = (name: string) => ({ bucket: SWEEPS, key: name });

/** Stores a description, unless the server has it. @returns the name of the sweep */
export async function storeSweep(link: NatsLink, sweep: SweepDescription): Promise<string> {
  const { name, bytes } = await describeSweep(sweep);
  await storeDescription(link, placeOf(name), bytes);
  return name;
}

/** Reads a description. @throws DataError if the server does not have it; MessageError if it is damaged */
export async function loadSweep(link: NatsLink, name: string): Promise<SweepDescription> {
  const fix = "Check the name, which the sweep printed when it started";
  return readDescription(name, await storedDescription(link, placeOf(name), { kind: "sweep", name, fix }));
}
