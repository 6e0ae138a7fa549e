import { APIError } from "better-auth/api";
import bcrypt from "bcryptjs";
import { PostgresDialect } from "kysely";
import pg from "pg";

// What the server and the step that makes its tables must agree on. It is JavaScript, because that step runs from the
// standalone build, where nothing compiles TypeScript.

export const schema = "auth";

/**
 * The connections to Postgres. Every statement names the schema: a connection's own settings are not there behind a pooler
 * in transaction mode, which also refuses to begin a connection with any (DATABASE_POOLER).
 * @param {string | undefined} url
 * @param {Partial<pg.PoolConfig>} [more]
 */
export function connect(url, more) {
  return new pg.Pool({
    connectionString: url && withoutOptions(url),
    max: 10,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    application_name: "web",
    ...more,
    statement_timeout:
      process.env["DATABASE_POOLER"] === "true" ? undefined : (more?.statement_timeout ?? 10_000),
  });
}

/**
 * What a URL says for the services' connections is not for ours.
 * @param {string} url
 */
function withoutOptions(url) {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  parsed.searchParams.delete("options");
  parsed.searchParams.delete("search_path");
  return parsed.toString();
}

/**
 * The options that decide what the tables look like and how passwords are kept.
 * @param {pg.Pool} pool
 */
export function base(pool) {
  return {
    appName: "TaskFlow",
    database: {
      dialect: new PostgresDialect({ pool }),
      type: /** @type {const} */ ("postgres"),
      schemaName: schema,
      transaction: true,
    },
    telemetry: { enabled: false },
    advanced: { database: { generateId: /** @type {const} */ ("uuid") } },
    rateLimit: { storage: /** @type {const} */ ("database") },
    emailAndPassword: {
      enabled: true,
      minPasswordLength: 8,
      maxPasswordLength: 72,
      password: { hash, verify },
    },
  };
}

/**
 * bcrypt looks at 72 bytes and not at what follows, so longer passwords are refused rather than cut.
 * @param {string} password
 */
async function hash(password) {
  if (bcrypt.truncates(password)) {
    throw new APIError("BAD_REQUEST", {
      code: "PASSWORD_TOO_LONG",
      message: "The password is longer than 72 bytes; letters beyond a to z may take two to four.",
    });
  }
  return bcrypt.hash(password, 10);
}

/** @param {{ hash: string, password: string }} given */
async function verify(given) {
  return !bcrypt.truncates(given.password) && bcrypt.compare(given.password, given.hash);
}
