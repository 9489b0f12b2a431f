import { DeviceError } from "../errors.ts";

/**
 * What a device reports outside every error scope. It knows no device: Dawn keeps what listens to a device, and a listener
 * that reached the device would keep both, and their driver's memory, for as long as the process lives.
 */
export class DeviceFaults {
  /** Why nothing works any more: the device is lost or was given back. */
  gone: DeviceError | undefined;
  #count = 0;
  #last = "";

  /** How many errors were reported so far. Work during which the number stays the same was done. */
  get count(): number {
    return this.#count;
  }

  /** The last error that was reported. */
  get last(): DeviceError {
    return deviceFault(this.#last);
  }

  listenTo(gpu: GPUDevice): void {
    gpu.addEventListener("uncapturederror", ({ error }) => {
      this.#count++;
      this.#last = error.message;
    });
  }
}

/** What the device says of work that wgrad should not have given it. */
export function deviceFault(message: string): DeviceError {
  return new DeviceError({ where: "WebGPU", what: message.trim(), fix: "Please report this as a fault of wgrad" });
}
