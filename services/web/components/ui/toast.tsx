"use client";

import { X } from "lucide-react";
import { Toast as Radix } from "radix-ui";
import { type ReactNode, createContext, useCallback, useContext, useMemo, useState } from "react";

import { cn } from "@/lib/cn";
import { useInBrowser } from "@/lib/use-in-browser";

import { Button } from "./button";

export type ToastOptions = {
  title: string;
  description?: string;
  tone?: "neutral" | "danger" | "ok";
  /** One thing that can be done about it, such as undoing it. */
  action?: { label: string; onPress: () => void };
  /** How long it stays, in milliseconds; 6000 by default, and while it is hovered or focused. */
  duration?: number;
};

type Shown = ToastOptions & { id: number };

const Context = createContext<((options: ToastOptions) => void) | null>(null);

/** More would cover the page; the oldest goes. */
const most = 3;
let next = 0;

export function ToastProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<Shown[]>([]);
  const show = useCallback((options: ToastOptions) => {
    setShown((now) => [...now, { ...options, id: next++ }].slice(-most));
  }, []);
  const value = useMemo(() => show, [show]);
  const inBrowser = useInBrowser();
  return (
    <Context.Provider value={value}>
      <Radix.Provider swipeDirection="left" label="Notification">
        {children}
        {shown.map((t) => (
          <Radix.Root
            key={t.id}
            duration={t.duration ?? 6000}
            type={t.tone === "danger" ? "foreground" : "background"}
            onOpenChange={(open) => {
              if (!open) setShown((now) => now.filter((other) => other.id !== t.id));
            }}
            className={cn(
              "flex animate-slide-in items-center gap-3 rounded-xl border border-line bg-raised p-3 pl-4 shadow-pop",
              t.tone === "danger" && "border-danger",
            )}
          >
            <div className="min-w-0 flex-1">
              <Radix.Title
                className={cn("text-sm font-medium break-words", t.tone === "danger" && "text-danger")}
              >
                {t.title}
              </Radix.Title>
              {t.description && (
                <Radix.Description className="text-sm break-words text-muted">
                  {t.description}
                </Radix.Description>
              )}
            </div>
            {t.action && (
              <Radix.Action asChild altText={t.action.label} onClick={t.action.onPress}>
                <Button size="sm">{t.action.label}</Button>
              </Radix.Action>
            )}
            <Radix.Close asChild>
              <Button look="ghost" size="icon" aria-label="Dismiss">
                <X />
              </Button>
            </Radix.Close>
          </Radix.Root>
        ))}
        {/* On the left, where neither a sheet, nor the chat, nor the button that adds is. */}
        {inBrowser && (
          <Radix.Viewport className="fixed bottom-0 left-0 z-60 m-4 grid w-[min(26rem,calc(100vw-2rem))] gap-2 outline-none" />
        )}
      </Radix.Provider>
    </Context.Provider>
  );
}

/** Shows a toast. */
export function useToast(): (options: ToastOptions) => void {
  const show = useContext(Context);
  if (!show) throw new Error("useToast needs a ToastProvider above it");
  return show;
}
