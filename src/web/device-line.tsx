import type { DeviceInfo } from "./contract.ts";

interface DeviceLineProps {
  /** Undefined until the device is open. */
  readonly info: Omit<DeviceInfo, "mnist"> | undefined;
  /** Why there is no device. */
  readonly fault: string | undefined;
}

/** The device, and why it is not a GPU if it is not. */
export function DeviceLine({ info, fault }: DeviceLineProps) {
  if (!info) return <p class="device">{fault ? "No device" : "Looking for a GPU …"}</p>;
  const { kind, adapter, software, reason } = info;
  const isGpu = kind === "webgpu";
  return (
    <p class="device">
      <strong data-testid="backend">{isGpu ? "WebGPU" : "CPU"}</strong>{" "}
      <span data-testid="adapter">
        {!isGpu && (kind === "wasm" ? `(${adapter})` : "(reference backend)")}
        {isGpu && (software ? `software adapter (${adapter}, runs on the CPU)` : adapter)}
      </span>
      {reason && (
        <span class="reason" data-testid="cpu-reason">
          {reason}
        </span>
      )}
    </p>
  );
}
