import { acquireWasmBackend } from "../wasm.ts";
import { parityTests } from "./parity-suite.ts";

parityTests(() => acquireWasmBackend());
