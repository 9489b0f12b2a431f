import { BoundMemory, type BoundTensor, type Wanted } from "../bound-memory.ts";

/**
 * Binds whole buffers, each once, for kernels that share a dispatch: one may write what another one reads, and WebGPU allows no buffer
 * that a dispatch writes to be bound twice.
 */
export class WholeBuffers extends BoundMemory {
  override bind(wanted: Wanted): BoundTensor {
    const { region, access } = wanted;
    const { buffer, offset } = region;
    const range = { start: -offset, end: buffer.elements - offset };
    const position = this.all.findIndex((other) => other.region.buffer === buffer);
    const known = this.all[position];
    if (!known) return super.bind({ name: `buffer_${this.count}`, ...wanted, range });
    if (access === "read_write") this.all[position] = { ...known, access };
    return { ...known, ...wanted, name: known.name, range };
  }
}
