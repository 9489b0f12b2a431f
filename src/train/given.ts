/*
 * Checks of arguments, so that a mistake gets a clear error at once instead of a TypeError somewhere inside.
 */
import type { Backend, Session } from "../backends/backend.ts";
import type { AnyDataset } from "../data/dataset.ts";
import type { DataStream } from "../data/stream.ts";
import { excerpt, OptionError } from "../errors.ts";
import { requireDistinctNames } from "../graph/leaves.ts";
import { requireCount, requireNumber } from "../nn/checks.ts";
import { storedLeaves } from "../nn/sequential.ts";
import type { AnyModel } from "../nn/functional.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Trainer } from "./trainer.ts";

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/** The value for a message. Of an object only its type is shown, since it may hold a whole data set. */
const shown = (value: unknown): string =>
  isObject(value) ? `the given ${value.constructor?.name ?? "object"}` : excerpt(value);

function refuse(where: string, value: unknown, kind: string, fix: string): never {
  throw new OptionError({ where, what: `${shown(value)} is not ${kind}`, fix });
}

function requireMethods(where: string, value: unknown, methods: readonly string[], kind: string, fix: string): void {
  if (!isObject(value) || !methods.every((method) => typeof value[method] === "function"))
    refuse(where, value, kind, fix);
}

/** @throws OptionError if it is not a model; GraphError for a model with two parameters of the same name */
export function requireModel(where: string, model: AnyModel): void {
  const fix = "Give a model that sequential(), functionalModel() or loadModel() made";
  if (isObject(model) && typeof (model as unknown as Fields)["build"] === "function") {
    const shape = "Give sequential() the shape of an example too, such as { inputShape: [784] }";
    refuse(where, model, "a model but a layer", shape);
  }
  requireMethods(where, model, ["apply"], "a model", fix);
  const { inputShape, inputs, outputs } = model as unknown as Fields;
  const hasShapes = isObject(model.config) && (Array.isArray(inputShape) || (isObject(inputs) && isObject(outputs)));
  if (!Array.isArray(model.parameters) || !Array.isArray(model.states) || !hasShapes)
    refuse(where, model, "a model", fix);
  requireDistinctNames(where, storedLeaves(model));
}

/** @throws OptionError if it is not a backend */
export function requireBackend(where: string, backend: Backend): void {
  requireMethods(
    where,
    backend,
    ["createSession"],
    "a backend",
    "Give a backend that createBackend() or createCpuBackend() made",
  );
}

/** @throws OptionError if it is not a session */
export function requireSession(where: string, session: Session): void {
  requireMethods(
    where,
    session,
    ["compile", "write", "read"],
    "a session",
    "Give a session that backend.createSession() returned",
  );
}

/** @throws OptionError if it is not a trainer */
export function requireTrainer(where: string, trainer: Trainer<AnyModel>): void {
  requireMethods(
    where,
    trainer,
    ["fit", "evaluate", "snapshot"],
    "a trainer",
    "Give a trainer that createTrainer() made",
  );
}

/** @throws OptionError if it is not a training */
export function requireTraining(training: AsyncGenerator<unknown, unknown, undefined>): void {
  const fix = "Give what trainer.fit() or fitUntil() returned, without await";
  requireMethods("runToEnd", training, ["next", "return"], "a training", fix);
}

/** @throws OptionError if it is not a data set */
export function requireData(where: string, data: AnyDataset): void {
  const fix =
    "Give a data set that makeClassificationDataset(), makeRegressionDataset(), makeTensorDataset() or makeTextDataset() returned";
  if (!isObject(data)) refuse(where, data, "a data set", fix);
  const { features, shape, count, labels, classes, targets, outputs, tensors, tokens, tokenizer } = data as Fields;
  if (isObject(tensors) && typeof count === "number") return;
  if (isObject(tokens) && isObject(tokenizer) && typeof count === "number") return;
  const isWhole =
    (features instanceof Uint8Array || features instanceof Float32Array) &&
    Array.isArray(shape) &&
    typeof count === "number" &&
    ((labels instanceof Uint32Array && Array.isArray(classes)) ||
      (targets instanceof Float32Array && Array.isArray(outputs)));
  if (!isWhole) refuse(where, data, "a data set", fix);
}

/** @throws OptionError if it is neither a data set nor a stream */
export function requireSource(where: string, data: AnyDataset | DataStream): void {
  const isStream = isObject(data) && "batches" in data && isObject(data.tensors) && typeof data.name === "string";
  if (!isStream) requireData(where, data as AnyDataset);
}

/** @throws OptionError if it is not a snapshot, or if its step is not within the run */
export function requireSnapshot(where: string, snapshot: Snapshot, totalSteps: number): void {
  const fix = "Give a snapshot that trainer.snapshot() returned";
  if (!isObject(snapshot)) refuse(where, snapshot, "a snapshot", fix);
  const { step, parameters, optimizer } = snapshot;
  requireCount(`${where} step`, step, 0);
  const range = `a snapshot of a step up to ${totalSteps}, or more epochs`;
  requireNumber(`${where} step`, step, step <= totalSteps, range);
  if (!isObject(parameters) || !isObject(optimizer)) refuse(where, snapshot, "a snapshot", fix);
}
