/**
 * Joins what the layers' folders export under one name. A layer's folder has the name of its type.
 * @param exported what each file exports, by path
 */
/* @__NO_SIDE_EFFECTS__ */
export function byFolder<Part>(exported: Readonly<Record<string, Part>>): Readonly<Record<string, Part>> {
  return Object.fromEntries(Object.entries(exported).map(([path, part]) => [path.split("/").at(-2)!, part]));
}
