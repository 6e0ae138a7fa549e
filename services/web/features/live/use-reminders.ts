"use client";

import { useCallback, useEffect, useRef } from "react";

import { useToast } from "@/components/ui/toast";
import { shown } from "@/features/tasks/data/book";
import { isGone, isOpen } from "@/features/tasks/data/merge";
import { type TaskSession, useTaskSession } from "@/features/tasks/data/session";
import type { Task } from "@/features/tasks/model";
import { useOpenTask } from "@/features/tasks/open-task";
import { useZone } from "@/lib/time/zone";

import type { Frame } from "./frames";
import { isMissed, reminderText } from "./reminders";

/** A page that was away may hear of many at once: these are gathered, and told as one if there are more than a few. */
const gather = 800;
const mostMissed = 3;
const stays = 30_000;

/** Tells of a reminder: in a toast and, if the user allows it, by a notification of the browser. */
export function useReminders(): (frame: Frame) => void {
  const session = useTaskSession();
  const tell = useTell();
  const say = useToast();
  const missed = useRef<Frame[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  return useCallback(
    (frame: Frame) => {
      if (!isMissed(frame, new Date())) {
        void taskOf(session, frame).then((task) => task && tell(task, frame));
        return;
      }
      missed.current.push(frame);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        const frames = missed.current.splice(0);
        if (frames.length > mostMissed)
          return say({ title: `${frames.length} reminders rang while this page was away`, duration: stays });
        for (const one of frames) void taskOf(session, one).then((task) => task && tell(task, one));
      }, gather);
    },
    [session, tell, say],
  );
}

function useTell(): (task: Task, frame: Frame) => void {
  const say = useToast();
  const zone = useZone();
  const openTask = useOpenTask();
  return useCallback(
    (task, frame) => {
      const text = reminderText(task, frame, zone, new Date());
      const open = () => openTask(task.id);
      say({
        title: task.title,
        description: text,
        duration: stays,
        action: { label: "Open", onPress: open },
      });
      notify(task.title, text, frame.eventId ?? task.id, open);
    },
    [say, zone, openTask],
  );
}

/** The open task a reminder is about; undefined if it is done or gone meanwhile, or cannot be had. */
async function taskOf(session: TaskSession, frame: Frame): Promise<Task | undefined> {
  const { taskId = "" } = frame;
  const task = shown(session.read()).all.get(taskId);
  if (task) return isOpen(task) ? task : undefined;
  try {
    const fetched = await session.door.get(taskId);
    return isGone(fetched) || !isOpen(fetched) ? undefined : fetched;
  } catch {
    return undefined; // It cannot be said what is due; the task's own row will.
  }
}

/** Every tab tells the browser; of one tag it shows one. */
function notify(title: string, body: string, tag: string, open: () => void): void {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  try {
    const shown = new Notification(title, { body, tag });
    shown.onclick = () => {
      window.focus();
      open();
      shown.close();
    };
  } catch {
    // Some phones show notifications of service workers only; the toast is there.
  }
}
