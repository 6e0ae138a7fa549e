import { describe, expect, it } from "vitest";

import { snippets } from "./snippets";

const all = snippets("https://tasks.example.org", "tfk_abc");

describe("the connection of an agent", () => {
  it.each(all)("to $client names the address and the token", ({ text }) => {
    expect(text).toContain("https://tasks.example.org/mcp");
    expect(text).toContain("Bearer tfk_abc");
  });
  it("is JSON where it goes into a file of JSON", () => {
    const files = all.filter(({ where }) => where.endsWith(".json"));
    expect(files).toHaveLength(2);
    for (const { text } of files) expect(JSON.parse(text)).toHaveProperty("mcpServers.taskflow");
  });
});
