// The positions of COUNT keys in ascending order; equal keys keep their order. A thread counts the keys that come
// before its own, which gives the index of its position in the result, and continues with the key THREADS further on.
// Expects: COUNT, THREADS (of the whole grid), GROUP_THREADS.

@compute @workgroup_size(GROUP_THREADS)
fn main(@builtin(global_invocation_id) thread: vec3<u32>) {
    for (var own = thread.x; own < COUNT; own += THREADS) {
        let key = read_keys(own);
        var before = 0u;
        for (var other = 0u; other < COUNT; other++) {
            let compared = read_keys(other);
            before += select(0u, 1u, compared < key || (compared == key && other < own));
        }
        finish(before, 0u, before, own);
    }
    finish_thread();
}
