import { DeviceError } from "../../errors.ts";
import { kernelsUrl } from "./kernels-file.ts";

/** Another thread, which runs a program that was given to it as text. */
export interface WasmThread {
  post(message: unknown): void;
  /** Ends the thread at once. */
  end(): void;
  /** Whether the process shall wait for the thread before it exits; it need not at first. */
  keepsProcess(keeps: boolean): void;
}

/** What a thread tells the one that started it. */
export interface ThreadEvents {
  message(message: unknown): void;
  /** It failed, or ended otherwise than by `WasmThread.end`. */
  died(reason: string): void;
}

/** Where the WebAssembly backend gets its kernels and its threads from: a browser, or Node. */
export interface WasmSource {
  /** How many threads shall compute where none are asked for, the caller's own among them; 1 where there can be no others. */
  readonly threads: number;
  /** The most threads that there can be. */
  readonly mostThreads: number;
  /** The bytes of the module that holds the kernels. */
  kernels(): Promise<BufferSource>;
  /**
   * Starts a thread.
   * @param program the text of a JavaScript function that imports nothing; it is called with a function that takes the
   * handler of messages, and one that sends a message
   */
  startThread(program: string, events: ThreadEvents): WasmThread;
}

/**
 * WebAssembly in a browser. There are threads where the page is cross-origin isolated and the caller is a worker, since a
 * page's own thread may not wait; one core is left to the page.
 */
export function browserWasm(): WasmSource {
  const isWorker = !("document" in globalThis);
  const mayThread = isWorker && globalThis.crossOriginIsolated === true;
  const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
  return {
    threads: mayThread ? Math.max(1, cores - 1) : 1,
    mostThreads: mayThread ? Infinity : 1,
    kernels: fetchKernels,
    startThread,
  };
}

async function fetchKernels(): Promise<ArrayBuffer> {
  try {
    const response = await fetch(kernelsUrl);
    if (!response.ok) throw new TypeError(`status ${response.status}`);
    return await response.arrayBuffer();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeviceError(
      {
        where: "WebAssembly",
        what: `the kernels do not arrive from ${kernelsUrl}: ${reason}`,
        fix: "Serve kernels.wasm beside the library; in Node use the backend of wgrad/node",
      },
      { cause },
    );
  }
}

function startThread(program: string, events: ThreadEvents): WasmThread {
  const call = `(${program})((handle) => (onmessage = ({ data }) => handle(data)), (message) => postMessage(message));`;
  const url = URL.createObjectURL(new Blob([call], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "wgrad thread" });
  worker.addEventListener("message", ({ data }) => events.message(data));
  worker.addEventListener("error", ({ message }) => events.died(message || "its program did not start"));
  return {
    post: (message) => worker.postMessage(message),
    end() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
    keepsProcess() {},
  };
}
