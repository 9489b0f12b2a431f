/**
 * The parts of the reports of mnist98.mjs and pytorch_mnist.py that the summary uses.
 *
 * @typedef {object} SeedResult
 * @property {number} seconds
 * @property {number} imagesPerSecond
 * @property {number} accuracy on the test set, after the last step
 * @property {number[]} secondsAtEpoch
 * @property {number[]} accuracyAtEpoch
 *
 * @typedef {object} Run
 * @property {string} mode
 * @property {string} name of the recipe
 * @property {number} [batch]
 * @property {number} [width]
 * @property {number} [steps]
 * @property {SeedResult[]} seeds empty if the run failed
 *
 * @typedef {{ runs: Run[] }} Report
 *
 * The parts of the report of `wgrad bench` that the summary uses.
 *
 * @typedef {object} Benchmark
 * @property {{ flopsPerSecond: number }} ceilings
 * @property {{ flops: number, flopsPerSecond: number }[]} kernels
 *
 * The end of the log of `wgrad train --preset cnn`.
 *
 * @typedef {{ testAccuracy: number, seconds: number, imagesPerSecond: number, steps: number }} CnnRun
 *
 * The report of gpt.mjs.
 *
 * @typedef {object} GptRun
 * @property {number} parameters
 * @property {number} batch
 * @property {number} context
 * @property {number} millisecondsPerStep
 * @property {number} dispatches of a step
 * @property {{ kernel: string, shapes: string, grid: number[], microseconds: number }[]} slowest dispatches
 *
 * The report of products.mjs: tilings by their time, the fastest first.
 *
 * @typedef {object} ProductTimes
 * @property {number} size
 * @property {{ name: string, times?: { tiling: string, milliseconds: number }[], skipped?: string, failed?: string }[]} products
 *
 * The report of variants.mjs.
 *
 * @typedef {object} Variants
 * @property {{ name: string, milliseconds?: number, cpuMilliseconds?: number, difference?: number, stepBytes?: number,
 *   skipped?: string, failed?: string }[]} variants
 *
 * The report of background.mjs.
 *
 * @typedef {object} Background
 * @property {number} slowdown the share by which steps took longer on average
 * @property {number} delays submits that took 10 ms longer than the median without the tuner
 * @property {number} delaysAlone the same, of the run without the tuner
 * @property {{ submits: number, largest: number }} tuned
 * @property {Record<string, string>} choices
 * @property {boolean} sameBits
 *
 * Medians over the seeds; null if fewer than half of the seeds reached the target.
 *
 * @typedef {object} Medians
 * @property {number} imagesPerSecond
 * @property {number} seconds
 * @property {number} accuracy
 * @property {number | null} firstEpoch the first epoch that ends at or above the target accuracy
 * @property {number | null} secondsToTarget the time to the end of that epoch
 *
 * @typedef {object} Summary
 * @property {number} target
 * @property {{ name: string, width: number, steps: number, seeds: number, modes: Record<string, Medians> }[]} recipes
 * @property {CnnRun | null} cnn
 * @property {GptRun | null} gpt
 * @property {ProductTimes | null} products
 * @property {Variants | null} variants
 * @property {Background | null} background
 * @property {Record<string, string>} tilings the tuner's choices that were used, by class of products; others had the default
 * @property {{ goal: string, measured: string, reached: boolean | null }[]} goals null if not measured
 */

/** The test accuracy of the convolutional network, and the seconds in which to reach it. */
const CNN_TARGET = 0.993;
const CNN_SECONDS = 10;

/** The rows and columns of the large product. */
const LARGE_SIZE = 4096;

/** The goal of the tuner in the background: the share of the time that it may take. */
const LARGEST_SLOWDOWN = 0.02;

const WGRAD = "wgrad";
const EAGER = "PyTorch eager";
const GRAPHS = "PyTorch CUDA graphs";

/**
 * Summarizes the reports.
 *
 * @param {object} found
 * @param {Report[]} found.reports
 * @param {Benchmark} [found.benchmark]
 * @param {CnnRun} [found.cnn]
 * @param {GptRun} [found.gpt]
 * @param {ProductTimes} [found.products]
 * @param {Variants} [found.variants]
 * @param {Background} [found.background]
 * @param {Record<string, string>} [found.tilings]
 * @param {number} found.target the test accuracy to reach
 * @returns {Summary}
 */
