import { expect, test } from "vitest";

import { frameOf, frameOfChange } from "./frames";

test("a frame tells what happened to which task, and its place in the log", () => {
  const message =
    '{"type":"task.updated","data":{"event_id":"e1","task_id":"t1","version":3,"changed":["title"]},"timestamp":"2026-11-22T09:00:00.123Z","sequence":43}';
  expect(frameOf(message)).toMatchObject({
    type: "task.updated",
    sequence: 43,
    taskId: "t1",
    version: 3,
    eventId: "e1",
  });
});

test("hello and resync tell where the log stands", () => {
  expect(frameOf('{"type":"hello","data":{"sequence":7}}')).toMatchObject({
    current: 7,
    sequence: undefined,
  });
});

test("a reminder tells by how much it is late", () => {
  const frame = frameOf(
    '{"type":"reminder.fired","data":{"task_id":"t1","version":1,"late":true,"late_seconds":90},"sequence":1}',
  );
  expect(frame).toMatchObject({ late: true, lateSeconds: 90 });
});

test.each(["", "[]", "null", "{}", '{"type":1}', "{", 7, undefined])("%o is no frame", (message) => {
  expect(frameOf(message)).toBeUndefined();
});

test("members of a wrong type are as if they were missing", () => {
  expect(frameOf('{"type":"x","data":[1],"sequence":"4"}')).toMatchObject({
    sequence: undefined,
    taskId: undefined,
  });
});

test("a change that was asked for is the frame that would have told it", () => {
  const told = frameOf(
    '{"type":"task.created","data":{"event_id":"e","task_id":"t","version":1},"timestamp":"2026-11-22T09:00:00Z","sequence":5}',
  );
  const asked = frameOfChange({
    sequence: 5,
    event_id: "e",
    event_type: "task.created",
    task_id: "t",
    version: 1,
    timestamp: "2026-11-22T09:00:00Z",
  });
  expect(asked).toEqual(told);
});
