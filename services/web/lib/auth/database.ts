import type pg from "pg";

import { cause, log } from "@/lib/log";

import { connect } from "./base.mjs";

let pool: pg.Pool | undefined;

/** The connections to Postgres. Made at first use: a build has no database. */
export function database(): pg.Pool {
  if (!pool) {
    pool = connect(process.env["DATABASE_URL"], { max: Number(process.env["DATABASE_MAX_CONNS"] || 10) });
    // Without a listener, a connection that breaks while idle ends the process. The next request makes a new one.
    pool.on("error", (err) => log("warn", "a connection to the database broke", { error: cause(err) }));
  }
  return pool;
}
