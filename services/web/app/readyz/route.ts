import { schema } from "@/lib/auth/base.mjs";
import { database } from "@/lib/auth/database";
import { cause, log } from "@/lib/log";

export const dynamic = "force-dynamic";

const noSuchTable = "42P01"; // Appendix A of the Postgres manual

/** Ready when its tables can be read. */
export async function GET() {
  try {
    await database().query(`select 1 from ${schema}."user" limit 1`);
    return Response.json({ status: "ready" });
  } catch (err) {
    log("warn", "not ready", { error: cause(err) });
    const detail =
      err instanceof Error && "code" in err && err.code === noSuchTable
        ? "There are no tables yet: run node scripts/migrate.mjs."
        : "The database does not answer.";
    return Response.json({ status: "not ready", detail }, { status: 503 });
  }
}
