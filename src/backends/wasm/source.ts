import { DeviceError } from "../../errors.ts";
import { kernelsUrl } from "./kernels-file.ts";

/** A thread besides the caller's. */
export interface WasmThread {
  /** Sends a message to the thread. */
  post(message: unknown): void;
  /** Terminates the thread. */
  end(): void;
  /** Sets whether the process waits for the thread before it exits; at first it does not. */
  keepsProcess(keeps: boolean): void;
}

/** The events of a thread. */
export interface ThreadEvents {
  /** Called with each message that the thread sends. */
  message(message: unknown): void;
  /** Called if the thread failed, or ended without `WasmThread.end`. */
  died(reason: string): void;
}

/** The source of the kernels and threads of the WebAssembly backend: a browser, or Node. */
export interface WasmSource {
  /** The default number of threads, including the caller's; 1 if there can be no others. */
  readonly threads: number;
  /** The maximum number of threads. */
  readonly mostThreads: number;
  /**
   * The bytes of the module of the kernels.
   * @param relaxedSimd whether they may use relaxed SIMD: those of another file
   * @throws DeviceError if they cannot be read
   */
  kernels(relaxedSimd: boolean): Promise<BufferSource>;
  /**
   * Starts a thread.
   * @param program the text of a JavaScript function without imports; the thread calls it with a function that registers
   * the handler of messages, and one that sends a message
   */
  startThread(program: string, events: ThreadEvents): WasmThread;
}

/**
 * The source of WebAssembly in a browser. Other threads are available to a worker of a cross-origin isolated page; a
 * page's own thread must not block. One core is left for the page.
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

async function fetchKernels(relaxedSimd: boolean): Promise<ArrayBuffer> {
  const url = kernelsUrl(relaxedSimd);
  try {
    const response = await fetch(url);
    if (!response.ok) throw new TypeError(`status ${response.status}`);
    return await response.arrayBuffer();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeviceError(
      {
        where: "WebAssembly",
        what: `the kernels could not be loaded from ${url}: ${reason}`,
        fix: "Serve the file beside the library; in Node, use createNodeBackend of wgrad/node",
      },
      { cause },
    );
  }
}

function startThread(program: string, events: ThreadEvents): WasmThread {
  const call = `(${program})((handle) => (onmessage = ({ data }) => handle(data)), (message) => postMessage(message));`;
  const url = URL.createObjectURL(new Blob([call], { type: "text/javascript" }));
  let worker: Worker;
  try {
    worker = new Worker(url, { name: "wgrad thread" });
  } catch (error) {
    // A Content-Security-Policy forbids workers from blobs. The other threads compute without this one.
    queueMicrotask(() => events.died(String(error)));
    return { post() {}, end() {}, keepsProcess() {} };
  }
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
