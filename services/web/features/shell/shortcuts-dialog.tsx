"use client";

import { useSyncExternalStore } from "react";

import { Checkbox } from "@/components/ui/checkbox";
import { Dialog } from "@/components/ui/dialog";
import { Kbd } from "@/components/ui/kbd";

import { keyCaps } from "./keys";
import { type ShortcutGroup, useCharacters, useShortcuts } from "./shortcuts";

const groups: readonly ShortcutGroup[] = ["Anywhere", "Go to", "In a list"];
const never = () => () => undefined;

/** Whether this machine's command key is ⌘. */
export function useApple(): boolean {
  return useSyncExternalStore(
    never,
    () => /Mac|iPhone|iPad/.test(navigator.userAgent),
    () => false,
  );
}

/** What can be pressed on this page. */
export default function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const shortcuts = useShortcuts();
  const [characters, setCharacters] = useCharacters();
  const apple = useApple();
  // Several keys may do one thing: they share its line.
  const lines = (group: ShortcutGroup) => {
    const keys = new Map<string, Set<string>>();
    for (const s of shortcuts)
      if (s.group === group) keys.set(s.label, (keys.get(s.label) ?? new Set()).add(s.keys));
    return [...keys];
  };
  return (
    <Dialog open onOpenChange={onClose} title="Keyboard shortcuts" className="sm:w-[44rem]">
      <div className="gap-x-10 sm:columns-2">
        {groups.map((group) => {
          const shown = lines(group);
          if (shown.length === 0) return null;
          return (
            <section key={group} className="mb-5 break-inside-avoid">
              <h3 className="mb-1 text-xs font-medium text-muted">{group}</h3>
              <dl>
                {shown.map(([label, all]) => (
                  <div key={label} className="flex items-center justify-between gap-4 py-1.5 text-sm">
                    <dt>{label}</dt>
                    <dd className="flex shrink-0 items-center gap-1.5">
                      {[...all].map((keys, i) => (
                        <span key={keys} className="flex items-center gap-1">
                          {i > 0 && <span className="mr-0.5 text-xs text-muted">or</span>}
                          {keyCaps(keys, apple).map((cap, at) => (
                            <Kbd key={at}>{cap}</Kbd>
                          ))}
                        </span>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
      </div>
      <label className="flex cursor-pointer items-start gap-3 border-t border-line pt-4 text-sm">
        <Checkbox
          checked={characters}
          onCheckedChange={(on) => setCharacters(on === true)}
          className="mt-0.5"
          aria-label="Single-key shortcuts"
        />
        <span>
          Single-key shortcuts
          <span className="block text-muted">
            Turn them off if keys are pressed by accident or by dictation. Those with {apple ? "⌘" : "Ctrl"}{" "}
            stay.
          </span>
        </span>
      </label>
    </Dialog>
  );
}
