/*
 * Messages of the Digits tab, and the offer of an earlier network.
 */
import { ContinueOnCpu } from "../../continue.tsx";
import { CloseButton } from "../../shared/close-button.tsx";
import { percent } from "../../shared/format.ts";
import { deviceGone, fault, notice, offered, resume } from "../state/index.ts";

/** Offers the network of an earlier visit. */
function Offer() {
  const kept = offered.value;
  if (!kept) return null;
  return (
    <p class="notice" data-testid="offer">
      <button type="button" data-testid="continue" onClick={() => resume("earlier")}>
        Continue with the network saved at {timeOf(kept.savedAt)}
      </button>{" "}
      <span class="quiet">
        step {kept.step.toLocaleString("en")}
        {kept.accuracy !== undefined && `, test accuracy ${percent(kept.accuracy)}`}
      </span>{" "}
      <CloseButton close={() => (offered.value = undefined)} />
    </p>
  );
}

/** A time such as "14:02", or "14:02 on Nov 26, 2026" if that is not today. */
function timeOf(milliseconds: number): string {
  const then = new Date(milliseconds);
  const time = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return then.toDateString() === new Date().toDateString()
    ? time
    : `${time} on ${then.toLocaleDateString("en-US", { dateStyle: "medium" })}`;
}

export function Messages() {
  return (
    <div aria-live="polite" class="messages">
      <Offer />
      {notice.value && (
        <p class="notice" data-testid="notice">
          {notice.value} <CloseButton close={() => (notice.value = undefined)} />
        </p>
      )}
      {fault.value && (
        <p class="fault" role="alert" data-testid="fault">
          {fault.value} <CloseButton close={() => (fault.value = undefined)} />
        </p>
      )}
      {deviceGone.value && <ContinueOnCpu />}
    </div>
  );
}
