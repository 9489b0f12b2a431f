import { continueOnCpu } from "./link.ts";

/** Offered when the GPU is lost or missing. */
export const ContinueOnCpu = () => (
  <p class="row">
    <button type="button" class="primary" data-testid="continue-on-cpu" onClick={continueOnCpu}>
      Continue on the CPU
    </button>
  </p>
);
