/** Runs once before the first request, and not in a build. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs" && process.env["NEXT_PHASE"] !== "phase-production-build") {
    const { checkConfig } = await import("./lib/check-config");
    checkConfig();
  }
}
