import type { PytorchModule, PytorchParameter } from "./forms.ts";

/**
 * The parameters of a module inside the module of a layer.
 * @param own precedes their names in the layer, such as "projection."
 * @param path the name of the inner module
 */
export const innerParameters = ({ parameters = {} }: PytorchModule, own: string, path: string) =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]): [string, PytorchParameter] => {
      return [`${own}${name}`, { ...parameter, name: `${path}.${parameter.name}` }];
    }),
  );
