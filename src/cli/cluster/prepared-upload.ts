/*
 * Stores a run in the form that browsers train.
 */
import { sha256 } from "../../cluster/messages.ts";
import type { ObjectBucket, ObjectReference } from "../../cluster/objects.ts";
import { storePreparedRun, type PreparedSettings } from "../../cluster/training/prepared/index.ts";
import { amountsOf } from "../training/augmentation.ts";
import { stepOptions } from "../training/network.ts";
import { epochsOf, trainedModel, type Run, type Subject } from "../training/training-run.ts";

/** Stores the settings, the model and the training data of a run, unless the server has them. */
export async function uploadPrepared(
  run: Run,
  subject: Subject,
  bucket: Pick<ObjectBucket, "has" | "put">,
): Promise<ObjectReference> {
  const store = async (bytes: Uint8Array): Promise<ObjectReference> => {
    const digest = await sha256(bytes);
    if (await bucket.has(digest)) return { object: digest, digest, bytes: bytes.length };
    return bucket.put(digest, bytes);
  };
  // Not the options and the names of files on this machine.
  const { model, loss, normalization, classes, outputs, tokenizer } = trainedModel(run, subject, 0);
  const trained = {
    model,
    loss,
    normalization,
    classes,
    step: 0,
    training: {},
    ...(outputs && { outputs }),
    ...(tokenizer && { tokenizer }),
  };
  const { parameters } = await subject.trainer.snapshot();
  return storePreparedRun({ settings: settingsOf(run), trained, parameters, dataset: run.data.train }, store);
}

function settingsOf(run: Run): PreparedSettings {
  const { flags, data } = run;
  const { optimizer, weightDecay, beta2, momentumForm, schedule, warmup, rise, finalRate, augment } = flags;
  const { batchSize, seed = 1, precision = "float32", clipNorm, recompute } = stepOptions(flags, data.train.count);
  const { classWeights } = flags;
  return {
    optimizer: { name: optimizer, ...given({ weightDecay, beta2, form: momentumForm }) },
    learningRate: flags.lr,
    schedule: { name: schedule, warmup, ...given({ rise, final: finalRate }) },
    batchSize,
    epochs: epochsOf(run),
    seed,
    precision,
    onNonFinite: flags.onNan,
    ...given({ maxSteps: flags.maxSteps, clipNorm, recompute }),
    ...(augment !== undefined && augment !== "none" && { augment: Object.fromEntries(amountsOf(augment)) }),
    ...(classWeights !== undefined && classWeights !== "none" && { classWeights }),
  };
}

/** The options that have a value. */
function given<Options extends object>(options: Options): { [Name in keyof Options]?: NonNullable<Options[Name]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Options]?: NonNullable<Options[Name]>;
  };
}
