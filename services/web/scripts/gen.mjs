// Generates the types of the REST doors from their contracts; `make gen` runs it and `make verify` compares.
import { spawnSync } from "node:child_process";
import path from "node:path";

const web = path.resolve(import.meta.dirname, "..");
for (const service of ["task-api", "chat-agent"]) {
  const made = spawnSync(
    process.execPath,
    [
      path.join(web, "node_modules/openapi-typescript/bin/cli.js"),
      path.join(web, "..", service, "openapi.yaml"),
      "-o",
      path.join(web, "lib/api", `${service}.gen.ts`),
    ],
    { stdio: "inherit" },
  );
  if (made.status !== 0) process.exit(made.status ?? 1);
}
