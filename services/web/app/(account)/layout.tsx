import { CalendarClock, History, MessageSquareText } from "lucide-react";
import type { ReactNode } from "react";

import { Mark } from "@/features/shell/brand";

const reasons = [
  { icon: CalendarClock, text: "Write “call Ada tomorrow 5pm” and it is due tomorrow at five." },
  {
    icon: MessageSquareText,
    text: "Ask the assistant to add, find or move tasks. It asks before it deletes.",
  },
  { icon: History, text: "Every change is kept, on every screen at once, and can be undone." },
];

export default function AccountLayout({ children }: { children: ReactNode }) {
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(28rem,5fr)_6fr]">
      <div className="flex flex-col bg-surface px-5 py-6 sm:px-10">
        <p className="flex items-center gap-2 text-[0.9375rem] font-semibold tracking-tight">
          <Mark />
          TaskFlow
        </p>
        <main className="mx-auto grid w-full max-w-sm flex-1 content-start gap-6 pt-[12dvh] pb-10">
          {children}
        </main>
      </div>
      <aside className="hidden content-center justify-items-center gap-10 border-l border-line bg-accent-soft p-12 lg:grid">
        <div className="grid max-w-md gap-8">
          <p className="text-3xl leading-tight font-semibold tracking-tight text-balance">
            A task manager that never loses a change.
          </p>
          <ul className="grid gap-5">
            {reasons.map(({ icon: Icon, text }) => (
              <li key={text} className="flex items-start gap-3.5 leading-relaxed">
                <span className="grid size-9 shrink-0 place-content-center rounded-lg bg-surface text-accent">
                  <Icon aria-hidden className="size-4.5" />
                </span>
                <span className="pt-1 text-[0.9375rem]">{text}</span>
              </li>
            ))}
          </ul>
        </div>
      </aside>
    </div>
  );
}
