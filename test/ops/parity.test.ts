import { acquireGuardedBackend } from "../gpu.ts";
import { parityTests } from "./parity-suite.ts";

// A missing adapter fails every test here: acquireBackend throws. Results are poisoned before each run, and the words
// after them guarded.
parityTests(() => acquireGuardedBackend());
