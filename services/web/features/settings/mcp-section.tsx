"use client";

import { Tabs } from "radix-ui";

import { Skeleton } from "@/components/ui/skeleton";
import { useInBrowser } from "@/lib/use-in-browser";

import { CopyButton } from "./copy-button";
import { Section } from "./section";
import { snippets } from "./snippets";

const placeholder = "YOUR_API_TOKEN";

export function McpSection() {
  const inBrowser = useInBrowser();
  return (
    <Section
      title="Connect an agent (MCP)"
      about="Agents that speak the Model Context Protocol can work on your tasks, with an API token from the section below: read lets them look, write lets them change."
    >
      {inBrowser ? <Instructions origin={location.origin} /> : <Skeleton className="h-48" />}
    </Section>
  );
}

function Instructions({ origin }: { origin: string }) {
  const all = snippets(origin, placeholder);
  return (
    <>
      <div className="flex items-center justify-between gap-3 rounded-lg border border-line bg-sunken py-1.5 pr-1.5 pl-3">
        <code className="min-w-0 truncate font-mono text-sm">{origin}/mcp</code>
        <CopyButton text={`${origin}/mcp`} label="Copy the address" />
      </div>
      <Tabs.Root defaultValue={all[0] && idOf(all[0].client)} className="grid gap-3">
        <Tabs.List aria-label="Client" className="flex overflow-x-auto border-b border-line">
          {all.map(({ client }) => (
            <Tabs.Trigger
              key={client}
              value={idOf(client)}
              className="h-9 shrink-0 cursor-pointer border-b-2 border-transparent px-2.5 text-sm text-muted hover:text-ink data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-ink sm:px-3"
            >
              {client}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {all.map(({ client, where, text }) => (
          <Tabs.Content key={client} value={idOf(client)} className="grid gap-2">
            <div className="flex items-center justify-between gap-3">
              <p className="text-sm text-muted">
                {where}, with your token for <code className="font-mono text-xs">{placeholder}</code>
              </p>
              <CopyButton text={text} label={`Copy for ${client}`} />
            </div>
            <pre
              tabIndex={0}
              aria-label={`Settings for ${client}`}
              className="overflow-x-auto rounded-lg border border-line bg-sunken p-3 font-mono text-xs leading-relaxed break-words whitespace-pre-wrap"
            >
              {text}
            </pre>
          </Tabs.Content>
        ))}
      </Tabs.Root>
    </>
  );
}

/** Radix makes element ids of it, which may have no spaces. */
function idOf(client: string): string {
  return client.toLowerCase().replaceAll(" ", "-");
}
