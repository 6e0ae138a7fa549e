import { randomUUID } from "node:crypto";

import type { Jwk } from "better-auth/plugins";
import type pg from "pg";

import { schema } from "./base.mjs";

// The same for every server of the page.
const lock = 7_265_883_402;

/**
 * Keeps a new key, unless somebody else has just made one: then it returns that one. Better Auth makes a key whenever it
 * finds none, so several who ask at the same time would each be told of another, and not of the one that signs.
 */
export async function keepFirst(pool: pg.Pool, made: Omit<Jwk, "id">): Promise<Jwk> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("set local lock_timeout = '5s'");
    // Until the transaction ends, so it works through poolers too.
    await client.query("select pg_advisory_xact_lock($1)", [lock]);
    const found = await client.query<Jwk>(
      `select * from "${schema}"."jwks" where "expiresAt" is null or "expiresAt" > now() order by "createdAt" desc limit 1`,
    );
    const kept = found.rows[0] ?? { ...made, id: randomUUID() };
    if (!found.rows[0]) {
      await client.query(
        `insert into "${schema}"."jwks" ("id", "publicKey", "privateKey", "createdAt", "expiresAt", "alg", "crv") values ($1, $2, $3, $4, $5, $6, $7)`,
        [kept.id, kept.publicKey, kept.privateKey, kept.createdAt, kept.expiresAt, kept.alg, kept.crv],
      );
    }
    await client.query("commit");
    client.release();
    return kept;
  } catch (err) {
    client.release(true); // which also rolls back
    throw err;
  }
}
