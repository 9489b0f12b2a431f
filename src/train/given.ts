/*
 * Checks of what callers hand over, so that a mistake is named at once and not by a TypeError deep inside.
 */
import type { Backend, Session } from "../backends/backend.ts";
import type { Dataset } from "../data/dataset.ts";
import { excerpt, OptionError } from "../errors.ts";
import { requireDistinctNames } from "../graph/leaves.ts";
import { requireCount, requireNumber } from "../nn/checks.ts";
import type { Model } from "../nn/sequential.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Trainer } from "./trainer.ts";

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/** Anything but an object as it is; of an object its kind only, since it may hold a whole data set. */
const shown = (value: unknown): string =>
  isObject(value) ? `this ${value.constructor?.name ?? "object"}` : excerpt(value);

function refuse(where: string, value: unknown, kind: string, fix: string): never {
  throw new OptionError({ where, what: `${shown(value)} is no ${kind}`, fix });
}

function requireMethods(where: string, value: unknown, methods: readonly string[], kind: string, fix: string): void {
  if (!isObject(value) || !methods.every((method) => typeof value[method] === "function"))
    refuse(where, value, kind, fix);
}

/** @throws OptionError for options that are no object */
export function requireOptionsObject(where: string, options: unknown): void {
  if (!isObject(options)) refuse(where, options, "object of options", "Give { … } with its options");
}

/** @throws OptionError for what is no model; GraphError for a model with two parameters of one name */
export function requireModel(where: string, model: Model): void {
  const fix = "Give what sequential() or loadModel().model is";
  requireMethods(where, model, ["apply"], "model", fix);
  if (!Array.isArray(model.parameters)) refuse(where, model, "model", fix);
  requireDistinctNames(where, model.parameters);
}

/** @throws OptionError for what is no backend */
export function requireBackend(where: string, backend: Backend): void {
  requireMethods(
    where,
    backend,
    ["createSession"],
    "backend",
    "Give what createBackend() or createCpuBackend() returns",
  );
}

/** @throws OptionError for what is no session */
export function requireSession(where: string, session: Session): void {
  requireMethods(where, session, ["compile", "write", "read"], "session", "Give what backend.createSession() returns");
}

/** @throws OptionError for what is no trainer */
export function requireTrainer(where: string, trainer: Trainer): void {
  requireMethods(where, trainer, ["fit", "evaluate", "snapshot"], "trainer", "Give what createTrainer() resolves to");
}

/** @throws OptionError for what is no data set */
export function requireData(where: string, data: Dataset): void {
  const fix = "Give what makeClassificationDataset() or makeRegressionDataset() returns";
  if (!isObject(data)) refuse(where, data, "data set", fix);
  const { features, shape, count, labels, classes, targets, outputs } = data as Fields;
  const isWhole =
    (features instanceof Uint8Array || features instanceof Float32Array) &&
    Array.isArray(shape) &&
    typeof count === "number" &&
    ((labels instanceof Uint32Array && Array.isArray(classes)) ||
      (targets instanceof Float32Array && Array.isArray(outputs)));
  if (!isWhole) refuse(where, data, "data set", fix);
}

/** @throws OptionError for what is no snapshot, or one whose step is none of the run's */
export function requireSnapshot(where: string, snapshot: Snapshot, totalSteps: number): void {
  const fix = "Give what trainer.snapshot() returned";
  if (!isObject(snapshot)) refuse(where, snapshot, "snapshot", fix);
  const { step, parameters, optimizer } = snapshot;
  requireCount(`${where} step`, step, 0);
  const range = `a snapshot of the run's ${totalSteps} steps, or the run more epochs`;
  requireNumber(`${where} step`, step, step <= totalSteps, range);
  if (!isObject(parameters) || !isObject(optimizer)) refuse(where, snapshot, "snapshot", fix);
}
