// SUMS sums over all threads of a workgroup, which share two barriers: on lavapipe a barrier costs more to compile than a
// kernel without barriers. Every thread sets its values of all sums, then calls add_group_values. After it, thread 0 can
// read the sums, whose terms are added in a fixed order.
// Expects: GROUP_THREADS, SUMS (at least 1).

// The number of threads that add partial sums.
const GROUP_ADDERS = 8u;

var<workgroup> group_values: array<f32, SUMS * GROUP_THREADS>;
var<workgroup> adder_values: array<f32, SUMS * GROUP_ADDERS>;

fn set_group_value(sum: u32, thread: u32, value: f32) {
    group_values[sum * GROUP_THREADS + thread] = value;
}

// `zero` is 0, but the compiler must not know it: it keeps loops from being unrolled.
fn add_group_values(thread: u32, zero: u32) {
    workgroupBarrier();
    if (thread < GROUP_ADDERS) {
        for (var sum = zero; sum < SUMS; sum++) {
            var partial = 0.0;
            for (var other = thread; other < GROUP_THREADS; other += GROUP_ADDERS) {
                partial += group_values[sum * GROUP_THREADS + other];
            }
            adder_values[sum * GROUP_ADDERS + thread] = partial;
        }
    }
    workgroupBarrier();
}

fn group_sum(sum: u32, zero: u32) -> f32 {
    var total = 0.0;
    for (var adder = zero; adder < GROUP_ADDERS; adder++) {
        total += adder_values[sum * GROUP_ADDERS + adder];
    }
    return total;
}
