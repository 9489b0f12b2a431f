import { DeviceError } from "../errors.ts";

/** The errors that a device reports outside of error scopes. */
export class DeviceFaults {
  /** Why the device cannot be used: it is lost or was released. */
  gone: DeviceError | undefined;
  #count = 0;
  #last = "";

  /** The number of errors reported so far. If it did not change during some work, the work was done. */
  get count(): number {
    return this.#count;
  }

  /** The last reported error. */
  get last(): DeviceError {
    return deviceFault(this.#last);
  }

  /**
   * Listens until `stopListening` is called. Otherwise Dawn would keep the device and its driver's memory for the
   * process lifetime.
   */
  listenTo(gpu: GPUDevice): void {
    // A listener added by addEventListener would keep them even after its removal (measured with webgpu 0.6.2).
    gpu.onuncapturederror = ({ error }) => {
      this.#count++;
      this.#last = error.message;
    };
  }

  stopListening(gpu: GPUDevice): void {
    gpu.onuncapturederror = null;
  }
}

/** The error for work that wgrad should not have submitted. */
export function deviceFault(message: string): DeviceError {
  return new DeviceError({ where: "WebGPU", what: message.trim(), fix: "Please report this as a bug in wgrad" });
}
