"use client";

import {
  type FocusEvent,
  type PointerEvent,
  type ReactElement,
  type ReactNode,
  cloneElement,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { createPortal } from "react-dom";

import { Kbd } from "./kbd";

/** How long the mouse rests on a control before it is explained, in milliseconds. */
const pause = 400;
/** Pixels between it and its control, and to the edges of the page. */
const gap = 6;
const edge = 8;

/**
 * Says what a control does, with its key; the control needs a name of its own besides. It may be pointed at itself, and
 * Escape takes it away (WCAG 2.2, 1.4.13). It knows no layers: the same Escape still closes what is open.
 */
export function Tooltip({
  text,
  keys,
  children,
}: {
  text: ReactNode;
  keys?: string;
  children: ReactElement<{ "aria-describedby"?: string | undefined }>;
}) {
  const [about, setAbout] = useState<Element | null>(null);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const id = useId();

  const hide = () => {
    clearTimeout(waiting.current);
    setAbout(null);
  };
  const enter = (event: PointerEvent<HTMLElement>) => {
    if (event.pointerType === "touch") return;
    const control = event.currentTarget.firstElementChild;
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => setAbout(control), pause);
  };
  const focus = (event: FocusEvent<HTMLElement>) => {
    if (event.target.matches(":focus-visible")) setAbout(event.currentTarget.firstElementChild);
  };

  useEffect(() => () => clearTimeout(waiting.current), []);
  useEffect(() => {
    if (!about) return;
    const listening = new AbortController();
    const { signal } = listening;
    const away = () => setAbout(null);
    window.addEventListener("keydown", (event) => event.key === "Escape" && away(), {
      signal,
      capture: true,
    });
    window.addEventListener("scroll", away, { signal, capture: true, passive: true });
    return () => listening.abort();
  }, [about]);

  return (
    <span
      className="contents"
      onPointerEnter={enter}
      onPointerLeave={hide}
      onPointerDown={hide}
      onFocus={focus}
      onBlur={hide}
    >
      {about ? cloneElement(children, { "aria-describedby": id }) : children}
      {about &&
        createPortal(
          <span
            ref={(tip) => {
              if (tip) place(tip, about);
            }}
            id={id}
            role="tooltip"
            // Between it and its control the pointer is still on it.
            className="pointer-events-auto fixed top-0 left-0 z-60 w-max py-1.5"
          >
            <span className="flex items-center gap-2 rounded-lg border border-line bg-raised px-2.5 py-1.5 text-xs shadow-pop">
              {text}
              {keys && <Kbd>{keys}</Kbd>}
            </span>
          </span>,
          document.body,
        )}
    </span>
  );
}

/** Above its control, or below it where there is no room, and not beyond the page. */
function place(tip: HTMLElement, about: Element): void {
  const at = about.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = tip;
  const above = at.top - height >= gap;
  const left = at.left + at.width / 2 - width / 2;
  tip.style.top = `${above ? at.top - height : at.bottom}px`;
  tip.style.left = `${Math.max(edge, Math.min(left, document.documentElement.clientWidth - width - edge))}px`;
}
