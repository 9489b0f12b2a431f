// Measures memory bandwidth: destination[i] = source[i] for THREADS · 4 vectors of four words. Each thread copies four
// vectors at a distance of THREADS, so that adjacent threads copy adjacent vectors.
// Expects: THREADS, GROUP_THREADS.

@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> destination: array<vec4<u32>>;

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    for (var i = id.x; i < 4u * THREADS; i += THREADS) {
        destination[i] = source[i];
    }
}
