/**
 * Collects one export of each layer's folder. A folder has the name of the layer's type.
 * @param exported the exports by the path of their file
 */
/* @__NO_SIDE_EFFECTS__ */
export function byFolder<Part>(exported: Readonly<Record<string, Part>>): Readonly<Record<string, Part>> {
  return Object.fromEntries(Object.entries(exported).map(([path, part]) => [path.split("/").at(-2)!, part]));
}
