import { DeviceError } from "../errors.ts";

/** What a device reports outside every error scope. */
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

  /** Listens until `stopListening`, without which Dawn keeps the device and its driver's memory while the process lives. */
  listenTo(gpu: GPUDevice): void {
    // A listener by addEventListener would keep them even after its removal (measured with webgpu 0.6.2).
    gpu.onuncapturederror = ({ error }) => {
      this.#count++;
      this.#last = error.message;
    };
  }

  stopListening(gpu: GPUDevice): void {
    gpu.onuncapturederror = null;
  }
}

/** What the device says of work that wgrad should not have given it. */
export function deviceFault(message: string): DeviceError {
  return new DeviceError({ where: "WebGPU", what: message.trim(), fix: "Please report this as a fault of wgrad" });
}
