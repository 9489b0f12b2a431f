/*
 * How long the rounds of a shared run take with many workers, computed from times that were measured with few: a simulation
 * of `Coordinator` and `TrainingMember` in which only time passes.
 */
import { Random } from "../../random.ts";

/** What was measured, and the machines that are assumed. Times are in seconds, rates in bytes per second. */
export interface ScaleOptions {
  readonly workers: number;
  /** The number of rounds to simulate. */
  readonly rounds: number;
  /** H, the steps of a worker in a round. */
  readonly innerSteps: number;
  /** The time of a step on one worker. */
  readonly stepSeconds: number;
  /** The values of the model. */
  readonly parameters: number;
  /** The bytes of a value in a change: 2 for float16. */
  readonly changeBytes: number;
  /** The rate of each worker's line, and of the coordinator's, in each direction. */
  readonly linkRate: number;
  /** The rate of the server's line in each direction, which all workers share. */
  readonly serverRate: number;
  /** The time of a message from one machine to the server. */
  readonly latencySeconds: number;
  /** The time in which the coordinator decodes and adds one value of one change. */
  readonly addSeconds: number;
  /** The time of a round that depends on nothing else: the messages that are written, and the record of the round. */
  readonly roundSeconds: number;
  /** The standard deviation of the logarithm of the speed of a worker, and of that of a worker in a round. */
  readonly spread: { readonly machines: number; readonly rounds: number };
  /** The share of the workers that a round waits for in any case. */
  readonly quorum: number;
  /** The least time that the other workers have after the quorum. They have as long again as the quorum took. */
  readonly graceSeconds: number;
  /** Of the random speeds. */
  readonly seed: number;
}

/** What a simulated run took. */
export interface ScaleResult {
  readonly seconds: number;
  /** The steps that were committed. */
  readonly steps: number;
  /** The steps per second, as a multiple of those of one machine without a cluster, in the mean of the machines. */
  readonly speedup: number;
  /** The speed-up per worker: the share of what the machines would do apart from each other. */
  readonly efficiency: number;
  /** The share of the time in which the workers train; the rest is waiting and messages. */
  readonly training: number;
  /** The share of tasks whose changes came too late. */
  readonly late: number;
}

/** Simulates a run. The same options give the same result. */
export function simulateRun(options: ScaleOptions): ScaleResult {
  const { workers, rounds, innerSteps, stepSeconds, spread, seed } = options;
  const machines = factors(new Random(seed), workers, spread.machines);
  let [seconds, steps, trained, late] = [0, 0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    const inRound = factors(new Random(seed, round + 1), workers, spread.rounds);
    const training = machines.map((machine, worker) => innerSteps * stepSeconds * machine * inRound[worker]!);
    const result = simulateRound(training, options);
    seconds += result.seconds;
    steps += innerSteps * result.used;
    late += workers - result.used;
    trained += training.reduce((sum, time) => sum + Math.min(time, result.seconds), 0) / workers;
  }
  const apart = machines.reduce((sum, machine) => sum + 1 / (stepSeconds * machine), 0) / workers;
  const speedup = steps / seconds / apart;
  return {
    seconds,
    steps,
    speedup,
    efficiency: speedup / workers,
    training: trained / seconds,
    late: late / (rounds * workers),
  };
}

/** Factors of times whose mean is 1: log-normal numbers with this standard deviation of the logarithm. */
function factors(random: Random, count: number, deviation: number): number[] {
  return Array.from({ length: count }, () => Math.exp(random.normal(0, deviation) - deviation ** 2 / 2));
}

/**
 * Simulates one round.
 * @param training the time that each worker trains
 * @returns its duration, and the number of changes that were used
 */
export function simulateRound(
  training: readonly number[],
  options: ScaleOptions,
): { readonly seconds: number; readonly used: number } {
  const { parameters, changeBytes, linkRate, serverRate, latencySeconds, addSeconds, roundSeconds } = options;
  const workers = training.length;
  const [values, change] = [4 * parameters, changeBytes * parameters];
  // All workers read the values at the same time.
  const started = 2 * latencySeconds + Math.max(values / linkRate, (workers * values) / serverRate);
  // The server receives one change after another, and sends them on to the coordinator, which adds them.
  const ready = training.map((time) => started + time + change / linkRate).sort((one, other) => one - other);
  const perChange = change / Math.min(linkRate, serverRate) + addSeconds * parameters;
  const arrived: number[] = [];
  let [received, added] = [0, 0];
  for (const time of ready) {
    received = Math.max(received + change / serverRate, time);
    added = Math.max(added, received + 2 * latencySeconds) + perChange;
    arrived.push(added);
  }
  const quorum = arrived[Math.max(1, Math.ceil(options.quorum * workers)) - 1]!;
  const deadline = quorum + Math.max(quorum, options.graceSeconds);
  const used = arrived.filter((time) => time <= deadline).length;
  const collected = used === workers ? arrived.at(-1)! : deadline;
  // The new values and the momentum are stored before the next round.
  const stored = (2 * values) / Math.min(linkRate, serverRate);
  return { seconds: collected + stored + roundSeconds, used };
}
