/*
 * Mistakes of programs without types: each gets an error that names the mistake, at the call that made it.
 */
import { inspect } from "node:util";
import { expect, test } from "vitest";
import {
  add,
  argmax,
  builtInDigits,
  concat,
  constant,
  createCpuBackend,
  createTrainer,
  dense,
  fitUntil,
  GraphError,
  initialValues,
  input,
  logSumExp,
  mean,
  min,
  optimizers,
  OptionError,
  predictedClasses,
  reshape,
  saveModel,
  schedules,
  sequential,
  sigmoidBinaryCrossEntropy,
  slice,
  softmax,
  sum,
  take,
  takeAlong,
  toFloat,
  unitScale,
  variance,
  WgradError,
} from "../../src/index.ts";
import { parameter } from "../../src/graph/leaves.ts";

const { train: dataset } = builtInDigits({ train: 20, test: 1 });
const model = sequential([dense(10)], { inputShape: [784] });
const options = { model, dataset, backend: createCpuBackend(), learningRate: 0.01, batchSize: 10, epochs: 1 };
const x = parameter("x", [2, 3]);
const given = (changes: object) => createTrainer({ ...options, ...changes });

test.each<[object, RegExp]>([
  [{ optimizer: optimizers.adam }, /^optimizer: the function adam is not an optimizer\. .* optimizers\.adam\(\)/],
  [{ schedule: schedules.cosine }, /^schedule: the function cosine is not a schedule\. .* schedules\.cosine\(\)/],
  [{ schedule: () => "0.1" }, /^schedule: the function schedule is not a schedule/],
  [{ augment: [(batch: unknown) => batch] }, /^augment: a function is not an augmentation/],
  [{ learningRate: undefined }, /^learningRate: it is missing\. Give a finite number above 0/],
  [{ loss: "bce" }, /^loss: unknown loss "bce"\. Did you mean sigmoidBinaryCrossEntropy\?/],
  [{ loss: () => {} }, /^loss: its result is undefined\. Return a tensor; the batch has features, labels\.$/],
  [
    { metrics: { a: (_: unknown, batch: Record<string, unknown>) => batch["label"] } },
    /^metric a: its result is undefined\. Return a tensor; the batch has features, labels\.$/,
  ],
  [{ model: sequential([dense(10)]) }, /is not a model but a layer\. Give sequential\(\) the shape of an example too/],
  [{ batch_size: 5 }, /^createTrainer: there is no option "batch_size"\. Did you mean batchSize\?$/],
  [{ lr: 0.1 }, /^createTrainer: there is no option "lr"\. Did you mean learningRate\?$/],
])("createTrainer(%o)", async (changes, message) => {
  await expect(given(changes)).rejects.toThrow(message);
  await expect(given(changes)).rejects.toBeInstanceOf(WgradError);
});

test("the fields of a loaded model may be given beside the options", async () => {
  const trainer = await given({ classes: dataset.classes, step: 3, training: {}, outputs: [], table: {} });
  expect(trainer.step).toBe(0);
});

test("training has no other options than its own", async () => {
  const trainer = await given({});
  const first = (training: AsyncGenerator) => training.next();
  await expect(first(trainer.fit({ epochs: 3 } as never))).rejects.toThrow(
    /^fit: there is no option "epochs"\. Choose among every, /,
  );
  await expect(first(trainer.fit((() => {}) as never))).rejects.toThrow(/^fit: a function is not an object of options/);
  await expect(first(fitUntil(trainer, { patince: 3 } as never))).rejects.toThrow(
    /^fitUntil: there is no option "patince"\. Did you mean patience\?$/,
  );
  expect(trainer.step).toBe(0);
});

test("dense(inputs, outputs), as in PyTorch, is refused", () => {
  expect(() => dense(784, 128 as never)).toThrow(/^dense: 128 is not an object of options\. .*the layer before/);
});

test("a layer that is a function was not called", () => {
  expect(() => sequential([dense as never], { inputShape: [784] })).toThrow(/layer 0 is the function dense, which/);
});

test("predictions name the type that they were given", async () => {
  const trainer = await given({});
  for (const values of [new Float64Array(784), new Array(784).fill(0)])
    await expect(trainer.predict(values as never)).rejects.toThrow(
      `the features are of type ${values.constructor.name}. Give a Uint8Array or a Float32Array`,
    );
});

test("the width of outputs must be given, and divide their number", () => {
  expect(() => predictedClasses(new Float32Array(10), undefined as never)).toThrow(OptionError);
  expect(() => predictedClasses(new Float32Array(10), 3)).toThrow(/10 outputs are not a multiple of the width 3/);
});

test("a file needs the loss and the values of a snapshot that was awaited", () => {
  const trained = { model, loss: "softmaxCrossEntropy", normalization: unitScale, classes: dataset.classes } as const;
  const file = { ...trained, step: 0, training: {} };
  const values = initialValues(model);
  expect(() => saveModel({ ...file, loss: undefined as never }, values)).toThrow(/^loss: undefined is not a loss/);
  expect(() => saveModel(file, undefined as never)).toThrow(/^parameters: undefined is not .*await trainer\.snapshot/);
});

