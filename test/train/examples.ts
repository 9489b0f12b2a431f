import type { Backend, Executable, Session } from "../../src/backends/backend.ts";
import { makeClassificationDataset, type ClassificationDataset } from "../../src/data/dataset.ts";
import { dense, dropout, sequential, type Model } from "../../src/nn/index.ts";
import { Random } from "../../src/random.ts";
import type { Snapshot, Trainer, TrainerOptions, TrainingProgress } from "../../src/train/index.ts";

/** Points around one center per class, in float32. */
export function clouds(count: number, { classes = 3, width = 4, seed = 1, noise = 0.3 } = {}): ClassificationDataset {
  const random = new Random(seed);
  const centres = Array.from({ length: classes * width }, () => random.normal());
  const labels = Uint32Array.from({ length: count }, (_, index) => index % classes);
  const features = Float32Array.from({ length: count * width }, (_, index) => {
    const label = labels[Math.floor(index / width)]!;
    return centres[label * width + (index % width)]! + random.normal(0, noise);
  });
  const names = Array.from({ length: classes }, (_, label) => `class ${label}`);
  return makeClassificationDataset({ name: "clouds", features, shape: [width], labels, classes: names });
}

/** The same points as bytes, with two axes and an odd row width. */
export function bytePictures(count: number, seed = 1): ClassificationDataset {
  const { features, labels, classes } = clouds(count, { width: 15, seed });
  const bytes = Uint8Array.from(features, (value) => Math.max(0, Math.min(255, Math.round(128 + 40 * value))));
  return makeClassificationDataset({ name: "pictures", features: bytes, shape: [3, 5], labels, classes });
}

export function smallModel(seed = 1, inputShape: readonly number[] = [4]): Model {
  return sequential([dense(6, { activation: "tanh" }), dense(3)], { inputShape, seed });
}

/** All events of the rest of a run. */
export async function finish(
  trainer: Pick<Trainer, "fit">,
  options?: Parameters<Trainer["fit"]>[0],
): Promise<TrainingProgress[]> {
  const events: TrainingProgress[] = [];
  for await (const event of trainer.fit(options)) events.push(event);
  return events;
}

/** All values of a snapshot by name. */
export function valuesOf({ parameters, optimizer }: Snapshot): Record<string, number[]> {
  const entries = [...Object.entries(parameters), ...Object.entries(optimizer)];
  return Object.fromEntries(entries.map(([name, { values }]) => [name, [...values]]));
}

type Run = Executable["run"];

export interface BackendChanges {
  readonly maxTensorBytes?: number;
  /** Intercepts the runs of an executable. */
  readonly aroundRun?: (run: () => ReturnType<Run>, ...steps: Parameters<Run>) => ReturnType<Run>;
}

/** A backend that forwards everything to another one, except for the given changes. */
export function changedBackend(backend: Backend, changes: BackendChanges): Backend {
  const { maxTensorBytes, aroundRun = (run) => run() } = changes;
  return {
    kind: backend.kind,
    adapter: backend.adapter,
    maxTensorBytes: maxTensorBytes ?? backend.maxTensorBytes,
    lost: backend.lost,
    restart: () => backend.restart(),
    dispose: () => backend.dispose(),
    createSession(): Session {
      const session = backend.createSession();
      return {
        write: (leaf, values, first) => session.write(leaf, values, first),
        read: (leaf) => session.read(leaf),
        dispose: () => session.dispose(),
        async compile(graph) {
          const executable = await session.compile(graph);
          return {
            dispatches: executable.dispatches,
            run: (first, count) => aroundRun(() => executable.run(first, count), first, count),
            read: (output) => executable.read(output),
          };
        },
      };
    },
  };
}

/** A run of 120 steps with dropout, so that its bits depend on the number of each step. */
export const dropoutRun = {
  model: sequential([dense(6, { activation: "tanh" }), dropout(0.2), dense(3)], { inputShape: [4] }),
  dataset: clouds(60),
  learningRate: 0.02,
  batchSize: 10,
  epochs: 20,
} satisfies Partial<TrainerOptions>;
