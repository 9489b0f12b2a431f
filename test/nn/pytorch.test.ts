/*
 * The differences that docs/guide/coming-from-pytorch.md lists, beside what PyTorch 1.13 (Debian's python3-torch) gives in
 * float64. Seven steps down E = Σ ¾ w² + e^(w/5), learning rate 0.1 / (1 + step) unless a schedule is named.
 */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { parameter, stateOp, stepScalar, type StoredAttributes } from "../../src/graph/leaves.ts";
import { clipByGlobalNorm, losses, optimizers, schedules, type Optimizer } from "../../src/nn/index.ts";
import { add, exp, multiply, square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { classificationMetrics } from "../../src/train/index.ts";
import { evaluate } from "./run.ts";

const STEPS = 7;
const start = [0.5, -1.25, 2, 0, -0.75, 1.5, 1, -2];

async function descend(optimizer: Optimizer, rate = (step: number) => 0.1 / (1 + step)) {
  const weight = parameter("weight", [8], start);
  const loss = sum(add(multiply(square(weight), 0.75), exp(multiply(weight, 0.2))));
  const updates = optimizer.update([weight], gradients(loss, [weight]), {
    learningRate: stepScalar("learningRate", rate),
  });
  const states = updates
    .filter(({ target }) => target.op === stateOp)
    .map(({ target }) => (target.attributes as StoredAttributes).name);
  const { leaves } = await evaluate({}, { updates, steps: STEPS, leaves: [weight] });
  return { values: leaves[0]!, states };
}

const distance = (found: readonly number[], wanted: readonly number[]) =>
  Math.max(...found.map((value, index) => Math.abs(value - wanted[index]!)));

/** float64 rounds seven steps of values near 1 to far less. */
const ROUNDING = 1e-14;

const torch: Record<string, readonly number[]> = {
  // SGD(momentum=0.7)
  momentum: [
    0.13295917594801296, -0.599148156774611, 0.7553959888194786, -0.0756345521181333, -0.3894187549515437,
    0.5485229340953144, 0.34102714064508965, -0.9144662116319737,
  ],
  // SGD(momentum=0.7, nesterov=True)
  nesterov: [
    0.08076819599968905, -0.5062376806169379, 0.5791549589288083, -0.08640237731583747, -0.3379979641990423,
    0.4135906051541674, 0.2474464850167866, -0.7592833520902266,
  ],
  // SGD(momentum=0.9) under CosineAnnealingLR(T_max=7) from 0.1
  cosine: [
    -0.1865838398669899, -0.031953058021127884, -0.3270446809873137, -0.1415015350169645, -0.07526878141934451,
    -0.2792789109333105, -0.23248524406251386, 0.031896162527690314,
  ],
  // RMSprop()
  rmsprop: [
    -0.14874362359362348, -0.15169784514255294, 0.45459820817804664, -0.23322184127866133, -0.1112034279003883,
    0.10646717002364156, -0.10560267737651807, -0.519997279349768,
  ],
  // AdamW(weight_decay=0.3)
  adamW: [
    0.21478585357444965, -0.9062440603451909, 1.5985737576624306, -0.16375840059957028, -0.44651005069247834,
    1.1365892773275295, 0.6749277756569104, -1.598766935345382,
  ],
  // SGD(momentum=0.7, nesterov=True, weight_decay=0.3)
  nesterovDecay: [
    0.04441753344263788, -0.3972682995955379, 0.4190766290209132, -0.0813281162230358, -0.27063978710459746,
    0.29465588072102117, 0.16975700756842899, -0.5877783777430217,
  ],
  // Adam(weight_decay=0.3)
  adamDecay: [
    0.24430163546302433, -0.9921191744995997, 1.7413666282202387, -0.14075396030645954, -0.49399898901028383,
    1.2416203047981182, 0.7421833089032553, -1.7414506258353675,
  ],
};

describe("the numbers of PyTorch", () => {
  test.each<[string, Optimizer, string]>([
    ["momentum", optimizers.momentum({ momentum: 0.7, form: "pytorch" }), "momentum.buffer"],
    ["nesterov", optimizers.nesterov({ momentum: 0.7, form: "pytorch" }), "nesterov.buffer"],
  ])('equal those of %s in the form "pytorch" if the learning rate changes', async (name, optimizer, state) => {
    const { values, states } = await descend(optimizer);
    expect(distance(values, torch[name]!)).toBeLessThan(ROUNDING);
    expect(states).toEqual([state]);
  });

  test("equal those of momentum with a cosine schedule", async () => {
    const cosine = schedules.cosine();
    const { values } = await descend(optimizers.momentum({ form: "pytorch" }), (step) => 0.1 * cosine(step, STEPS));
    expect(distance(values, torch["cosine"]!)).toBeLessThan(ROUNDING);
  });

  test("equal those of RMSprop with the same decay", async () => {
    const { values } = await descend(optimizers.rmsprop({ decay: 0.99 }));
    expect(distance(values, torch["rmsprop"]!)).toBeLessThan(ROUNDING);
  });

  test.each<[string, Optimizer]>([
    ["nesterovDecay", optimizers.nesterov({ momentum: 0.7, form: "pytorch" })],
    ["adamDecay", optimizers.adam()],
  ])("equal those of the option weight_decay with coupledDecay: %s", async (name, optimizer) => {
    const decayed = optimizers.coupledDecay(optimizer, { weightDecay: 0.3, decays: () => true });
    expect(distance((await descend(decayed)).values, torch[name]!)).toBeLessThan(ROUNDING);
    // By default only parameters with two axes decay.
    const plain = optimizers.coupledDecay(optimizer, { weightDecay: 0.3 });
    expect((await descend(plain)).values).toEqual((await descend(optimizer)).values);
  });

  test("equal those of AdamW if all parameters decay", async () => {
    const { values } = await descend(optimizers.adamW({ weightDecay: 0.3, decays: () => true }));
    expect(distance(values, torch["adamW"]!)).toBeLessThan(ROUNDING);
  });
});

describe("differences from PyTorch", () => {
  test.each<[string, Optimizer]>([
    ["momentum", optimizers.momentum({ momentum: 0.7 })],
    ["nesterov", optimizers.nesterov({ momentum: 0.7 })],
  ])("%s in the classic form, unless the learning rate is constant", async (name, classic) => {
    expect(distance((await descend(classic)).values, torch[name]!)).toBeGreaterThan(0.01);
    const options = { momentum: 0.7, form: "pytorch" } as const;
    const pytorch = name === "momentum" ? optimizers.momentum(options) : optimizers.nesterov(options);
    const constant = () => 0.1;
    expect(distance((await descend(classic, constant)).values, (await descend(pytorch, constant)).values)).toBeLessThan(
      ROUNDING,
    );
  });

  test("the defaults of RMSprop and AdamW", async () => {
    expect(distance((await descend(optimizers.rmsprop())).values, torch["rmsprop"]!)).toBeGreaterThan(0.01);
    expect(distance((await descend(optimizers.adamW({ weightDecay: 0.3 }))).values, torch["adamW"]!)).toBeGreaterThan(
      0.01,
    );
  });

  test("clipping: PyTorch adds 1e-6 to the norm", async () => {
    const { outputs } = await evaluate({ clipped: clipByGlobalNorm([parameter("gradient", [2], [3, 4])], 2) });
    // clip_grad_norm_([p], 2)
    const wanted = [1.199999760000048, 1.599999680000064];
    const found = outputs["clipped"]!.slice(0, 2);
    expect(distance(found, [1.2, 1.6])).toBeLessThan(ROUNDING);
    expect(
      distance(
        found.map((value) => (value * 5) / (5 + 1e-6)),
        wanted,
      ),
    ).toBeLessThan(ROUNDING);
  });

  test("binary cross-entropy: by a factor, the number of outputs", async () => {
    const logits = parameter("logits", [2, 3], [0.5, -1, 2, 0, 3, -0.25]);
    const targets = parameter("targets", [2, 3], [1, 0, 1, 0, 0, 1]);
    const { outputs } = await evaluate({ loss: losses.sigmoidBinaryCrossEntropy.perTarget(logits, targets) });
    const [first, second] = outputs["loss"]!;
    // BCEWithLogitsLoss()
    expect(Math.abs((first! + second!) / 2 - 3 * 0.913656772458972)).toBeLessThan(ROUNDING);
  });

  test("macro precision: a class that is never predicted is left out", () => {
    const metrics = classificationMetrics(
      [
        [3, 1, 0],
        [0, 4, 0],
        [1, 1, 0],
      ],
      ["a", "b", "c"],
    );
    expect(metrics.macro.precision).toBeCloseTo((3 / 4 + 4 / 6) / 2, 12);
    // precision_score(average="macro", zero_division=0)
    const counted = metrics.classes.map(({ precision }) => (Number.isNaN(precision) ? 0 : precision));
    expect(counted.reduce((total, one) => total + one, 0) / 3).toBeCloseTo((3 / 4 + 4 / 6) / 3, 12);
  });
});

test("refuses an unknown form", () => {
  expect(() => optimizers.momentum({ form: "keras" as never })).toThrow(OptionError);
  expect(() => optimizers.nesterov({ form: null as never })).toThrow(
    /nesterov form: unknown form null\. Choose one of classic, pytorch/,
  );
});
