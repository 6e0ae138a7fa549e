export const dynamic = "force-dynamic";

/** The process runs; whether it can work, /readyz says. */
export function GET() {
  return Response.json({ status: "ok" });
}
