import type { Backend } from "../../backends/backend.ts";
import { createNodeBackend } from "../../node/index.ts";
import type { TrainFlags } from "../options/train-options.ts";
import { warn } from "../text/terminal.ts";

/** The backend that a run trains on. Its tuner measures tilings in the background unless `--no-tune` is given. */
export const trainingBackend = ({ device, tune }: Pick<TrainFlags, "device" | "tune">): Promise<Backend> =>
  createNodeBackend({ device, log: warn, backgroundTuning: tune ? undefined : false });
