/*
 * The buckets, streams and subjects of runs that workers share.
 */
import { DATA, ID } from "../sweeps/names.ts";

export { DATA, ID };

/** The bucket of the descriptions of runs; those that workers may join have a second key, and those that were
 * cancelled another one. */
export const RUNS = "wgrad-runs";

/** The bucket of leases: who coordinates a run. Its keys expire. */
export const LEASES = "wgrad-leases";

/** The bucket of what coordinators store: values, velocities and histories. */
export const VALUES = "wgrad-values";

/** The bucket of what workers store: changes, and the states of their optimizers. */
export const CHANGES = "wgrad-changes";

/** The stream of the records of rounds. */
export const COMMITS = "WGRAD_COMMITS";

export const descriptionKey = (run: string): string => `run.${run}`;
export const openKey = (run: string): string => `open.${run}`;
export const cancelledKey = (run: string): string => `cancelled.${run}`;

export const commitSubject = (run: string): string => `wgrad.commits.${run}`;

/** Where the coordinator of a run says what is to be done. */
export const roundSubject = (run: string): string => `wgrad.rounds.${run}`;

/** Where the workers of a run say that they are there, and what they have done. */
export const memberSubject = (run: string): string => `wgrad.members.${run}`;

/** The id of a worker or coordinator: random, one for each process. */
export const MEMBER = /^[0-9a-f]{32}$/;

/** Another id. */
export const newMember = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The name of an object of a run. */
export const objectName = (run: string, kind: ObjectKind, round: number, owner: string): string =>
  `${run}.${round}.${kind}.${owner}`;

export type ObjectKind = "values" | "velocity" | "change" | "state" | "histories";

const ofWorkers: ReadonlySet<string> = new Set<ObjectKind>(["change", "state"]);

/** The bucket of an object of a run. */
export const objectBucket = (object: string): string => (ofWorkers.has(object.split(".")[2]!) ? CHANGES : VALUES);
