import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { parityTests } from "./parity-suite.ts";

// The fallback without a GPU. It also shows, without a GPU, that the cases and their bounds are right.
parityTests(async () => createCpuBackend({ precision: "float32" }));
