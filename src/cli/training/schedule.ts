import { OptionError } from "../../errors.ts";
import { warmup as warmedUp, type OneCycleOptions, type RestartOptions, type Schedule } from "../../nn/schedules.ts";
import type { SettledFlags } from "../options/defaults.ts";
import { schedules } from "../options/options.ts";

type Flags = Pick<SettledFlags, "schedule" | "rise" | "finalRate" | "warmup">;

/** The schedules that have an end as a fraction of the learning rate. */
const ending = ["cosine", "linear", "cosineRestarts", "oneCycle"];

/**
 * The learning-rate schedule that the options describe.
 * @throws OptionError for --rise or --final-rate with a schedule that does not have it
 */
export function scheduleOf({ schedule, rise, finalRate, warmup }: Flags): Schedule {
  if (rise !== undefined && schedule !== "oneCycle")
    throw refuse("--rise", `the schedule ${schedule} does not raise the learning rate`, "Use --schedule oneCycle");
  if (finalRate !== undefined && !ending.includes(schedule))
    throw refuse("--final-rate", `the schedule ${schedule} has no final rate`, `Use --schedule ${ending.join(" or ")}`);
  const make: (options: RestartOptions & OneCycleOptions) => Schedule = schedules[schedule];
  const decay = make({ rise, final: finalRate });
  return warmup > 0 ? warmedUp(warmup, decay) : decay;
}

const refuse = (where: string, what: string, fix: string) => new OptionError({ where, what, fix });
