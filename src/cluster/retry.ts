import { WgradError } from "../errors.ts";
import type { NatsLink } from "./connection.ts";

const RETRY_MILLISECONDS = 1000;

/** Whether an action may succeed later, because the server could not be reached or did not answer. */
export function isUnreachable({ packages, connection }: NatsLink, error: unknown): boolean {
  const { JetStreamApiError } = packages.jetstream;
  const { PermissionViolationError } = packages.transport;
  const isAnswer = [JetStreamApiError, PermissionViolationError, WgradError].some((type) => error instanceof type);
  return !isAnswer && !connection.isClosed();
}

/** Waits before the next attempt. @throws the reason of the signal if it is aborted */
export async function pauseBeforeRetry(signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
}

/** Repeats an action while the server cannot be reached. The action must have the same effect if it is done twice. */
export async function whileUnreachable<Value>(
  link: NatsLink,
  action: () => Promise<Value>,
  signal?: AbortSignal,
): Promise<Value> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!isUnreachable(link, error)) throw error;
      await pauseBeforeRetry(signal);
    }
  }
}
