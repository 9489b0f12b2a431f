/*
 * An operator of NATS with an account, whose users have credentials files. Their tokens are JSON web tokens, signed by the
 * key of the operator or account that issues them (github.com/nats-io/jwt, version 2).
 */
import type { nkeys } from "@nats-io/transport-node";
import { loadNatsPackages } from "../../src/cluster/packages.ts";

const base64 = (value: string | Uint8Array): string => Buffer.from(value).toString("base64url");

/** A token that says who `subject` is. */
function signed(issuer: nkeys.KeyPair, subject: nkeys.KeyPair, claims: object): string {
  const names = { iss: issuer.getPublicKey(), sub: subject.getPublicKey() };
  const header = base64(JSON.stringify({ typ: "JWT", alg: "ed25519-nkey" }));
  const body = base64(JSON.stringify({ jti: "test", iat: Math.floor(Date.now() / 1000), ...names, nats: claims }));
  const signature = issuer.sign(new TextEncoder().encode(`${header}.${body}`));
  return `${header}.${body}.${base64(signature)}`;
}

const UNLIMITED = { subs: -1, conn: -1, leaf: -1, imports: -1, exports: -1, data: -1, payload: -1, wildcards: true };
const JETSTREAM = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/** What a user may publish and subscribe to; everything by default. */
export interface UserPermissions {
  readonly pub?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
  readonly sub?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
}

/** An operator with an account that has JetStream. */
export class Operator {
  /** The configuration of a server that trusts this operator. */
  readonly config: string;
  readonly #keys: typeof nkeys;
  readonly #account: nkeys.KeyPair;

  static async create(): Promise<Operator> {
    return new Operator((await loadNatsPackages()).transport.nkeys);
  }

  private constructor(keys: typeof nkeys) {
    this.#keys = keys;
    const [operator, system] = [keys.createOperator(), keys.createAccount()];
    this.#account = keys.createAccount();
    const accountToken = (account: nkeys.KeyPair, limits: object) =>
      `${account.getPublicKey()}: ${signed(operator, account, { type: "account", version: 2, limits })}`;
    this.config = `
operator: ${signed(operator, operator, { type: "operator", version: 2 })}
system_account: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload {
  ${accountToken(system, UNLIMITED)}
  ${accountToken(this.#account, { ...UNLIMITED, ...JETSTREAM })}
}
`;
  }

  /** The credentials file of a new user of the account. */
  credentials(permissions: UserPermissions = {}): string[] {
    const user = this.#keys.createUser();
    const claims = { type: "user", version: 2, subs: -1, data: -1, payload: -1, ...permissions };
    const seed = new TextDecoder().decode(user.getSeed());
    return [
      "-----BEGIN NATS USER JWT-----",
      signed(this.#account, user, claims),
      "------END NATS USER JWT------",
      "",
      "-----BEGIN USER NKEY SEED-----",
      seed,
      "------END USER NKEY SEED------",
    ];
  }
}
