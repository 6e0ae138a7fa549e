import { describe, expect, it } from "vitest";

import { Valve, isReport, violation } from "./csp-report";

const report = (about: Record<string, unknown>) => violation(JSON.stringify({ "csp-report": about }));

describe("a report of a broken policy", () => {
  it("is kept without what addresses may hold of people", () => {
    const about = {
      "effective-directive": "script-src-elem",
      "blocked-uri": "https://evil.example/x.js?token=abc",
      "document-uri": "https://tasks.example.org/all?q=secret&task=01a00000-0000-7000-8000-000000000000",
    };
    expect(report(about)).toEqual({
      directive: "script-src-elem",
      blocked: "https://evil.example",
      page: "/all",
    });
  });

  it("keeps the words that stand for what has no address", () => {
    const about = {
      "violated-directive": "style-src-attr 'self'",
      "blocked-uri": "inline",
      "document-uri": "x",
    };
    expect(report(about)).toEqual({ directive: "style-src-attr", blocked: "inline", page: "unknown" });
  });

  it("brings nothing into the log that somebody made up", () => {
    const forged = {
      "effective-directive": 'x\n{"level":"ERROR"}',
      "blocked-uri": "data:text/html,<script>alert(1)</script>",
      "document-uri": "https://tasks.example.org/A%20name%20of%20somebody",
      "script-sample": "hello",
    };
    expect(report(forged)).toEqual({ directive: "unknown", blocked: "data:", page: "unknown" });
  });

  it.each(["", "{", "null", "[null, 1, {}]", '{"csp-report":7}', '{"csp-report":{"effective-directive":7}}'])(
    "is nothing if it is %j",
    (text) => expect(violation(text)).toBeNull(),
  );

  it.each([
    ["application/csp-report", true],
    ["application/csp-report; charset=utf-8", true],
    ["application/json", false],
    [null, false],
  ])("of the media type %j is one: %j", (type, is) => expect(isReport(type)).toBe(is));
});

describe("the valve", () => {
  it("lets so many through per minute, and says how many it held back", () => {
    const valve = new Valve(2);
    expect([1, 2, 3, 4].map((now) => valve.pass(now).pass)).toEqual([true, true, false, false]);
    expect(valve.pass(60_001)).toEqual({ pass: true, held: 2 });
    expect(valve.pass(60_002)).toEqual({ pass: true, held: 0 });
  });
});
