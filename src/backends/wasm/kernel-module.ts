import { DeviceError } from "../../errors.ts";

/** A module with a vector, which engines without SIMD reject. */
const WITH_SIMD = [
  [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  [1, 5, 1, 0x60, 0, 1, 0x7b],
  [3, 2, 1, 0],
  [10, 8, 1, 6, 0, 0x41, 0, 0xfd, 15, 0x0b],
].flat();

/** A module with an instruction of relaxed SIMD, `f32x4.relaxed_madd`. */
const WITH_RELAXED_SIMD = [
  [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  [1, 5, 1, 0x60, 0, 1, 0x7b],
  [3, 2, 1, 0],
  [10, 19, 1, 17, 0],
  [0, 0, 0].flatMap((value) => [0x41, value, 0xfd, 15]),
  [0xfd, 0x85, 0x02, 0x0b],
].flat();

/** @throws DeviceError if there is no WebAssembly, or it has no SIMD */
export function requireSimd(): void {
  const isThere = typeof WebAssembly === "object";
  if (isThere && WebAssembly.validate(Uint8Array.from(WITH_SIMD))) return;
  throw new DeviceError({
    where: "WebAssembly",
    what: isThere ? "this engine has no WebAssembly SIMD" : "this engine has no WebAssembly",
    fix: "Update the browser or Node, or use another device",
  });
}

/** @throws DeviceError if WebAssembly has no relaxed SIMD */
export function requireRelaxedSimd(): void {
  if (WebAssembly.validate(Uint8Array.from(WITH_RELAXED_SIMD))) return;
  throw new DeviceError({
    where: "relaxedSimd",
    what: "this engine has no relaxed SIMD of WebAssembly",
    fix: "Use Node 21, Chrome 114 or newer, or another browser that has it, or leave the option out",
  });
}

/**
 * Compiles the kernels. They are built for a shared memory; for an unshared one, the flag of the imported memory is
 * changed.
 * @throws DeviceError if the engine cannot compile them
 */
export async function compileKernels(source: BufferSource, shared: boolean): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(shared ? source : forPlainMemory(source));
  } catch (cause) {
    throw new DeviceError(
      {
        where: "WebAssembly",
        what: `the kernels do not compile: ${cause instanceof Error ? cause.message : String(cause)}`,
        fix: "If the page has a Content-Security-Policy, allow 'wasm-unsafe-eval'",
      },
      { cause },
    );
  }
}

const IMPORT_SECTION = 2;
const HAS_MAXIMUM = 1;
const SHARED = 2;

/**
 * The same module with an unshared memory as its import (https://webassembly.github.io/spec/core/binary/modules.html).
 */
function forPlainMemory(source: BufferSource): Uint8Array<ArrayBuffer> {
  const bytes = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()
    : new Uint8Array(source.slice(0));
  const flag = memoryFlagAt(bytes);
  bytes[flag]! &= ~SHARED;
  return bytes;
}

/** The position of the flags of the imported memory's limits. */
function memoryFlagAt(bytes: Uint8Array): number {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const skipLimits = () => {
    const flags = number();
    number();
    if (flags & HAS_MAXIMUM) number();
  };
  for (;;) {
    const id = number();
    const size = number();
    if (id === IMPORT_SECTION) break;
    at += size;
  }
  for (let left = number(); left > 0; left--) {
    for (let name = 0; name < 2; name++) {
      const length = number();
      at += length;
    }
    const kind = number();
    if (kind === 2) return at;
    if (kind === 0) number();
    else if (kind === 3) at += 2;
    else {
      at++;
      skipLimits();
    }
  }
  throw new RangeError("the module imports no memory");
}
