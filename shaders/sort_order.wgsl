// The positions of COUNT keys in ascending order, equal keys in their own order: a thread counts the keys before its own,
// which is where its position belongs, and goes on with the key THREADS further on.
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
