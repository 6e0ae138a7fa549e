"use client";

import { useId, useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";

import type { Task } from "./model";
import { hasTag, tagError, withTag, withoutTag } from "./tags";
import { useTaskActions } from "./use-tasks";

/** Adds a tag to tasks, or takes one off them. */
export function TagDialog(props: { tasks: readonly Task[]; known: readonly string[]; onClose: () => void }) {
  const { tasks } = props;
  const actions = useTaskActions();
  const list = useId();
  const [text, setText] = useState("");
  const [error, setError] = useState<string>();
  const tag = text.trim().replace(/^#/, "");
  const worn = [...new Set(tasks.flatMap((t) => t.tags))];
  const many = tasks.length === 1 ? "1 task" : `${tasks.length} tasks`;

  const add = () => {
    const wrong = tasks.map((t) => tagError(t.tags, tag)).find((e) => e !== undefined);
    setError(wrong);
    if (wrong) return;
    props.onClose();
    const without = tasks.filter((t) => !hasTag(t.tags, tag));
    void actions.patchAll(without, (t) => ({ tags: withTag(t.tags, tag) }), `Tagged ${many} #${tag}`);
  };
  const take = (old: string) => {
    props.onClose();
    const wearing = tasks.filter((t) => t.tags.includes(old));
    void actions.patchAll(
      wearing,
      (t) => ({ tags: withoutTag(t.tags, old) }),
      `Took #${old} off ${wearing.length === 1 ? "1 task" : `${wearing.length} tasks`}`,
    );
  };
  return (
    <Dialog open onOpenChange={props.onClose} title="Tag…" description={many} className="sm:w-96">
      <form
        className="flex items-start gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <div className="flex-1">
          <Field label="Tag to add" error={error}>
            <Input
              value={text}
              onChange={(e) => setText(e.target.value)}
              list={list}
              autoFocus
              maxLength={51}
            />
          </Field>
        </div>
        <datalist id={list}>
          {props.known.map((t) => (
            <option key={t} value={t} />
          ))}
        </datalist>
        <Button type="submit" look="primary" className="mt-6.5" disabled={!tag}>
          Add
        </Button>
      </form>
      {worn.length > 0 && (
        <section className="grid gap-2 border-t border-line pt-4">
          <h3 className="text-sm font-medium">Take off</h3>
          <div className="flex flex-wrap gap-2">
            {worn.map((t) => (
              <Button key={t} size="sm" onClick={() => take(t)} aria-label={`Take off ${t}`}>
                <span className="text-muted">#</span>
                {t}
              </Button>
            ))}
          </div>
        </section>
      )}
    </Dialog>
  );
}
