import { encode } from "fast-png";
import { gzipSync } from "node:zlib";
import { readIdx } from "../../src/data/idx.ts";
import { DataError } from "../../src/errors.ts";
import { sizeOf } from "../../src/graph/tensor.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/formats/checkpoint.ts";
import {
  initialValues,
  loadModel,
  saveModel,
  type AnyTrainedModel,
  type TrainedFunctionalModel,
  type TrainedModel,
} from "../../src/formats/model.ts";
import { loadGpt2, saveGpt2 } from "../../src/formats/gpt2.ts";
import { loadPytorch, savePytorch } from "../../src/formats/pytorch.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { functionalModel, type FunctionContext, type NamedTensors } from "../../src/nn/functional.ts";
import { batchNorm, conv2d, dense, dropout, flatten, layerNorm, residual } from "../../src/nn/layers/index.ts";
import { gptLayer } from "../../src/nn/models/gpt.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { decodeImage } from "../../src/node/image.ts";
import { add } from "../../src/ops/elementwise/index.ts";
import { jpegFiles } from "../node/jpeg-files.ts";
import { Random } from "../../src/random.ts";
import { writeIdx } from "../data/idx-files.ts";
import { anyMutations, fileOf, mutated, safetensorsMutations, type Mutation } from "./mutations.ts";

/** A reader, valid files for it, and what must hold for everything that it accepts. */
export interface Subject {
  readonly name: string;
  readonly files: readonly Uint8Array[];
  readonly mutations: readonly Mutation[];
  /** Reads a file. Throws an error other than a DataError if the result is impossible. */
  readonly read: (bytes: Uint8Array) => unknown;
}

/** A reader may use this much memory for the parts of small files, and the engine as much for itself. */
const SLACK_BYTES = 4 * 2 ** 20;

const values = (size: number, seed: number) => {
  const random = new Random(seed);
  return Float32Array.from({ length: size }, () => random.normal());
};

const tensors = [
  { name: "weight", shape: [2, 3], values: values(6, 1) },
  { name: "bias", shape: [3], values: values(3, 2) },
  { name: "step", shape: [], values: values(1, 3) },
];

const large = [{ name: "weight", shape: [700, 500], values: values(350_000, 4) }];

/** A trained model for classification or regression. */
function model(quantities: boolean): TrainedModel {
  const convolutions = [conv2d(2, 2, { padding: "same" }), residual([layerNorm(), dropout(0.2)])];
  const layers = [
    ...convolutions,
    flatten(),
    dense(5, { activation: "tanh" }),
    dropout(0.1),
    dense(3, { bias: quantities }),
  ];
  return {
    model: sequential(layers, { inputShape: [2, 3], seed: 9 }),
    loss: quantities ? "meanSquaredError" : "softmaxCrossEntropy",
    normalization: { scale: [1, 2, 3, 4, 5, 6], offset: -0.1 },
    ...(quantities ? { classes: [], outputs: ["x", "y", "z"] } : { classes: ["cat", "dog", "ox"] }),
    step: 12,
    training: { optimizer: "adam", learningRate: 0.01 },
  };
}

const saved = (trained: AnyTrainedModel) => saveModel(trained, initialValues(trained.model));

/** The same file in the format without a digest, so that damage is detected by its effect. */
function withoutDigest(file: Uint8Array): Uint8Array {
  const { tensors: found, metadata } = readSafetensors(file, "file");
  const { digest, ...rest } = metadata;
  require(digest !== undefined, "there is no digest");
  return writeSafetensors(
    Array.from(found, ([name, tensor]) => ({ name, ...tensor })),
    { ...rest, format: "wgrad" },
  );
}

/** A run in progress, with a best state. */
function checkpoint(): Uint8Array {
  const trained = model(false);
  const parameters = initialValues(trained.model);
  const state = { parameters, optimizer: { "adam.m": { shape: [53], values: values(53, 20) } } };
  const unreported = { steps: 2, loss: 0.5, correct: NaN, gradientNorm: 0 };
  return saveCheckpoint(trained, {
    ...state,
    unreported,
    best: { step: 8, ...state },
    run: { identity: { lr: 0.1 }, stopping: { steps: 3 } },
  });
}

