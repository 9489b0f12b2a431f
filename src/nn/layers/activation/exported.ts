import { excerpt, OptionError } from "../../../errors.ts";

/**
 * The form of an activation in another format.
 * @param format "ONNX" or "PyTorch", for messages
 * @throws OptionError for a custom activation
 */
export function exportedActivation<Form>(format: string, forms: Readonly<Record<string, Form>>, name: unknown): Form {
  if (typeof name === "string" && Object.hasOwn(forms, name)) return forms[name]!;
  const what = `the custom activation ${excerpt(name)} is code, which this format does not hold`;
  const fix = "Use a built-in activation, or ops in the function of a functional model";
  throw new OptionError({ where: format, what, fix });
}
