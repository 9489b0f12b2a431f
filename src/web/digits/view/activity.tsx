import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { cancelWork } from "../../link.ts";
import type { Activity } from "../contract.ts";
import { activity, prepared, step } from "../state/index.ts";

/** Work that takes longer than this is shown. */
const SLOW_MILLISECONDS = 1000;

/** Work that takes longer than this can be canceled. */
const CANCEL_MILLISECONDS = 3000;

/** Shows work that takes more than a second, such as a step or the preparation of a network. */
export function ActivityLine() {
  const now = useSignal(performance.now());
  const began = useSignal(performance.now());
  const [current, finishedSteps] = [activity.value, step.value];
  useEffect(() => {
    now.value = began.value = performance.now();
    if (current === undefined) return undefined;
    const timer = setInterval(() => (now.value = performance.now()), 500);
    return () => clearInterval(timer);
  }, [current, finishedSteps, prepared.value]);
  const milliseconds = now.value - began.value;
  const isShown = current !== undefined && milliseconds >= SLOW_MILLISECONDS;
  return (
    <p class="activity" role="status" data-testid="activity">
      {isShown && (
        <>
          <span class="spinner" aria-hidden="true" /> {activityText(current, finishedSteps + 1)}{" "}
          <span aria-hidden="true">{Math.floor(milliseconds / 1000)} s</span>
          {milliseconds >= CANCEL_MILLISECONDS && (
            <button
              type="button"
              data-testid="cancel-step"
              onClick={cancelWork}
              title="Stops immediately. The network returns to its last saved state."
            >
              Cancel
            </button>
          )}
        </>
      )}
    </p>
  );
}

function activityText(current: Activity, next: number): string {
  switch (current) {
    case "preparing":
      return "Preparing the network …";
    case "training":
      return `Running step ${next} …`;
    case "finishing":
      return `Pausing after step ${next} …`;
    case "comparing":
      return "Training on both devices …";
    case "measuring":
      return "Measuring a step …";
  }
}
