// Run as a process of its own by adapter.mjs: asks Dawn for an adapter and prints what it got as one line of JSON.

let create;
try {
  ({ create } = await import("webgpu"));
} catch (error) {
  print({ unloadable: error.message });
}

// Dawn crashes when this object is collected while an adapter is in use, so it lives as long as the process.
const gpu = create([]);
const adapter = await gpu.requestAdapter();
if (adapter === null) print({ adapter: null });
const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
print({ adapter: { vendor, architecture, device, description, isFallbackAdapter } });

/** Leaves at once: Node would wait for as long as Dawn holds an adapter. */
function print(found) {
  process.stdout.write(`${JSON.stringify(found)}\n`);
  process.exit(0);
}
