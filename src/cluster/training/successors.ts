/*
 * Which process acts as which worker. A process acts as the worker of its own id, unless it continues in place of a
 * worker whose process is gone.
 */

/** The processes that act as workers of other ids. */
export class Successors {
  readonly #members = new Map<string, string>();

  /** Takes what a record of the log says. */
  note(members: Readonly<Record<string, string>>): void {
    for (const [worker, member] of Object.entries(members)) this.#members.set(worker, member);
  }

  /** The id of the process that acts as a worker. */
  memberOf(worker: string): string {
    return this.#members.get(worker) ?? worker;
  }

  /** The worker that a process acts as; undefined if another process has taken its place. */
  workerOf(member: string): string | undefined {
    for (const [worker, successor] of this.#members) if (successor === member) return worker;
    return this.#members.has(member) ? undefined : member;
  }

  /**
   * Lets new processes continue in place of workers whose processes are gone, both in the order of their ids.
   * @returns the workers that have a new process
   */
  appoint(workers: readonly string[], alive: readonly string[]): string[] {
    const members = workers.map((worker) => this.memberOf(worker));
    const newcomers = alive.filter((member) => !members.includes(member)).sort();
    const gone = workers.filter((worker) => !alive.includes(this.memberOf(worker))).sort();
    const replaced = gone.slice(0, newcomers.length);
    replaced.forEach((worker, index) => this.#members.set(worker, newcomers[index]!));
    return replaced;
  }

  /** The processes of those of some workers that have another id. */
  membersOf(workers: readonly string[]): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#members].filter(([worker]) => workers.includes(worker)));
  }

  /** All of them, by worker. */
  get members(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#members);
  }
}
