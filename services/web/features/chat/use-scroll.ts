"use client";

import { type UIEvent, useEffect, useLayoutEffect, useRef, useState } from "react";

/** As near to an edge as this counts as being there, in pixels. */
const near = 64;

/**
 * Keeps a list at its end as it grows, unless the user scrolled up: then it says that something came. What is put in front
 * does not move what is read. `first` names the first thing in the list.
 */
export function useScroll(first: string, onTop: () => void) {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const before = useRef({ first, height: 0 });
  const top = useRef(0);
  const [unseen, setUnseen] = useState(false);

  useLayoutEffect(() => {
    const area = box.current;
    if (!area || before.current.first === first) return;
    if (!stuck.current) area.scrollTop += area.scrollHeight - before.current.height;
    before.current = { first, height: area.scrollHeight };
  }, [first]);

  useEffect(() => {
    const area = box.current;
    const inner = content.current;
    if (!area || !inner) return;
    const changed = new ResizeObserver(() => {
      if (stuck.current) area.scrollTop = area.scrollHeight;
      else if (area.scrollHeight > before.current.height) setUnseen(true);
      before.current.height = area.scrollHeight;
    });
    changed.observe(inner);
    changed.observe(area);
    return () => changed.disconnect();
  }, []);

  function toEnd() {
    stuck.current = true;
    setUnseen(false);
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }

  function onScroll(event: UIEvent) {
    const area = event.currentTarget;
    const atEnd = area.scrollHeight - area.scrollTop - area.clientHeight < near;
    // Only moving up leaves the end: this may be told of our own move to an end that has gone on since.
    if (atEnd || area.scrollTop < top.current) stuck.current = atEnd;
    top.current = area.scrollTop;
    if (stuck.current) setUnseen(false);
    if (area.scrollTop < near) onTop();
  }

  return { box, content, unseen, toEnd, onScroll };
}