/** A run of a functional model on a stream, with metrics. */
function functionalCheckpoint(): Uint8Array {
  const trained = functional();
  const state = { parameters: initialValues(trained.model), optimizer: {}, stream: { file: 2, rows: [3, 4] } };
  const sums = { steps: 2, loss: 0.5, correct: NaN, gradientNorm: 0, metrics: { recall: 0.25, precision: NaN } };
  return saveCheckpoint(trained, { ...state, unreported: sums, best: { step: 1, ...state } });
}

function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(`accepted, but ${what}`);
}

const readTensors = (bytes: Uint8Array, convert: boolean) => {
  const read = readSafetensors(bytes, "file", { convert });
  for (const { shape, values: found } of read.tensors.values()) {
    require(found.length === sizeOf(shape), "the values do not fill their shape");
  }
  return read;
};

function readModel(bytes: Uint8Array, load: (file: Uint8Array, where: string) => TrainedModel = loadModel): void {
  const trained = load(bytes, "file");
  const again = loadModel(saved(trained), "again");
  require(JSON.stringify(again) === JSON.stringify(trained), "saved and read again it is another");
}

const modelFunction = ({ a, b }: NamedTensors<"a" | "b">, { use }: FunctionContext) => {
  const tower = dense(3);
  return { y: use(residual([batchNorm(), dense(3)]), add(use(tower, a, "tower"), use(tower, b)), "block") };
};

/** A functional model with running statistics. */
const gptModel = () =>
  sequential([gptLayer({ vocabulary: 3, context: 2, layers: 1, heads: 2, width: 4 })], { inputShape: [2] });

const functional = (): TrainedFunctionalModel => ({
  model: functionalModel({ inputs: { a: [4], b: [4] }, seed: 2 }, modelFunction),
  step: 3,
  training: {},
  normalization: { a: { scale: [1, 2, 3, 4], offset: 0.5 } },
  classes: ["p", "q", "r"],
});

function readFunctional(bytes: Uint8Array): void {
  const trained = loadModel(bytes, "file", { modelFunction });
  const again = loadModel(saved(trained), "again", { modelFunction });
  require(JSON.stringify(again) === JSON.stringify(trained), "saved and read again it is another");
}

/** A PyTorch network that is read into a given model. */
const convolutions = () => sequential([conv2d(2, 2), batchNorm(), flatten(), dense(3)], { inputShape: [3, 3, 2] });

const foreignNetwork = writeSafetensors(
  [
    { name: "conv.weight", shape: [2, 2, 2, 2], values: values(16, 30) },
    { name: "conv.bias", shape: [2], values: values(2, 31) },
    ...["weight", "bias", "running_mean", "running_var"].map((name, seed) => ({
      name: `norm.${name}`,
      shape: [2],
      values: values(2, 32 + seed),
    })),
    { name: "fc.weight", shape: [3, 8], values: values(24, 36) },
    { name: "fc.bias", shape: [3], values: values(3, 37) },
  ],
  {},
);

function readCheckpoint(bytes: Uint8Array): void {
  const { trained, state } = loadCheckpoint(bytes, "file");
  const again = loadCheckpoint(saveCheckpoint(trained, state), "again");
  require(JSON.stringify(again) === JSON.stringify({ trained, state }), "saved and read again it is another");
}

function readFunctionalCheckpoint(bytes: Uint8Array): void {
  const { trained, state } = loadCheckpoint(bytes, "file", { modelFunction });
  const again = loadCheckpoint(saveCheckpoint(trained, state), "again", { modelFunction });
  require(JSON.stringify(again) === JSON.stringify({ trained, state }), "saved and read again it is another");
}

