/*
 * Joins a run with a trainer of this process.
 */
import { DataError } from "../../errors.ts";
import type { AnyModel } from "../../nn/functional.ts";
import type { Trainer } from "../../train/index.ts";
import { version } from "../../version.ts";
import type { NatsLink } from "../connection.ts";
import { layoutOf } from "./layout.ts";
import { TrainingMember, type MemberOptions } from "./member.ts";
import type { RunDescription } from "./messages.ts";
import { newMember } from "./names.ts";
import { RoundTrainer, type Breaks } from "./round-trainer.ts";
import { loadRun } from "./run-store.ts";

/**
 * Reads the description of a run that this version of wgrad can join.
 * @throws DataError if the server does not have it, or if it is of another version; MessageError if it is damaged
 */
export async function loadOwnRun(link: NatsLink, name: string): Promise<RunDescription> {
  const description = await loadRun(link, name);
  if (description.version === version) return description;
  const what = `it is of wgrad ${description.version}, and this is wgrad ${version}`;
  throw new DataError({ where: `run ${name}`, what, fix: "Use the same version on all machines" });
}

export interface JoinOptions extends Pick<MemberOptions, "link" | "run" | "name" | "signal" | "trained" | "warn"> {
  readonly description: RunDescription;
  readonly model: AnyModel;
  readonly trainer: Trainer<AnyModel>;
  /** For a device that computes in this thread; by default there are no breaks. */
  readonly breaks?: Breaks;
}

/**
 * Trains tasks of a run until it is finished, the signal is aborted, or its coordinator was not heard for two minutes. Disposes
 * of the trainer.
 * @returns the number of rounds
 */
export async function joinRun({ description, model, trainer, breaks, ...member }: JoinOptions): Promise<number> {
  const layout = layoutOf(model);
  const { changeType } = description.sharing;
  const rounds = new RoundTrainer({ worker: newMember(), trainer, layout, changeType, ...(breaks && { breaks }) });
  try {
    return await new TrainingMember({ ...member, layout, trainer: rounds, version }).run();
  } finally {
    rounds.dispose();
  }
}
