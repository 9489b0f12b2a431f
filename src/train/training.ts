/*
 * A training that is iterated for its events, or awaited.
 */
import { OptionError } from "../errors.ts";
import { requireTraining } from "./given.ts";

/**
 * What `trainer.fit` and `fitUntil` return. Nothing is trained before it is used in one of these ways:
 * - `for await (const event of training)` trains, and yields progress events. Leaving the loop ends the training.
 * - `await training` trains to the end without events, and gives what the training returns: of `fitUntil`, why it stopped. After
 *   a loop over all events, it gives the same at once. After a loop that failed, it fails with the same error, and after one that was
 *   left, with an OptionError.
 * - `runToEnd(training, onEvent)` trains to the end, and calls a function with each event.
 *
 * An async function that returns a training awaits it, as it does with a promise, and so trains to the end. To pass a training on
 * from there, return it inside an object, or return the trainer.
 */
export interface Training<Event, Result = void> extends AsyncGenerator<Event, Result, undefined>, PromiseLike<Result> {}

/** Makes a training of the generator of its events. */
export function trainingOf<Event, Result>(events: AsyncGenerator<Event, Result, undefined>): Training<Event, Result> {
  let end: (() => Promise<Result>) | undefined;
  async function* remembered(): AsyncGenerator<Event, Result, undefined> {
    try {
      const result = yield* events;
      end ??= () => Promise.resolve(result);
      return result;
    } catch (error) {
      end ??= () => Promise.reject(error);
      throw error;
    } finally {
      end ??= () => Promise.reject(leftLoop());
    }
  }
  const training = remembered();
  const then: PromiseLike<Result>["then"] = (onEnd, onError) => {
    if (!end) {
      const running = runToEnd(training);
      end = () => running;
    }
    return end().then(onEnd, onError);
  };
  // oxlint-disable-next-line unicorn/no-thenable -- A generator that is awaited would do nothing, and would not say so.
  return Object.assign(training, { then });
}

const leftLoop = () =>
  new OptionError({
    where: "await",
    what: "the loop over the events of this training was left before its end, so it has no result",
    fix: "Call fit or fitUntil again, which continues from there",
  });

/**
 * Runs a training of `trainer.fit` or `fitUntil` to its end, with a function for its events in place of a loop.
 *
 * @example
 * ```ts
 * const { reason } = await runToEnd(fitUntil(trainer, { validation, patience: 5 }), ({ loss }) => console.log(loss));
 * ```
 *
 * @param onEvent called with each progress event; training goes on while its promise, if it returns one, is pending
 * @returns what the training returns: of `fitUntil`, why it stopped
 * @throws OptionError if it is not a training; all errors of the training, and those that `onEvent` throws, after the steps
 * that were already submitted
 */
export async function runToEnd<Event, Result>(
  training: AsyncGenerator<Event, Result, undefined>,
  onEvent?: (event: Event) => unknown,
): Promise<Result> {
  requireTraining(training);
  try {
    for (let next = await training.next(); ; next = await training.next()) {
      if (next.done) return next.value;
      await onEvent?.(next.value);
    }
  } finally {
    // Ends the training if `onEvent` threw an error.
    await training.return(undefined as never);
  }
}
