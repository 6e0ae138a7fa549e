import type { ChatKitOptions, ColorScheme } from "@openai/chatkit-react";

import { renewed } from "@/lib/api/renew";

/** What ChatKit is started with: it speaks to our own address, and looks like our page. */
export function chatKitOptions(userId: string, domainKey: string, colorScheme: ColorScheme): ChatKitOptions {
  return {
    api: { url: `/api/${encodeURIComponent(userId)}/chatkit`, domainKey, fetch: withSession },
    theme: {
      colorScheme,
      radius: "soft",
      density: "compact",
      color: { accent: { primary: colorScheme === "dark" ? "#8f8dff" : "#4a48d4", level: 2 } },
    },
    history: { enabled: true, showDelete: false, showRename: false },
    composer: { attachments: { enabled: false }, placeholder: "Say what is to be done…" },
    threadItemActions: { feedback: false, retry: true },
    startScreen: {
      greeting: "What shall be done?",
      prompts: [
        { label: "Add a task", prompt: "Add buy milk tomorrow at 5pm" },
        { label: "See what is due", prompt: "What is due this week?" },
      ],
    },
    disclaimer: { text: "Nothing is deleted before you agree." },
  };
}

/** fetch with the session's cookie; an expired token is renewed once. */
async function withSession(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, { ...init, credentials: "same-origin" });
  const copy = request.clone();
  const response = await fetch(request);
  return response.status === 401 && (await renewed()) ? fetch(copy) : response;
}
