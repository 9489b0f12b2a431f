// Several threads of a workgroup ("lanes") compute one output; a workgroup computes GROUP_OUTPUTS outputs at once.
// Threads are numbered so that adjacent threads read adjacent memory: by lane if a group's elements are adjacent
// (STRIDE = 1), else by output. Sums are combined in a fixed tree, so the same input gives the same bits.
// `zero` is 0, but the compiler must not know it, which keeps it from unrolling loops with barriers: on lavapipe, a sum over 64
// lanes compiles in 0.6 times the time.
// Expects: LANES (a power of two), GROUP_OUTPUTS, STRIDE (elements between the members of a group).

const GROUP_THREADS = LANES * GROUP_OUTPUTS;

var<workgroup> lane_values: array<f32, GROUP_THREADS>;

fn lane_of(thread: u32) -> u32 {
    return select(thread / GROUP_OUTPUTS, thread % LANES, STRIDE == 1u);
}

fn output_of(thread: u32) -> u32 {
    return select(thread % GROUP_OUTPUTS, thread / LANES, STRIDE == 1u);
}

// Whether a lane is the first of its output, known when the kernel is compiled if it is the only one.
fn is_first(lane: u32) -> bool {
    return LANES == 1u || lane == 0u;
}

fn lane_slot(output: u32, lane: u32) -> u32 {
    return output * LANES + lane;
}

// The sum over the lanes of one output, returned to all of them. Every thread of the workgroup must call it.
fn sum_over_lanes(output: u32, lane: u32, value: f32, zero: u32) -> f32 {
    if (LANES == 1u) {
        return value;
    }
    lane_values[lane_slot(output, lane)] = value;
    for (var half = LANES / 2u + zero; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            lane_values[lane_slot(output, lane)] += lane_values[lane_slot(output, lane + half)];
        }
    }
    workgroupBarrier();
    let result = lane_values[lane_slot(output, 0u)];
    workgroupBarrier();
    return result;
}

// The largest value over the lanes of one output, or NaN, returned to all of them. Every thread of the workgroup must
// call it.
fn max_over_lanes(output: u32, lane: u32, value: f32, zero: u32) -> f32 {
    if (LANES == 1u) {
        return value;
    }
    lane_values[lane_slot(output, lane)] = value;
    for (var half = LANES / 2u + zero; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            let slot = lane_slot(output, lane);
            lane_values[slot] = maximum(lane_values[slot], lane_values[lane_slot(output, lane + half)]);
        }
    }
    workgroupBarrier();
    let result = lane_values[lane_slot(output, 0u)];
    workgroupBarrier();
    return result;
}