export function summarize({ reports, benchmark, cnn, gpt, products, variants, background, tilings = {}, target }) {
  const runs = reports.flatMap((report) => report.runs).filter(({ seeds }) => seeds.length > 0);
  const recipes = [...new Set(runs.map(({ name }) => name))].map((name) => {
    const own = runs.filter((run) => run.name === name);
    const { batch, width, steps } = own[0];
    const modes = Object.fromEntries(own.map((run) => [run.mode, mediansOf(run.seeds, target)]));
    return { name, batch, width, steps, seeds: own[0].seeds.length, modes };
  });
  const { modes: small } = recipes.find(({ batch }) => batch === 64) ?? { modes: {} };
  const speedGoals = [speedGoal(small, EAGER, 3), speedGoal(small, GRAPHS, 1)];
  const productGoals = [productGoal(benchmark, products), backgroundGoal(background)];
  const goals = [timeGoal(recipes, target), ...speedGoals, cnnGoal(cnn), ...productGoals];
  const optional = Object.fromEntries(
    Object.entries({ cnn, gpt, products, variants, background }).map(([name, report]) => [name, report ?? null]),
  );
  return { target, recipes, ...optional, tilings, goals };
}

/**
 * @param {SeedResult[]} seeds
 * @param {number} target
 * @returns {Medians}
 */
function mediansOf(seeds, target) {
  const epochs = seeds.map(({ accuracyAtEpoch }) => accuracyAtEpoch.findIndex((accuracy) => accuracy >= target));
  const secondsTo = seeds.map(({ secondsAtEpoch }, seed) => secondsAtEpoch[epochs[seed]] ?? Infinity);
  return {
    imagesPerSecond: median(seeds.map(({ imagesPerSecond }) => imagesPerSecond)),
    seconds: median(seeds.map(({ seconds }) => seconds)),
    accuracy: median(seeds.map(({ accuracy }) => accuracy)),
    firstEpoch: finiteOrNull(median(epochs.map((epoch) => (epoch < 0 ? Infinity : epoch + 1)))),
    secondsToTarget: finiteOrNull(median(secondsTo)),
  };
}

function timeGoal(recipes, target) {
  const goal = `${percent(target)} on the test set in under 1 s, whole schedule`;
  const own = recipes.flatMap(({ name, modes }) => (modes[WGRAD] ? [{ name, ...modes[WGRAD] }] : []));
  if (own.length === 0) return { goal, measured: "not measured", reached: null };
  const right = own.filter(({ accuracy }) => accuracy >= target);
  if (right.length === 0) return { goal, measured: "accuracy not reached", reached: false };
  const { name, seconds, accuracy } = right.toSorted((one, other) => one.seconds - other.seconds)[0];
  return { goal, measured: `${seconds.toFixed(3)} s (${name}), ${percent(accuracy)}`, reached: seconds < 1 };
}

function speedGoal(modes, peer, factor) {
  const goal = `batch 64: images/s at least ${factor} × ${peer}`;
  if (!modes[WGRAD] || !modes[peer]) return { goal, measured: "not measured", reached: null };
  const ratio = modes[WGRAD].imagesPerSecond / modes[peer].imagesPerSecond;
  return { goal, measured: `${ratio.toFixed(2)} ×`, reached: ratio >= factor };
}

function cnnGoal(cnn) {
  const goal = `${percent(CNN_TARGET)} with the preset cnn in under ${CNN_SECONDS} s`;
  if (cnn === undefined) return { goal, measured: "not measured", reached: null };
  const { testAccuracy, seconds } = cnn;
  const reached = testAccuracy >= CNN_TARGET && seconds < CNN_SECONDS;
  return { goal, measured: `${seconds.toFixed(3)} s, ${percent(testAccuracy)}`, reached };
}

function productGoal(benchmark, products) {
  const goal = "float32 product 4096³: at least 60 % of the measured multiply-add ceiling";
  const flops = 2 * LARGE_SIZE ** 3;
  const rates =
    benchmark?.kernels.filter((kernel) => kernel.flops === flops).map((kernel) => kernel.flopsPerSecond) ?? [];
  if (products?.size === LARGE_SIZE) {
    const best = products.products.find(({ name }) => name === "float32")?.times?.[0];
    if (best) rates.push((flops / best.milliseconds) * 1000);
  }
  if (benchmark === undefined || rates.length === 0) return { goal, measured: "not measured", reached: null };
  const share = Math.max(...rates) / benchmark.ceilings.flopsPerSecond;
  return { goal, measured: percent(share), reached: share >= 0.6 };
}

function backgroundGoal(background) {
  const goal = `the tuner in the background: no more submits 10 ms longer, ${percent(LARGEST_SLOWDOWN)} on average, the same bits`;
  if (background === undefined) return { goal, measured: "not measured", reached: null };
  const { slowdown, delays, delaysAlone, tuned, sameBits } = background;
  const bits = sameBits ? "the same bits" : "other bits";
  const measured = `${delays} of ${tuned.submits} submits (${delaysAlone} without it), ${percent(slowdown)}, ${bits}`;
  return { goal, measured, reached: delays <= delaysAlone && slowdown <= LARGEST_SLOWDOWN && sameBits };
}

