import { continueOnCpu } from "./link.ts";

/** For where the GPU is gone, or never was. */
export const ContinueOnCpu = () => (
  <p class="row">
    <button type="button" class="primary" data-testid="continue-on-cpu" onClick={continueOnCpu}>
      Continue on the CPU
    </button>
  </p>
);
