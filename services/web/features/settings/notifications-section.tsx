"use client";

import { BellRing } from "lucide-react";
import { useState, useSyncExternalStore } from "react";

import { Button } from "@/components/ui/button";
import { Chip } from "@/components/ui/chip";

import { Section } from "./section";

type State = NotificationPermission | "missing" | "unknown";

const words: Record<State, { chip: string; tone: "ok" | "danger" | "neutral"; text: string }> = {
  granted: {
    chip: "On",
    tone: "ok",
    text: "Reminders appear as notifications of this browser while TaskFlow is open in a tab.",
  },
  default: { chip: "Not asked yet", tone: "neutral", text: "Reminders only appear in the page itself." },
  denied: {
    chip: "Blocked",
    tone: "danger",
    text: "This browser was told not to show them. Open the site settings at the left of the address bar, allow notifications, and reload.",
  },
  missing: {
    chip: "Not available",
    tone: "neutral",
    text: "This browser shows no notifications here. On an iPhone or iPad, add TaskFlow to the home screen first. They need https, or localhost.",
  },
  unknown: { chip: "…", tone: "neutral", text: "" },
};

function permission(): State {
  return "Notification" in window && isSecureContext ? Notification.permission : "missing";
}

/** Tells when the permission changes, also in the browser's own settings. */
function subscribe(listener: () => void): () => void {
  let status: PermissionStatus | undefined;
  let gone = false;
  // Not every browser can be asked for this permission; then the page finds out when it is loaded anew.
  navigator.permissions?.query({ name: "notifications" }).then(
    (found) => {
      if (gone) return;
      status = found;
      status.addEventListener("change", listener);
    },
    () => undefined,
  );
  return () => {
    gone = true;
    status?.removeEventListener("change", listener);
  };
}

export function NotificationsSection() {
  const [, setAsked] = useState(0);
  const state = useSyncExternalStore(subscribe, permission, () => "unknown" as const);
  const { chip, tone, text } = words[state];

  async function ask() {
    await Notification.requestPermission();
    setAsked((n) => n + 1);
  }

  return (
    <Section title="Notifications" about="For reminders, on this device.">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
        <div role="status" className="grid flex-1 basis-60 justify-items-start gap-1.5">
          <Chip tone={tone}>{chip}</Chip>
          <p className="text-sm text-pretty">{text}</p>
        </div>
        {state === "default" && (
          <Button onClick={() => void ask()}>
            <BellRing aria-hidden />
            Turn on
          </Button>
        )}
      </div>
    </Section>
  );
}
