import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";

import { UserProvider } from "@/lib/user";

import { chatKitOptions } from "./chatkit";
import { ChatKitPanel } from "./chatkit-panel";

describe("ChatKit", () => {
  it("asks our own address and nobody else's", () => {
    const { api, composer } = chatKitOptions("ann b", "key", "dark");
    expect(api).toMatchObject({ url: "/api/ann%20b/chatkit", domainKey: "key" });
    expect(api).not.toHaveProperty("getClientSecret");
    expect(composer?.attachments).toEqual({ enabled: false });
  });

  it("loads OpenAI's program when it is shown, says so when that fails, and can try again", async () => {
    vi.stubGlobal("matchMedia", () => new EventTarget());
    const script = () => document.head.querySelector<HTMLScriptElement>("script[src*='openai.com']");
    expect(script()).toBeNull();
    const { unmount } = render(
      <UserProvider user={{ id: "ann", name: "Ann", email: "ann@example.org" }}>
        <ChatKitPanel domainKey="key" />
      </UserProvider>,
    );
    expect(script()?.src).toBe("https://cdn.platform.openai.com/deployments/chatkit/chatkit.js");
    const failing = script();
    if (failing) fireEvent.error(failing);
    expect(await screen.findByRole("alert")).toHaveTextContent("ChatKit cannot be loaded");
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(script()).not.toBe(failing);
    unmount();
    expect(script()).toBeNull();
  });
});
