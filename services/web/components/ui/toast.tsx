"use client";

import { X } from "lucide-react";
import {
  type KeyboardEvent,
  type ReactNode,
  createContext,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
} from "react";

import { cn } from "@/lib/cn";

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

/**
 * Shows toasts, in the landmark "Notifications (F8)": F8 goes to the newest. They take no part in what is open on the page:
 * Escape closes a dialog while a toast is up, and a toast only if the focus is in it.
 */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<readonly Shown[]>([]);
  const show = useCallback((options: ToastOptions) => {
    setShown((now) => [...now, { ...options, id: next++ }].slice(-most));
  }, []);
  const [hovered, setHovered] = useState(false);
  const [focused, setFocused] = useState(false);
  const away = useAway();
  const list = useRef<HTMLOListElement>(null);
  // Where the focus was before it came here.
  const before = useRef<Element | null>(null);

  useEffect(() => {
    const hear = (event: globalThis.KeyboardEvent) => {
      const newest = list.current?.lastElementChild?.querySelector("button");
      if (event.key !== "F8" || !newest) return;
      event.preventDefault();
      newest.focus();
    };
    window.addEventListener("keydown", hear);
    return () => window.removeEventListener("keydown", hear);
  }, []);

  const close = useCallback((id: number) => {
    const inside = list.current?.querySelector(`[data-toast="${id}"]`)?.contains(document.activeElement);
    setShown((now) => now.filter((t) => t.id !== id));
    setHovered(false);
    if (!inside) return;
    setFocused(false);
    if (before.current instanceof HTMLElement && before.current.isConnected) before.current.focus();
  }, []);

  return (
    <Context.Provider value={show}>
      {children}
      {/* On the left, where neither a sheet, nor the chat, nor the button that adds is. */}
      <section
        aria-label="Notifications (F8)"
        className="pointer-events-none fixed bottom-0 left-0 z-60 w-[min(28rem,100vw)]"
      >
        <ol
          ref={list}
          // It is there before what is told in it, or that would not be read out.
          aria-live="polite"
          aria-relevant="additions"
          onPointerEnter={() => setHovered(true)}
          onPointerLeave={() => setHovered(false)}
          onFocus={(event) => {
            if (!event.currentTarget.contains(event.relatedTarget)) before.current = event.relatedTarget;
            setFocused(true);
          }}
          onBlur={(event) => setFocused(event.currentTarget.contains(event.relatedTarget))}
          className="grid gap-2 not-empty:p-4"
        >
          {shown.map((t) => (
            <Toast key={t.id} toast={t} stays={hovered || focused || away} onClose={close} />
          ))}
        </ol>
      </section>
    </Context.Provider>
  );
}

function Toast(props: { toast: Shown; stays: boolean; onClose: (id: number) => void }) {
  const { toast: t, stays, onClose } = props;
  const left = useRef(t.duration ?? 6000);
  useEffect(() => {
    if (stays) return;
    const began = performance.now();
    const timer = setTimeout(() => onClose(t.id), left.current);
    return () => {
      clearTimeout(timer);
      left.current -= performance.now() - began;
    };
  }, [stays, onClose, t.id]);
  return (
    <li
      data-toast={t.id}
      onKeyDown={(event: KeyboardEvent) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        onClose(t.id);
      }}
      className={cn(
        "pointer-events-auto flex animate-slide-in items-center gap-3 rounded-xl border bg-raised p-3 pl-4 shadow-pop",
        t.tone === "danger" ? "border-danger" : "border-line",
      )}
    >
      <div role={t.tone === "danger" ? "alert" : undefined} className="min-w-0 flex-1">
        <p className={cn("text-sm font-medium break-words", t.tone === "danger" && "text-danger")}>
          {t.title}
        </p>
        {t.description && <p className="text-sm break-words text-muted">{t.description}</p>}
      </div>
      {t.action && (
        <Button
          size="sm"
          onClick={() => {
            t.action?.onPress();
            onClose(t.id);
          }}
        >
          {t.action.label}
        </Button>
      )}
      <Button look="ghost" size="icon" aria-label="Dismiss" onClick={() => onClose(t.id)}>
        <X />
      </Button>
    </li>
  );
}

/** Whether the person is at another window: what is told meanwhile waits for them. */
function useAway(): boolean {
  const [away, setAway] = useState(false);
  useEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    window.addEventListener("blur", () => setAway(true), { signal });
    window.addEventListener("focus", () => setAway(false), { signal });
    return () => listening.abort();
  }, []);
  return away;
}

/** Shows a toast. */
export function useToast(): (options: ToastOptions) => void {
  const show = useContext(Context);
  if (!show) throw new Error("useToast needs a ToastProvider above it");
  return show;
}
