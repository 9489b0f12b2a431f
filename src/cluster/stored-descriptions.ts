import { DataError } from "../errors.ts";
import type { NatsLink } from "./connection.ts";

/** A description on a server. */
export interface DescriptionPlace {
  /** The bucket of such descriptions, and the key in it. */
  readonly bucket: string;
  readonly key: string;
}

const open = ({ packages, streams }: NatsLink, bucket: string) => new packages.kv.Kvm(streams).open(bucket);

/** Stores a description, unless the server has it. Its name is its digest, so that both are the same. */
export async function storeDescription(
  link: NatsLink,
  { bucket, key }: DescriptionPlace,
  bytes: Uint8Array,
): Promise<void> {
  const descriptions = await open(link, bucket);
  if (!(await descriptions.get(key))) await descriptions.put(key, bytes);
}

/**
 * Reads a description.
 * @param missing what a missing one is called, and how to find its name
 * @throws DataError if the server does not have it
 */
export async function storedDescription(
  link: NatsLink,
  { bucket, key }: DescriptionPlace,
  missing: { readonly kind: string; readonly name: string; readonly fix: string },
): Promise<Uint8Array> {
  const found = await (await open(link, bucket)).get(key);
  if (found && found.operation === "PUT") return found.value;
  const { kind, name, fix } = missing;
  throw new DataError({ where: `${kind} ${name}`, what: `the server does not have this ${kind}`, fix });
}
