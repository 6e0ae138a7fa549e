// Writes what a Go program was linked from as CycloneDX 1.6, out of the list it carries itself:
//
//   go version -m -json PROGRAM | node .ci/sbom.mjs NAME VERSION CREATED >NAME.cdx.json
//
// The same program gives the same file. The sum of a module, h1, is over its files and not over an archive, so it is a property.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const [name, version, created] = process.argv.slice(2);
const text = readFileSync(0, "utf8");
const info = JSON.parse(text);

const golang = (path, version) => `pkg:golang/${path}@${version}`.replaceAll("+", "%2B");
const components = (info.Deps ?? [])
  .map((module) => (module.Replace?.Version ? module.Replace : module))
  .map(({ Path, Version, Sum }) => ({
    type: "library",
    "bom-ref": golang(Path, Version),
    name: Path,
    // Modules of this repository have no version but the program's.
    version: Version === "(devel)" || Version === "v0.0.0" ? version : Version,
    purl: golang(Path, Version),
    ...(Sum && { properties: [{ name: "taskflow:go:sum", value: Sum }] }),
  }));
const go = info.GoVersion.replace(/^go/, "");
components.push({ type: "library", "bom-ref": golang("std", go), name: "std", version: go, purl: golang("std", go) });

const hash = createHash("sha256").update(name + version + text).digest("hex");
const uuid = [hash.slice(0, 8), hash.slice(8, 12), "5" + hash.slice(13, 16), "a" + hash.slice(17, 20), hash.slice(20, 32)].join("-");
const program = { type: "application", "bom-ref": name, name, version };
console.log(
  JSON.stringify(
    {
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      serialNumber: `urn:uuid:${uuid}`,
      version: 1,
      metadata: { timestamp: created, component: program },
      components,
      dependencies: [{ ref: name, dependsOn: components.map((c) => c["bom-ref"]) }],
    },
    undefined,
    2,
  ),
);