/**
 * The summary as text.
 *
 * @param {Summary} summary
 * @returns {string[]} lines
 */
export function summaryLines({ target, recipes, cnn, gpt, products, variants, background, tilings, goals }) {
  const modes = [WGRAD, EAGER, GRAPHS];
  const rows = [
    ["images/s", ({ imagesPerSecond }) => Math.round(imagesPerSecond).toLocaleString("en-US")],
    ["whole schedule, s", ({ seconds }) => seconds.toFixed(3)],
    ["final test accuracy", ({ accuracy }) => percent(accuracy)],
    [`first epoch at ${percent(target)}`, ({ firstEpoch }) => firstEpoch ?? "none"],
    ["s to the end of it", ({ secondsToTarget }) => secondsToTarget?.toFixed(3) ?? "none"],
  ];
  const line = (label, cells) => [label.padEnd(24), ...cells.map((cell) => String(cell).padStart(20))].join("");
  return [
    ...recipes.flatMap(({ name, width, steps, seeds, modes: measured }) => [
      `784-${width}-10, ${name}, ${steps} steps, medians of ${seeds} seeds`,
      line("", modes),
      ...rows.map(([label, cell]) =>
        line(
          label,
          modes.map((mode) => (measured[mode] ? cell(measured[mode]) : "–")),
        ),
      ),
      "",
    ]),
    ...(cnn ? cnnLines(cnn) : []),
    ...(gpt ? gptLines(gpt) : []),
    ...(products ? productLines(products) : []),
    ...(variants ? variantLines(variants) : []),
    ...(background ? backgroundLines(background) : []),
    tilingsLine(Object.keys(tilings).length),
    "",
    ...goals.map(({ goal, measured, reached }) => `${answer(reached).padEnd(5)}${goal}: ${measured}`),
  ];
}

function cnnLines({ testAccuracy, seconds, imagesPerSecond, steps }) {
  const speed = `${Math.round(imagesPerSecond).toLocaleString("en-US")} images/s`;
  return [`preset cnn, ${steps} steps: ${seconds.toFixed(3)} s, ${speed}, test accuracy ${percent(testAccuracy)}`, ""];
}

function gptLines({ parameters, batch, context, millisecondsPerStep, dispatches, slowest }) {
  const network = `GPT of ${parameters.toLocaleString("en-US")} parameters, ${batch} × ${context} tokens`;
  return [
    `${network}: ${millisecondsPerStep.toFixed(3)} ms a step, ${dispatches} dispatches${slowest.length > 0 ? "; the slowest:" : ""}`,
    ...slowest.map(({ kernel, shapes, grid, microseconds }) => {
      const time = `${microseconds.toFixed(1)} µs`.padStart(12);
      return `${time}  ${grid.join("×").padEnd(10)}  ${kernel}  ${shapes}`;
    }),
    "",
  ];
}

/** The three fastest tilings of each kind of products. */
function productLines({ size, products }) {
  const timeLines = (times) =>
    times.slice(0, 3).map(({ tiling, milliseconds }) => {
      const rate = (2 * size ** 3) / milliseconds / 1e9;
      return `${`${milliseconds.toFixed(3)} ms`.padStart(14)}  ${rate.toFixed(2)} TFLOP/s  ${tiling}`;
    });
  const lines = products.flatMap(({ name, times = [], skipped, failed }) => [
    [`${size}³, ${name}`, failed ?? skipped].filter(Boolean).join(": "),
    ...timeLines(times),
  ]);
  return [...lines, ""];
}

function variantLines({ variants }) {
  const lines = variants.map(({ name, failed, skipped, milliseconds, cpuMilliseconds, difference, stepBytes }) => {
    if (milliseconds === undefined) return `${name}: ${failed ?? skipped}`;
    const cost = `${milliseconds.toFixed(3)} ms a step, ${cpuMilliseconds.toFixed(3)} ms of CPU time`;
    return `${name}: ${cost}, ${(stepBytes / 1e6).toFixed(2)} MB, losses differ by ${difference.toExponential(1)}`;
  });
  return [...lines, ""];
}

function backgroundLines({ choices }) {
  const lines = Object.entries(choices).map(([product, tiling]) => `${product}: ${tiling}`);
  return [`classes of products chosen by the tuner in the background: ${lines.length}`, ...lines, ""];
}

function tilingsLine(tuned) {
  return tuned === 0 ? "Tilings: defaults" : `Tilings: by the tuner for ${tuned} classes of products, else defaults`;
}

function answer(reached) {
  if (reached === null) return "?";
  return reached ? "yes" : "no";
}

/** The median; the upper one of two middle values. */
function median(values) {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
}

function finiteOrNull(value) {
  return Number.isFinite(value) ? value : null;
}

function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}
