import { Valve, isReport, maxReport, violation } from "@/lib/csp-report";
import { log } from "@/lib/log";

export const dynamic = "force-dynamic";

const valve = new Valve(30);

/** Takes what browsers tell of broken policies and writes it to the log. What is no report is answered the same. */
export async function POST(request: Request): Promise<Response> {
  const said = isReport(request.headers.get("content-type")) ? violation(await start(request)) : null;
  if (said) {
    const { pass, held } = valve.pass(Date.now());
    if (pass)
      log("warn", "content security policy broken", { ...said, ...(held > 0 && { not_logged: held }) });
  }
  return new Response(null, { status: 204 });
}

/** The body; nothing if it is too long, of which no more is read than that. */
async function start(request: Request): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (!part?.value) return Buffer.concat(parts).toString("utf8");
    size += part.value.length;
    if (size > maxReport) {
      await reader?.cancel();
      return "";
    }
    parts.push(part.value);
  }
}
