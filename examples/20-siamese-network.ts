/*
 * A siamese network (Bromley et al. 1994): two images go through the same layers, with the same weights, and become two
 * points of the plane. The contrastive loss (Hadsell, Chopra and LeCun 2006) of a pair at the distance d is
 *
 *   ½ d²  for images of the same digit        ½ max(0, 1 − d)²  for images of different digits
 *
 * so that equal digits come together, and different ones end at least 1 apart. The network never sees which digit an image
 * shows, only whether two show the same one.
 */
import {
  add,
  createTrainer,
  dense,
  flatten,
  functionalModel,
  greater,
  layers,
  makeTensorDataset,
  multiply,
  Random,
  relu,
  schedules,
  sqrt,
  square,
  subtract,
  sum,
  type Backend,
  type ClassificationDataset,
  type NamedTensors,
  type TensorDataset,
  type Tensor,
} from "../src/index.ts";
import { loadMnist } from "../src/node/index.ts";
import { digitAt, digitPoints, SIDE, smallDigits, tiles } from "./lib/digits.ts";
import { colors, line, picture, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

/** Pairs of digits, every other one of the same digit, and whether they are, 1 or 0. */
export function makePairs(data: ClassificationDataset, count: number, seed: number): TensorDataset {
  const random = new Random(seed);
  const ofDigit = data.classes.map((_, digit) =>
    Array.from(data.labels.keys()).filter((index) => data.labels[index] === digit),
  );
  const draw = (from: readonly number[]) => from[random.below(from.length)]!;
  const [left, right] = [0, 1].map(() => new Float32Array(count * SIDE * SIDE)) as [Float32Array, Float32Array];
  const same = Float32Array.from({ length: count }, (_, pair) => (pair + 1) % 2);
  for (let pair = 0; pair < count; pair++) {
    const digit = random.below(10);
    const other = same[pair] === 1 ? digit : (digit + 1 + random.below(9)) % 10;
    left.set(digitAt(data, draw(ofDigit[digit]!)), pair * SIDE * SIDE);
    right.set(digitAt(data, draw(ofDigit[other]!)), pair * SIDE * SIDE);
  }
  const image = [SIDE, SIDE];
  return makeTensorDataset({
    name: `pairs of ${data.name}`,
    tensors: {
      left: { values: left, shape: image },
      right: { values: right, shape: image },
      same: { values: same, shape: [] },
    },
  });
}

/** Two images as points, and the distance of the points. */
export function makeModel() {
  const hidden = { activation: "relu" } as const;
  const toPoint = layers.sequential([flatten(), dense(64, hidden), dense(32, hidden), dense(2)]);
  const inputs = { left: [SIDE, SIDE], right: [SIDE, SIDE] };
  return functionalModel({ inputs, seed: 1 }, ({ left, right }, { use }) => {
    const [point, other] = [use(toPoint, left, "toPoint"), use(toPoint, right)];
    // The root has no finite slope at 0.
    const distance = sqrt(add(sum(square(subtract(point, other)), { axes: 1 }), 1e-6));
    return { point, distance };
  });
}

/** The loss of each pair. */
export const contrastive = ({ distance }: NamedTensors<"distance">, { same }: NamedTensors): Tensor => {
  const [near, far] = [square(distance), square(relu(subtract(1, distance)))];
  return multiply(0.5, add(multiply(same!, near), multiply(subtract(1, same!), far)));
};

/** Whether a pair is on the right side of ½, 1 or 0. */
export const recognized = ({ distance }: NamedTensors<"distance">, { same }: NamedTensors): Tensor =>
  square(subtract(same!, greater(distance, 0.5)));

export interface Trained {
  /** Means of 20 steps. */
  readonly losses: readonly number[];
  /** The share of new pairs that the distance ½ separates. */
  readonly recognized: number;
  /** The points of the test digits, before and after training. */
  readonly before: Float32Array;
  readonly after: Float32Array;
}

export async function trainSiamese(
  backend: Backend,
  {
    train,
    test,
    pairs,
    epochs,
  }: Readonly<Record<"train" | "test", ClassificationDataset>> & Readonly<Record<"pairs" | "epochs", number>>,
): Promise<Trained> {
  const trainer = await createTrainer({
    model: makeModel(),
    backend,
    dataset: makePairs(train, pairs, 1),
    epochs,
    batchSize: 50,
    learningRate: 0.003,
    schedule: schedules.cosine(),
    loss: contrastive,
    metrics: { recognized },
  });
  const pixels = test.features;
  const placesNow = async () => (await trainer.predict({ left: pixels, right: pixels })).point;
  const before = await placesNow();
  const losses: number[] = [];
  for await (const { loss } of trainer.fit({ every: 20 })) losses.push(loss);
  const { metrics } = await trainer.evaluate(makePairs(test, 2000, 2));
  const found = { losses, recognized: metrics!.recognized, before, after: await placesNow() };
  trainer.dispose();
  return found;
}

/** The share of points that are nearest to the center of their own digit. */
export function nearestCenter(places: ArrayLike<number>, labels: ArrayLike<number>): number {
  const rows = Array.from(labels, (label, row) => ({ label, x: places[2 * row]!, y: places[2 * row + 1]! }));
  const centers = Array.from({ length: 10 }, (_, digit) => {
    const own = rows.filter(({ label }) => label === digit);
    const mean = (coordinate: "x" | "y") => own.reduce((total, row) => total + row[coordinate], 0) / own.length;
    return { x: mean("x"), y: mean("y") };
  });
  const nearest = ({ x, y }: { x: number; y: number }) => {
    const distances = centers.map((center) => Math.hypot(x - center.x, y - center.y));
    return distances.indexOf(Math.min(...distances));
  };
  return rows.filter((row) => nearest(row) === row.label).length / rows.length;
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const digits = await loadMnist();
  const [train, test] = [smallDigits(digits.train, 10_000), smallDigits(digits.test, 1000)];
  const found = await trainSiamese(backend, { train, test, pairs: 20_000, epochs: 10 });
  print(`${(100 * found.recognized).toFixed(1)} % of 2000 new pairs are on the right side of the distance ½`);
  for (const time of ["before", "after"] as const) {
    const share = nearestCenter(found[time], test.labels);
    print(
      `${time} training, ${(100 * share).toFixed(1)} % of the test digits are nearest to the center of their own digit`,
    );
  }
  const { left, right } = makePairs(test, 10, 3).tensors;
  const rows = [0, 5].flatMap((first) =>
    [left!, right!].flatMap(({ values }) =>
      [0, 1, 2, 3, 4].map((pair) => values.subarray((first + pair) * SIDE * SIDE, (first + pair + 1) * SIDE * SIDE)),
    ),
  );
  const losses = found.losses.map((loss, index): Point => [20 * (index + 1), loss]);
  const panels = [
    tiles("pairs, one above the other", rows, { columns: 5 }),
    { title: "loss", x: { name: "step" }, y: { min: 0 }, series: [line("", losses, { color: colors.blue })] },
    { title: "test digits before training", series: digitPoints(found.before, test.labels) },
    { title: "after training", series: digitPoints(found.after, test.labels) },
  ];
  await draw(picture("20", panels, 2, { width: 420, height: 400, left: 58, right: 18, top: 70, bottom: 46 }));
}
