/** How a client of the Model Context Protocol is told of this server. */
export type Snippet = { client: string; where: string; text: string };

const pretty = (value: unknown) => JSON.stringify(value, null, 2);

/** Ready to paste; token is the user's API token, or stands for it. */
export function snippets(origin: string, token: string): Snippet[] {
  const url = `${origin}/mcp`;
  const bearer = `Bearer ${token}`;
  return [
    {
      client: "Claude Code",
      where: "In a terminal",
      text: `claude mcp add --transport http taskflow ${url} --header "Authorization: ${bearer}"`,
    },
    {
      client: "Cursor",
      where: "In ~/.cursor/mcp.json",
      text: pretty({ mcpServers: { taskflow: { url, headers: { Authorization: bearer } } } }),
    },
    {
      client: "Claude Desktop",
      where: "In claude_desktop_config.json",
      text: pretty({
        mcpServers: {
          taskflow: {
            command: "npx",
            args: ["-y", "mcp-remote", url, "--header", "Authorization:${TASKFLOW}"],
            env: { TASKFLOW: bearer },
          },
        },
      }),
    },
    {
      client: "Inspector",
      where: "In a terminal",
      text: `npx @modelcontextprotocol/inspector@2.12.0 --cli ${url} --transport http --header "Authorization: ${bearer}" --method tools/list`,
    },
  ];
}
