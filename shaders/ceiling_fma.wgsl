// Measures float32 arithmetic: sums[thread] = the sum of 16 numbers, each updated LOOPS · 4 times by x ← x · factor +
// term. The 16 chains are independent, so that an adapter can overlap them; each is a separate variable, since an array
// would not be in registers everywhere. A thread makes one sum: 16 · 4 · LOOPS multiply-adds, and one memory access at
// its end.
// Expects: LOOPS, GROUP_THREADS.

struct Coefficients {
    factor: f32,
    term: f32,
}

@group(0) @binding(0) var<storage, read> coefficients: Coefficients;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

fn advance(x: f32, factor: f32, term: f32) -> f32 {
    return fma(fma(fma(fma(x, factor, term), factor, term), factor, term), factor, term);
}

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let factor = coefficients.factor;
    let term = coefficients.term;
    // Threads start at different numbers, or the compiler could compute the loop once for all.
    let first = f32(id.x % 64u) / 64.0;
    var x0 = first;
    var x1 = first + 1.0;
    var x2 = first + 2.0;
    var x3 = first + 3.0;
    var x4 = first + 4.0;
    var x5 = first + 5.0;
    var x6 = first + 6.0;
    var x7 = first + 7.0;
    var x8 = first + 8.0;
    var x9 = first + 9.0;
    var x10 = first + 10.0;
    var x11 = first + 11.0;
    var x12 = first + 12.0;
    var x13 = first + 13.0;
    var x14 = first + 14.0;
    var x15 = first + 15.0;
    for (var loop_count = 0u; loop_count < LOOPS; loop_count++) {
        x0 = advance(x0, factor, term);
        x1 = advance(x1, factor, term);
        x2 = advance(x2, factor, term);
        x3 = advance(x3, factor, term);
        x4 = advance(x4, factor, term);
        x5 = advance(x5, factor, term);
        x6 = advance(x6, factor, term);
        x7 = advance(x7, factor, term);
        x8 = advance(x8, factor, term);
        x9 = advance(x9, factor, term);
        x10 = advance(x10, factor, term);
        x11 = advance(x11, factor, term);
        x12 = advance(x12, factor, term);
        x13 = advance(x13, factor, term);
        x14 = advance(x14, factor, term);
        x15 = advance(x15, factor, term);
    }
    sums[id.x] = ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7))
        + (((x8 + x9) + (x10 + x11)) + ((x12 + x13) + (x14 + x15)));
}
