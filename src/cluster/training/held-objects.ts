/*
 * The objects of a round that its coordinator still has in memory. If the server loses one, the coordinator stores it again.
 */
import { DataError, optionName } from "../../errors.ts";
import type { NatsLink } from "../connection.ts";
import { MessageError } from "../messages.ts";
import type { ObjectReference } from "../objects.ts";
import { whileUnreachable } from "../retry.ts";
import type { RunStore } from "./run-store.ts";

/** An object on the server, and its contents. */
export interface HeldObject {
  readonly reference: ObjectReference;
  readonly bytes: Uint8Array;
}

export interface HeldParts {
  readonly link: NatsLink;
  readonly store: Pick<RunStore, "get" | "putAgain">;
  readonly run: string;
  /** The round that begins with these objects, from 0. */
  readonly round: number;
  readonly objects: readonly HeldObject[];
  log(line: string): void;
}

/** How often the objects of one round are stored again. A server that loses them more often does not keep them. */
const MOST_REPAIRS = 3;

/** The server has lost the values that the next round begins with. */
export class LostValuesError extends DataError {
  /** @param round the number of rounds that were committed */
  constructor(run: string, round: number, cause: MessageError) {
    const what = `it cannot continue, because the values after round ${round} are lost (${cause.where}: ${cause.what})`;
    const fix = `Restore the files of the server from a backup, or start another run, for example with another ${optionName("seed")}`;
    super({ where: `run ${run}`, what, fix }, { cause });
  }
}

/** The objects that one round needs. */
export class HeldObjects {
  readonly #parts: HeldParts;
  #repairs = 0;

  constructor(parts: HeldParts) {
    this.#parts = parts;
  }

  /**
   * Reads all objects, and stores those again that the server has lost. While the server cannot be reached, it tries again.
   * @returns whether the server had lost one
   * @throws LostValuesError if the server has lost one again after three repairs; LeaseLostError if another process has committed
   * a round since; the reason of the signal if it is aborted
   */
  async repair(ended: AbortSignal): Promise<boolean> {
    const { link, store, run, round, log } = this.#parts;
    let isRepaired = false;
    for (const { reference, bytes } of this.#parts.objects) {
      const fault = await this.#faultOf(reference, ended);
      if (!fault) continue;
      if (this.#repairs === MOST_REPAIRS) throw new LostValuesError(run, round, fault);
      await whileUnreachable(link, () => store.putAgain(reference, bytes, round), ended);
      log(
        `An object of round ${round + 1} is stored again, because it cannot be read (${fault.where}: ${fault.what}).`,
      );
      isRepaired = true;
    }
    if (isRepaired) this.#repairs++;
    return isRepaired;
  }

  /** Why an object cannot be read; undefined if it can. */
  async #faultOf(reference: ObjectReference, ended: AbortSignal): Promise<MessageError | undefined> {
    const { link, store } = this.#parts;
    try {
      await whileUnreachable(link, () => store.get(reference), ended);
      return undefined;
    } catch (error) {
      if (error instanceof MessageError) return error;
      throw error;
    }
  }
}
