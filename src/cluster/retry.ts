import type { NatsLink } from "./connection.ts";
import { ReadTimeoutError } from "./objects.ts";

/** The status of an answer that is not final, as while a server starts. */
const UNAVAILABLE = 503;

const RETRY_MILLISECONDS = 1000;

/** Whether an action may succeed later, because the server could not be reached or did not answer. */
export function isUnreachable({ packages, connection }: NatsLink, error: unknown): boolean {
  const { TimeoutError, NoRespondersError, ConnectionError, RequestError, PermissionViolationError } =
    packages.transport;
  const { JetStreamApiError, JetStreamError } = packages.jetstream;
  const causes = causesOf(error);
  const isAny = (types: readonly (abstract new (...parts: never[]) => Error)[]) =>
    causes.some((cause) => types.some((type) => cause instanceof type));
  if (connection.isClosed() || isAny([PermissionViolationError])) return false;
  const answer = causes.find((cause) => cause instanceof JetStreamApiError);
  if (answer) return answer.status === UNAVAILABLE;
  return isAny([TimeoutError, NoRespondersError, ConnectionError, RequestError, JetStreamError, ReadTimeoutError]);
}

/** An error, its cause, the cause of that, and so on. */
function causesOf(error: unknown): unknown[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
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
