import type { MessageFromThread, MessageToThread, ModulesMessage, StartMessage } from "./protocol.ts";

type KernelFunction = (args: number, start: number, end: number, scratch: number) => void;

/**
 * The program of every thread except the calling one. It runs from its source text, so it cannot use imports or outer
 * names.
 * @param receive registers the handler of messages
 * @param send sends a message to the calling thread
 */
// oxlint-disable-next-line max-lines-per-function -- Its inner functions cannot be outside of its source text.
export function thread(
  receive: (handle: (message: MessageToThread) => void) => void,
  send: (message: MessageFromThread) => void,
): void {
  let own: StartMessage["start"];
  let control: Int32Array;
  let table: WebAssembly.Table;
  let kernels: WebAssembly.Exports;
  let received = 0;
  const functions: KernelFunction[] = [];

  function begin(given: StartMessage["start"]): void {
    own = given;
    const { memory, names } = own;
    control = new Int32Array(memory.buffer, own.control);
    table = new WebAssembly.Table({ initial: names.length + 1, element: "anyfunc" });
    kernels = new WebAssembly.Instance(own.kernels, { env: { memory, table } }).exports;
    names.forEach((name, position) => table.set(position + 1, kernels[name]));
  }

  function install({ modules }: ModulesMessage): void {
    for (const { module, hostFunctions, tableEnd } of modules) {
      if (tableEnd > table.length) table.grow(tableEnd - table.length);
      const host = Object.fromEntries(Array.from({ length: hostFunctions }, (_, position) => [position, () => 0]));
      void new WebAssembly.Instance(module, { env: { memory: own.memory, table }, kernels, host });
    }
  }

  function work(): void {
    const { words } = own;
    for (;;) {
      // Read first, since a message is counted before the wake-up.
      const wake = Atomics.load(control, words.wake);
      if (Atomics.load(control, words.sent + own.thread) !== received) return;
      takeChunks();
      Atomics.wait(control, words.wake, wake);
    }
  }

  function takeChunks(): void {
    const { words } = own;
    for (;;) {
      const remaining = Atomics.load(control, words.remaining);
      if (remaining <= 0) return;
      if (Atomics.compareExchange(control, words.remaining, remaining, remaining - 1) !== remaining) continue;
      // The control words of the phase do not change until this chunk is finished.
      const position = control[words.chunks]! - remaining;
      const [firstUnits, chunkUnits] = [control[words.firstUnits]!, control[words.chunkUnits]!];
      const start = position === 0 ? 0 : firstUnits + (position - 1) * chunkUnits;
      const end = Math.min(position === 0 ? firstUnits : start + chunkUnits, control[words.units]!);
      const index = control[words.function]!;
      const compute = (functions[index] ??= table.get(index) as KernelFunction);
      const scratch = control[words.scratch]! + own.thread * control[words.scratchStride]!;
      try {
        compute(control[words.args]!, start, end, scratch);
      } catch (error) {
        Atomics.store(control, words.failed, 1);
        send({ failed: String(error) });
      }
      if (Atomics.sub(control, words.pending, 1) === 1) Atomics.notify(control, words.pending);
    }
  }

  receive((message) => {
    try {
      if ("start" in message) begin(message.start);
      else install(message);
    } catch (error) {
      send({ failed: String(error) });
      return;
    }
    received++;
    send({ handled: true });
    if ("modules" in message) work();
  });
}
