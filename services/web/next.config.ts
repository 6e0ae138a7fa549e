import { createRequire } from "node:module";
import path from "node:path";

import type { NextConfig } from "next";
import { PHASE_PRODUCTION_BUILD } from "next/constants";

// The page is served behind one origin (the Ingress, or `taskflow up`), which sends /api, /ws and /mcp elsewhere. So there
// are no rewrites here: their targets would be baked into the build.
const root = path.resolve(import.meta.dirname);

// What depends on neither request nor settings; the rest is in proxy.ts.
const headers = Object.entries({
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "strict-origin-when-cross-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy":
    "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(), xr-spatial-tracking=()",
}).map(([key, value]) => ({ key, value }));

export default async function config(phase: string): Promise<NextConfig> {
  return {
    output: "standalone",
    outputFileTracingRoot: root,
    outputFileTracingIncludes:
      phase === PHASE_PRODUCTION_BUILD ? { "/readyz": await filesOf("scripts/migrate.mjs") } : {},
    // Nothing shrinks pictures here, so what would need not come along.
    images: { unoptimized: true },
    outputFileTracingExcludes: { "*": ["node_modules/sharp/**", "node_modules/@img/**"] },
    turbopack: { root },
    poweredByHeader: false,
    reactStrictMode: true,
    // The origin compresses; compressing here would hold back streams.
    compress: false,
    allowedDevOrigins: ["localhost", "127.0.0.1"],
    headers: async () => [{ source: "/:path*", headers }],
  };
}

/** A script and all it imports, so that it runs from the standalone build, whose server shares none of it as files. */
async function filesOf(script: string): Promise<string[]> {
  // The tracer that Next.js itself uses; it has no types.
  const { nodeFileTrace } = createRequire(import.meta.url)("next/dist/compiled/@vercel/nft") as {
    nodeFileTrace: (files: string[], options: { base: string }) => Promise<{ fileList: Set<string> }>;
  };
  const { fileList } = await nodeFileTrace([path.join(root, script)], { base: root });
  // The list is of patterns that may match anywhere, and package.json is everywhere.
  return [...fileList].filter((file) => file !== "package.json").map((file) => "./" + file);
}