/** Pictures with every kind of samples, with sizes that become large if a bit changes. */
const pngs = (
  [
    [1, 8],
    [2, 8],
    [3, 8],
    [4, 8],
    [3, 16],
  ] as const
).map(([channels, depth]) => {
  const samples = Array.from({ length: 7 * 5 * channels }, (_, index) => (index * index * 37) % 2 ** depth);
  const data = depth === 16 ? Uint16Array.from(samples) : Uint8Array.from(samples);
  return encode({ width: 7, height: 5, channels, depth, data });
});

const jpegs = Object.values(jpegFiles).map((bytes) => new Uint8Array(bytes));

async function readPicture(bytes: Uint8Array): Promise<void> {
  const { width, height, channels, pixels } = await decodeImage(bytes, { where: "file" });
  require(width > 0 && height > 0 && pixels.length === width * height * channels, "the pixels do not fill the picture");
}

/** As PyTorch's own library writes them. */
const foreign = writeSafetensors(
  [
    { name: "layers.0.bias", shape: [4], values: values(4, 5) },
    { name: "layers.0.weight", shape: [4, 3], values: values(12, 6) },
    { name: "layers.10.weight", shape: [2, 5], values: values(10, 7) },
    { name: "layers.2.weight", shape: [5, 4], values: values(20, 8) },
  ],
  { format: "pt" },
);

const pictures = writeIdx(
  [20, 6, 5],
  Uint8Array.from({ length: 600 }, (_, index) => (index * index) % 251),
);

/** A separate array, since the slices of a Buffer share memory. */
const packed = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));

/** A file with all float types. */
const mixed = (() => {
  const header = {
    a: { dtype: "F64", shape: [2], data_offsets: [0, 16] },
    b: { dtype: "BF16", shape: [3], data_offsets: [16, 22] },
    c: { dtype: "F16", shape: [1, 3], data_offsets: [22, 28] },
  };
  return fileOf(JSON.stringify(header), new Uint8Array(28).fill(0x3c));
})();

const megabytes = (text: string, count: number) => text.repeat(Math.floor((count * 2 ** 20) / text.length));

const manyKeys = (value: string) => Array.from({ length: 500_000 }, (_, index) => `"${index}k":${value}`).join(",");

/** Headers of many megabytes that a parser would expand to a multiple. */
export const bombs: Readonly<Record<string, string>> = {
  "open brackets": `{"a":${megabytes("[", 8)}`,
  "empty lists": `{"a":[${megabytes("[],", 8)}[]]}`,
  "empty objects": `{"a":[${megabytes("{},", 8)}{}]}`,
  "short texts": `{"a":[${megabytes('"ab",', 8)}""]}`,
  numbers: `{"a":{"dtype":"F32","shape":[${megabytes("0,", 8)}0],"data_offsets":[0,0]}}`,
  "one number": `{"a":{"dtype":"F32","shape":[${megabytes("1", 8)}],"data_offsets":[0,0]}}`,
  "many keys": `{${manyKeys("1")}}`,
  "much metadata": `{"__metadata__":{${manyKeys('""')}}}`,
  "many tensors": `{${manyKeys('{"dtype":"F32","shape":[0],"data_offsets":[0,0]}')}}`,
  "a long name": `{"${megabytes("x", 8)}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`,
  "a long name that is not a tensor": `{"${megabytes("\\n", 8)}":1}`,
  "a text without end": `{"${megabytes('\\"', 8)}`,
  spaces: `{${megabytes(" ", 8)}}`,
};

