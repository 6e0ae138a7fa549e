"use client";

import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { usePathname } from "next/navigation";

import { Tooltip } from "@/components/ui/tooltip";

import { useShortcut } from "./shortcuts";

const AddDialog = dynamic(() => import("./add-dialog").then((m) => m.AddDialog), { ssr: false });

// There a floating button would lie over the message field, or has no business.
const withoutButton = ["/chat", "/settings"];

/** The quick add of the page, if it has one in sight. */
function onPage(): HTMLElement | null {
  const field = document.querySelector<HTMLElement>(
    "main [data-quick-add] input, main [data-quick-add] textarea",
  );
  return field?.checkVisibility() ? field : null;
}

/** Adds a task from wherever one is: in the page's own field, or in a dialog. On a phone behind a floating button. */
export function AddTask({ adding, setAdding }: { adding: boolean; setAdding: (adding: boolean) => void }) {
  const path = usePathname();
  const add = () => {
    const field = onPage();
    if (field) field.focus();
    else setAdding(true);
  };
  useShortcut("c", "Add a task", add);
  return (
    <>
      {!withoutButton.includes(path) && (
        <Tooltip text="Add a task" keys="c">
          <button
            type="button"
            aria-label="New task"
            onClick={() => setAdding(true)}
            className="fixed right-4 bottom-[max(1rem,env(safe-area-inset-bottom))] z-20 grid size-14 cursor-pointer place-content-center rounded-2xl bg-accent text-accent-ink shadow-pop hover:bg-accent-strong md:hidden [body:has([data-bulk])_&]:hidden"
          >
            <Plus aria-hidden className="size-6" />
          </button>
        </Tooltip>
      )}
      {adding && <AddDialog today={path === "/today"} onClose={() => setAdding(false)} />}
    </>
  );
}
