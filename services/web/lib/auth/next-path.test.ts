import { describe, expect, it } from "vitest";

import { home, nextPath, signInPath } from "./next-path";

describe("after sign-in", () => {
  it.each(["/upcoming", "/all?q=milk&tag=home", "/calendar?month=2026-12#day", "/all?task=0192f0c1-7b3e"])(
    "goes on to %s",
    (path) => {
      expect(nextPath(path)).toBe(path);
    },
  );

  it.each([
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "/%2e//evil.example",
    "https://evil.example/today",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    " /today",
    "",
    undefined,
    ["/a", "/b"],
    "/sign-in?next=/sign-in",
    "/sign-up",
    "/api/auth/sign-out",
  ])("does not go to %j", (path) => {
    expect(nextPath(path)).toBe(home);
  });

  it("stays on this origin wherever it goes, read as a browser reads it", () => {
    for (const path of ["//e", "/\\e", "/.//e", "/..//e", "/./\\e", "/%09/e", "/;//e", "/@e", "/a//e"]) {
      expect(new URL(nextPath(path), "https://tasks.example.org").origin).toBe("https://tasks.example.org");
    }
  });

  it("comes back to where it was", () => {
    const link = signInPath("/all?q=a&b");
    expect(nextPath(new URL(link, "http://x").searchParams.get("next"))).toBe("/all?q=a&b");
    expect(signInPath(home)).toBe("/sign-in");
  });
});