export const subjects: readonly Subject[] = [
  {
    name: "readSafetensors",
    files: [writeSafetensors(tensors, { format: "pt" }), writeSafetensors(large, {}), mixed],
    mutations: safetensorsMutations,
    read: (bytes) => readTensors(bytes, true),
  },
  {
    name: "loadModel",
    files: [withoutDigest(saved(model(false))), withoutDigest(saved(model(true))), saved(model(true))],
    mutations: safetensorsMutations,
    read: (bytes) => readModel(bytes),
  },
  {
    name: "loadModel with a function",
    files: [withoutDigest(saved(functional())), saved(functional())],
    mutations: safetensorsMutations,
    read: readFunctional,
  },
  {
    name: "loadPytorch with a model",
    files: [foreignNetwork],
    mutations: safetensorsMutations,
    read: (bytes) => readModel(bytes, (file, where) => loadPytorch(file, where, { model: convolutions() })),
  },
  {
    name: "loadPytorch",
    files: [savePytorch(model(false)), savePytorch(model(true)), foreign],
    mutations: safetensorsMutations,
    read: (bytes) => readModel(bytes, (file, where) => loadPytorch(file, where)),
  },
  {
    name: "loadGpt2",
    files: [saveGpt2(gptModel())],
    mutations: safetensorsMutations,
    read: (bytes) => void loadGpt2(bytes, "file"),
  },
  {
    name: "loadCheckpoint",
    files: [withoutDigest(checkpoint()), checkpoint()],
    mutations: safetensorsMutations,
    read: readCheckpoint,
  },
  {
    name: "loadCheckpoint with a function",
    files: [withoutDigest(functionalCheckpoint()), functionalCheckpoint()],
    mutations: safetensorsMutations,
    read: readFunctionalCheckpoint,
  },
  { name: "decodeImage of a PNG", files: pngs, mutations: anyMutations, read: readPicture },
  { name: "decodeImage of a JPEG", files: jpegs, mutations: anyMutations, read: readPicture },
  { name: "readIdx", files: [pictures], mutations: anyMutations, read: (bytes) => readIdx(bytes, "file") },
  {
    name: "readIdx of a .gz",
    files: [packed(pictures), packed(writeIdx([4], [1, 2, 3, 4]))],
    mutations: anyMutations,
    read: (bytes) => readIdx(bytes, "file"),
  },
];

export interface FuzzReport {
  readonly files: number;
  readonly loaded: number;
  readonly refused: number;
  /** Distinct error messages, without numbers and names. */
  readonly reasons: number;
  readonly slowestMilliseconds: number;
  /** The largest memory use of reading a file beyond the limit, which is four times the file plus a constant. */
  readonly memoryShare: number;
}

/**
 * Reads mutated files of a subject.
 * @throws Error naming the seed and the file's number for anything but a DataError that says what, where and what to do
 */
export async function fuzz(subject: Subject, { count, seed }: { count: number; seed: number }): Promise<FuzzReport> {
  const report = { files: count, loaded: 0, refused: 0, slowestMilliseconds: 0, memoryShare: 0 };
  const reasons = new Set<string>();
  for (let number = 0; number < count; number++) {
    const good = subject.files[number % subject.files.length]!;
    const bytes = mutated(good, subject.mutations, new Random(seed, number));
    const { refusal, milliseconds, memoryShare } = await readMeasured(subject.read, bytes).catch((cause: unknown) => {
      throw new Error(`${subject.name}, seed ${seed}, file ${number}: ${String(cause).slice(0, 300)}`, { cause });
    });
    if (refusal) reasons.add(refusal.what.replaceAll(/"(?:[^"\\]|\\.)*"|[\d.]+/g, "_"));
    report[refusal ? "refused" : "loaded"]++;
    report.slowestMilliseconds = Math.max(report.slowestMilliseconds, milliseconds);
    report.memoryShare = Math.max(report.memoryShare, memoryShare);
  }
  return { ...report, reasons: reasons.size };
}

/**
 * Reads one file.
 * @returns the refusal, if it was refused, and what it cost
 * @throws whatever was thrown but a DataError that says what, where and what to do, and is short
 */
export async function readMeasured(read: Subject["read"], bytes: Uint8Array) {
  let refusal: DataError | undefined;
  const before = memory();
  const began = process.cpuUsage();
  try {
    await read(bytes);
  } catch (error) {
    const clear = error instanceof DataError && error.where && error.what && error.fix && error.message.length < 600;
    if (!clear) throw error;
    refusal = error;
  }
  // CPU time, so that other programs on the machine do not count.
  const { user, system } = process.cpuUsage(began);
  const milliseconds = (user + system) / 1000;
  return { refusal, milliseconds, memoryShare: (memory() - before) / (4 * bytes.length + SLACK_BYTES) };
}

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
