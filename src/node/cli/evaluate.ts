import type { Command } from "commander";
import type { Dataset } from "../../data/dataset.ts";
import { DataError } from "../../errors.ts";
import { sizeOf } from "../../graph/tensor.ts";
import { createEvaluator } from "../../train/index.ts";
import { createNodeBackend, loadMnist, loadModelFile, type DeviceChoice, type TrainedModel } from "../index.ts";
import { dataOption, deviceOption } from "./options.ts";
import { adapterText, count, field, testText } from "./text.ts";

interface EvaluateFlags {
  readonly data?: string;
  readonly device: DeviceChoice;
}

/** `wgrad evaluate`. */
export function evaluateCommand(command: Command): Command {
  return command
    .description("Prints a trained model's accuracy and loss on the test set.")
    .argument("<model>", "a file that `wgrad train --out` wrote")
    .addOption(dataOption())
    .addOption(deviceOption())
    .addHelpText("after", "\nExample:\n  wgrad evaluate digits.safetensors --data data/mnist")
    .action(evaluate);
}

async function evaluate(path: string, flags: EvaluateFlags): Promise<void> {
  const trained = await loadModelFile(path);
  const { test, source } = await loadMnist({ directory: flags.data });
  requireFit(path, trained, test);
  const backend = await createNodeBackend({ device: flags.device });
  try {
    const { model, loss, normalization, step, training } = trained;
    const { data, importedFrom } = training;
    const origin = importedFrom === undefined ? `${count(step)} steps on ${data}` : `imported from ${importedFrom}`;
    console.log(field("model", `${path}: ${origin}`));
    console.log(field("data", `${source}: ${count(test.count)} for testing`));
    console.log(field("adapter", adapterText(backend)));
    const evaluator = createEvaluator({ model, loss, normalization, backend, session: backend.createSession() });
    console.log(testText(await evaluator.evaluate(test)));
  } finally {
    backend.dispose();
  }
}

/** @throws DataError where the model was made for other pictures or classes */
function requireFit(where: string, { model, classes }: TrainedModel, { name, shape, classes: found }: Dataset): void {
  const fix = "Name the folder of the data that the model was trained on with --data";
  if (sizeOf(shape) !== sizeOf(model.inputShape)) {
    const what = `the model takes pictures of ${model.inputShape.join("×")}, but those of ${name} are ${shape.join("×")}`;
    throw new DataError({ where, what, fix });
  }
  if (classes.join() !== found.join()) {
    throw new DataError({ where, what: `the model's classes are ${classes.join(", ")}, those of ${name} ${found.join(", ")}`, fix });
  }
}
