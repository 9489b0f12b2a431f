import { sha256 } from "../../src/cluster/messages.ts";
import type { ObjectReference } from "../../src/cluster/objects.ts";

/** A bucket of objects in memory. */
export class Bucket {
  readonly objects = new Map<string, Uint8Array>();
  async putPacked(bytes: Uint8Array): Promise<ObjectReference> {
    return this.put(await sha256(bytes), bytes);
  }
  async put(object: string, bytes: Uint8Array): Promise<ObjectReference> {
    this.objects.set(object, Uint8Array.from(bytes));
    return { object, digest: await sha256(bytes), bytes: bytes.length };
  }
  readonly get = ({ object }: ObjectReference): Promise<Uint8Array> => Promise.resolve(this.objects.get(object)!);
}
