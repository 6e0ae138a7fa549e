import { MessageSquareText } from "lucide-react";

const examples = [
  "Add buy milk tomorrow at 5pm",
  "What is due this week?",
  "Move everything overdue to Friday",
  "Delete the task buy milk",
];

/** What a new conversation begins with. An example is put into the field, to be changed or sent. */
export function Examples({ onPick }: { onPick: (sentence: string) => void }) {
  return (
    <div className="m-auto grid w-full max-w-md gap-5 py-6">
      <div className="grid justify-items-center gap-2 text-center">
        <MessageSquareText aria-hidden className="size-8 text-muted" />
        <h2 className="font-medium">What shall be done?</h2>
        <p className="text-sm text-muted">Say it in your own words. For example:</p>
      </div>
      <ul className="grid gap-2">
        {examples.map((sentence) => (
          <li key={sentence}>
            <button
              type="button"
              onClick={() => onPick(sentence)}
              className="w-full cursor-pointer rounded-xl border border-line bg-surface px-3.5 py-2.5 text-left text-sm hover:bg-sunken"
            >
              {sentence}
            </button>
          </li>
        ))}
      </ul>
      <p className="text-center text-xs text-muted">
        Only what you write here counts as an order, never the text of a task. Nothing is deleted before you
        approve it.
      </p>
    </div>
  );
}
