// Makes the tables of sign-in, and the demo user if there is to be one. Its own step, before the server starts; running it
// again, or twice at once, changes nothing more.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";

import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { jwt } from "better-auth/plugins";

import { base, connect, schema } from "../lib/auth/base.mjs";

const usage = `Makes the tables of TaskFlow's sign-in in the schema "${schema}", or what is missing of them.

  DATABASE_URL=postgres://… node scripts/migrate.mjs [--dry-run]

  --dry-run   prints the SQL and runs none
  --help      prints this

Settings, from the environment:
  DATABASE_URL    the database; the user must own the schema or be allowed to make it
  DATABASE_POOLER true if it leads to a pooler in transaction mode
  DEMO_EMAIL      makes this user unless there is one already
  DEMO_PASSWORD   its password, 8 to 72 bytes
  DEMO_NAME       its name, "Demo" by default

Exit codes: 0 done, or nothing to do; 1 failed, nothing was changed; 2 called wrongly.`;

// The same for every process, whichever they are.
const lock = 7_265_883_401;

class Wrong extends Error {}

/** @param {boolean} dryRun */
async function main(dryRun) {
  const url = process.env["DATABASE_URL"];
  if (!url) throw new Wrong("DATABASE_URL must be set, such as postgres://user:password@localhost/taskflow");
  const demo = demoUser();

  const pool = connect(url, { max: 4, connectionTimeoutMillis: 15_000, statement_timeout: 60_000 });
  pool.on("error", () => {}); // the query that is under way says it
  try {
    const client = await pool.connect();
    try {
      await client.query("begin");
      await client.query("set local lock_timeout = '60s'");
      // Until the transaction ends, so also if this process dies; and it works through poolers.
      await client.query("select pg_advisory_xact_lock($1)", [lock]);
      await makeTables(pool, client, dryRun);
      await client.query(dryRun ? "rollback" : "commit");
      client.release();
    } catch (err) {
      client.release(true); // which also rolls back
      throw err;
    }
    if (demo && !dryRun) await makeUser(pool, demo);
  } finally {
    await pool.end();
  }
}

/**
 * All tables appear at once or not at all: the plan is made with connections of its own and carried out on client.
 * @param {import("pg").Pool} pool
 * @param {import("pg").PoolClient} client
 * @param {boolean} dryRun
 */
async function makeTables(pool, client, dryRun) {
  // `if not exists` asks for the right to make schemas even where there is one.
  const found = await client.query("select 1 from pg_namespace where nspname = $1", [schema]);
  if (found.rowCount === 0) {
    say(`schema "${schema}": ${dryRun ? "to be made" : "made"}`);
    if (dryRun) return say("The SQL of the tables can be shown when there is a schema.");
    // On another connection: the plan must see it.
    await pool.query(`create schema "${schema}"`);
  }
  // The table of keys is made even where a shared secret is used, so that the choice can be changed later.
  const plan = await getMigrations({ ...base(pool), plugins: [jwt()] }, { throwOnUnsafe: false });
  const problems = [...plan.unsafeChanges, ...plan.schemaProblems.map((p) => JSON.stringify(p))];
  if (problems.length > 0)
    throw new Wrong(`the tables cannot be changed safely:\n  ${problems.join("\n  ")}`);

  if (plan.toBeCreated.length + plan.toBeAdded.length + plan.toBeAddedIndexes.length === 0) {
    return say(`schema "${schema}": up to date`);
  }
  const sql = await plan.compileMigrations();
  if (dryRun) return say(sql);
  await client.query(sql);
  for (const t of plan.toBeCreated) say(`table "${t.table}": made`);
  for (const t of plan.toBeAdded) say(`table "${t.table}": added ${Object.keys(t.fields).join(", ")}`);
  for (const i of plan.toBeAddedIndexes) say(`table "${i.table}": added index ${i.name}`);
}

function demoUser() {
  const email = process.env["DEMO_EMAIL"]?.trim().toLowerCase();
  if (!email) return undefined;
  const password = process.env["DEMO_PASSWORD"] ?? "";
  if (password.length < 8) throw new Wrong("DEMO_PASSWORD must have 8 to 72 bytes when DEMO_EMAIL is set");
  return { email, password, name: process.env["DEMO_NAME"]?.trim() || "Demo" };
}

/**
 * @param {import("pg").Pool} pool
 * @param {{ email: string, password: string, name: string }} user
 */
async function makeUser(pool, user) {
  const common = base(pool);
  const auth = betterAuth({
    ...common,
    baseURL: "http://localhost",
    secret: randomBytes(32).toString("base64"), // nothing is signed: nobody is signed in
    emailAndPassword: { ...common.emailAndPassword, autoSignIn: false },
    logger: { disabled: true }, // its errors are said below
  });
  const { internalAdapter } = await auth.$context;
  if (await internalAdapter.findUserByEmail(user.email)) return say(`user ${user.email}: is there already`);
  try {
    await auth.api.signUpEmail({ body: user });
  } catch (err) {
    if (await internalAdapter.findUserByEmail(user.email)) return say(`user ${user.email}: is there already`);
    throw new Wrong(`user ${user.email} cannot be made: ${err instanceof Error ? err.message : err}`);
  }
  const made = await internalAdapter.findUserByEmail(user.email);
  say(`user ${user.email}: made, id ${made?.user.id}`);
}

/**
 * What to do about an error of the connection or of Postgres (its codes: Appendix A of its manual).
 * @param {unknown} err
 */
function advice(err) {
  const code = /** @type {{ code?: string }} */ (err)?.code;
  switch (code) {
    case "ECONNREFUSED":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "ETIMEDOUT":
      return "Is Postgres running, and does DATABASE_URL name it?";
    case "28P01":
    case "28000":
      return "Postgres does not take the user or password in DATABASE_URL.";
    case "3D000":
      return "Make the database first, for instance with createdb.";
    case "42501":
      return `The user may not do that. Let an administrator run: CREATE SCHEMA "${schema}" AUTHORIZATION <user>.`;
    case "55P03":
      return "Another run holds the lock and has not finished within 60 s.";
    default:
      return undefined;
  }
}

/** @param {string} line */
function say(line) {
  console.log(line);
}

/** @type {{ "dry-run"?: boolean, help?: boolean }} */
let flags = {};
try {
  flags = parseArgs({ options: { "dry-run": { type: "boolean" }, help: { type: "boolean" } } }).values;
} catch (err) {
  console.error(`${err instanceof Error ? err.message : err}\n\n${usage}`);
  process.exit(2);
}
if (flags.help) {
  say(usage);
} else {
  try {
    await main(flags["dry-run"] ?? false);
  } catch (err) {
    // An AggregateError, as of a host with two addresses, has no message of its own.
    const one = err instanceof AggregateError ? err.errors[0] : err;
    console.error(`migrate: ${one instanceof Error ? one.message : one}`);
    const hint = one instanceof Wrong ? undefined : advice(one);
    if (hint) console.error(hint);
    process.exitCode = 1;
  }
}