test("reductions and softmax have no other options than their own, which would reduce all axes", () => {
  expect(() => sum(x, { dim: 1 } as never)).toThrow(/^sum: there is no option "dim"\. Did you mean axes\?$/);
  expect(() => argmax(x, { axis: 1 } as never)).toThrow(/^argmax: there is no option "axis"\. Did you mean axes\?$/);
  expect(() => mean(x, { axes: 1, keepdim: true } as never)).toThrow(/Did you mean keepAxes\?$/);
  expect(() => variance(x, { dim: 1 } as never)).toThrow(/^variance: there is no option "dim"\. Did you mean axes\?$/);
  expect(() => logSumExp(x, { dim: 1 } as never)).toThrow(/^logSumExp: there is no option "dim"\./);
  expect(() => sum(x, 1 as never)).toThrow(/^sum: 1 is not an object of options\. Give an object such as { axes: … }/);
  expect(() => softmax(x, { axes: 0 } as never)).toThrow(/^softmax: there is no option "axes"\. Did you mean axis\?$/);
  expect(() => softmax(x, { dim: 0 } as never)).toThrow(/^softmax: there is no option "dim"\. Choose among axis\.$/);
});

test("a loss names its own options", () => {
  const bce = (own: object) => () => sigmoidBinaryCrossEntropy(x, x, own);
  expect(bce({ pos_weight: x })).toThrow(
    /^sigmoidBinaryCrossEntropy: .*"pos_weight"\. Did you mean positiveWeights\?$/,
  );
  expect(bce({ labelSmoothing: 0.1 })).toThrow(/Choose among reduction, weights, classWeights, positiveWeights\.$/);
});

test("reductions that are computed by others name themselves", () => {
  const bytes = input("bytes", [2, 3], "uint8");
  for (const [name, reduce] of Object.entries({ min, variance, logSumExp })) {
    expect(() => reduce(x, { dim: 1 } as never)).toThrow(new RegExp(`^${name}: there is no option "dim"`));
    expect(() => reduce(x, { axes: 2 })).toThrow(new RegExp(`^${name}: the axes \\[2\\] do not fit x `));
    expect(() => reduce(bytes)).toThrow(new RegExp(`^${name}: .*uint8`));
  }
});

test("reads by indices refuse an axis of another name, or without one, which would be the first axis", () => {
  const indices = input("indices", [2, 1], "uint32");
  expect(() => take(x, indices, 1 as never)).toThrow(/^take: 1 is not an object of options\. .*{ axis: … }/);
  expect(() => takeAlong(x, indices, { dim: 1 } as never)).toThrow(
    /^takeAlong: there is no option "dim"\. Choose among axis/,
  );
});

test.each<[() => unknown, RegExp]>([
  [
    () => optimizers.sgd({ momentum: 0.9 } as never),
    /^sgd: there is no option "momentum"\. Choose optimizers\.momentum/,
  ],
  [() => optimizers.adam({ weightDecay: 0.1 } as never), /^adam: .*"weightDecay"\. Choose optimizers\.adamW\(\)/],
  [() => optimizers.adam({ lr: 0.1 } as never), /^adam: there is no option "lr"\. Give learningRate to createTrainer/],
  [
    () => optimizers.adamW({ betas: [0.9, 0.99] } as never),
    /^adamW: there is no option "betas"\. Did you mean beta1\?/,
  ],
  [() => optimizers.adam(0.001 as never), /^adam: 0\.001 is not an object of options/],
  [
    () => optimizers.regularized(optimizers.sgd(), { weightDecay: 0.1 } as never),
    /^regularized: .*Choose among l1, l2/,
  ],
  [() => optimizers.muon({ eps: 1 } as never), /^muon: there is no option "eps"\. Did you mean epsilon\?/],
  [() => optimizers.muon({ nothing: 1 } as never), /^muon: there is no option "nothing"\. Choose among momentum, /],
])("an optimizer has no other options than its own: %s", (make, message) => {
  expect(make).toThrow(message);
});

test("an option that is undefined is not given", () => {
  expect(optimizers.sgd({ momentum: undefined } as never).name).toBe("sgd");
});

test.each<[() => unknown, RegExp]>([
  [() => input("x", 3 as never), /^input: 3 is not a shape\. Give a list of sizes, such as \[64, 784\]/],
  [() => input("x", undefined as never), /^input: undefined is not a shape/],
  [
    () => input("x", [3], "int32" as never),
    /^input x: there is no type "int32"\. Choose one of float32, uint32, uint8/,
  ],
  [
    () => constant([[1, 2]] as never),
    /^constant: the value is a list of lists\. .*constant\(\[1, 2, 3, 4\], \[2, 2\]\)/,
  ],
  [() => reshape(x, 6 as never), /^reshape: 6 is not a shape/],
  [
    () => concat(x as never, x as never),
    /^concat: x float32\[2, 3\] is not a list of tensors\. .*concat\(\[a, b\], 0\)/,
  ],
  [() => slice(x, 0 as never), /^slice: 0 is not a list of ranges\. .*\[\{ start: 0, end: 1 \}\]/],
  [
    () => add(x, [1, 2, 3] as never),
    /^add: takes float32 but was given 1,2,3\. Give a tensor, such as constant\(\[1, 2\]\)/,
  ],
])("an op refuses what is neither a tensor nor a shape: %s", (make, message) => {
  expect(make).toThrow(message);
  expect(make).toThrow(GraphError);
});

test("toFloat leaves float32 as it is", () => {
  expect(toFloat(x)).toBe(x);
});

test("an error that nobody caught does not print its parts twice", () => {
  const error = new OptionError({ where: "epochs", what: "0 is out of range", fix: "Give 1" });
  expect([error.where, error.what, error.fix]).toEqual(["epochs", "0 is out of range", "Give 1"]);
  expect(inspect(error).match(/out of range/g)).toHaveLength(1);
});
