import { excerpt, OptionError } from "../errors.ts";

/** Collects the forms of the ops of all folders by the names of the ops. */
/* @__NO_SIDE_EFFECTS__ */
export const opsByName = <Form>(
  exported: Readonly<Record<string, Readonly<Record<string, Form>>>>,
): Readonly<Record<string, Form>> => Object.assign({}, ...Object.values(exported)) as Record<string, Form>;

/**
 * The form of an op.
 * @param format the name of the format, for the message
 * @throws OptionError for an op without a form
 */
export function opFormOf<Form>(format: string, forms: Readonly<Record<string, Form>>, name: string): Form {
  if (Object.hasOwn(forms, name)) return forms[name]!;
  throw new OptionError({
    where: format,
    what: `the model's function uses the op ${excerpt(name)}, which has no form in this format`,
    fix: "Use a layer that computes the same, or leave this part out of the exported function",
  });
}
