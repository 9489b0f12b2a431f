/*
 * The function of a functional model, which its file does not contain.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { excerpt, OptionError } from "../../errors.ts";
import { describeFunctionalFile } from "../../formats/functional-file.ts";
import { loadModel, type AnyTrainedModel } from "../../formats/model.ts";
import type { ModelFunction } from "../../nn/functional.ts";
import { DeclaredOption } from "./declared-option.ts";

/** --function. */
export const functionOption = (): DeclaredOption =>
  new DeclaredOption(
    "--function <file>",
    "for a functional model, a JavaScript module whose default export is its function, such as MODEL.mjs",
  ).withFacts({ file: "input" });

/**
 * Reads a model of either kind.
 * @param path of the model, for messages
 * @param functionFile the value of --function
 * @throws OptionError for a functional model without its function, or a function without such a model
 */
export async function modelWithFunction(
  bytes: Uint8Array,
  path: string,
  functionFile: string | undefined,
): Promise<AnyTrainedModel> {
  const isFunctional = describeFunctionalFile(bytes, path) !== undefined;
  if (isFunctional && functionFile === undefined) {
    const what = "this is a functional model, whose function is not part of the file";
    const fix = "Give --function with a JavaScript module whose default export is the function";
    throw new OptionError({ where: path, what, fix });
  }
  if (functionFile === undefined) return loadModel(bytes, path);
  if (!isFunctional) {
    const what = `${path} is a model of layers in sequence, which has no function`;
    throw new OptionError({ where: "--function", what, fix: "Remove this option" });
  }
  return loadModel(bytes, path, { modelFunction: await importFunction(functionFile) });
}

/** @throws OptionError for a module that cannot be loaded, or whose default export is no function */
async function importFunction(path: string): Promise<ModelFunction> {
  const where = `--function ${path}`;
  const url = pathToFileURL(resolve(path)).href;
  let found: unknown;
  try {
    found = ((await import(/* @vite-ignore */ url)) as { default?: unknown }).default;
  } catch (cause) {
    const what = `the module cannot be loaded: ${(cause as Error).message}`;
    throw new OptionError({ where, what, fix: "Give a JavaScript module, such as MODEL.mjs" }, { cause });
  }
  if (typeof found === "function") return found as ModelFunction;
  const what = `its default export is ${excerpt(found)} instead of a function`;
  throw new OptionError({ where, what, fix: "Export the function that the model was made with as default" });
}
