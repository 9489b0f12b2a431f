import { signal } from "@preact/signals";
import type { StepProfile } from "../contract.ts";
import { networkVersion, prepared, profileStep } from "../state/index.ts";
import { DispatchTable } from "../../shared/dispatch-table.tsx";
import { scaled, rounded } from "../../shared/format.ts";

/** The last measurement, and its network. */
const measured = signal<{ of: readonly unknown[]; profile: StepProfile } | undefined>(undefined);
/** The network that is being measured. */
const busy = signal<number | undefined>(undefined);
const failure = signal<string | undefined>(undefined);

async function measure(): Promise<void> {
  busy.value = networkVersion.value;
  failure.value = undefined;
  const of = prepared.value!.dispatches;
  try {
    measured.value = { of, profile: await profileStep() };
  } catch (error) {
    failure.value = error instanceof Error ? error.message : String(error);
  }
  busy.value = undefined;
}

/** The list of dispatches that every step replays. */
export function Dispatches() {
  const dispatches = prepared.value?.dispatches ?? [];
  const isBusy = busy.value === networkVersion.value;
  const profile = measured.value?.of === dispatches ? measured.value?.profile : undefined;
  const times = profile?.nanoseconds;
  const timesTotal = times?.reduce((sum, time) => sum + time, 0) ?? 0;
  const flops = dispatches.reduce((sum, dispatch) => sum + dispatch.flops, 0);
  return (
    <div>
      <div class="row spread measure">
        <p class="quiet">
          A step runs {dispatches.length} dispatches in one compute pass, {scaled(flops)}FLOP in total.{" "}
          {times
            ? `Each dispatch was timed in a pass of its own. The medians add up to ${rounded(timesTotal / 1e6)} ms. Browsers round GPU times.`
            : "The bars show the share of the FLOP."}
        </p>
        <button type="button" data-testid="profile" disabled={!prepared.value || isBusy} onClick={measure}>
          {isBusy ? "Measuring …" : "Measure times"}
        </button>
      </div>
      {profile?.reason && <p class="notice">Dispatches cannot be timed here: {profile.reason}.</p>}
      {failure.value && (
        <p class="fault" role="alert">
          {failure.value}
        </p>
      )}
      <DispatchTable dispatches={dispatches} times={times && [...times]} testId="dispatches" />
    </div>
  );
}
