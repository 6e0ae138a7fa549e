"""Writes schema.json: OpenAI's own definition of what a ChatKit server sends and is sent, as JSON Schema.

    python3 -m venv venv && venv/bin/pip install --no-deps openai-chatkit==1.6.5 && venv/bin/pip install pydantic==2.14.3 jinja2
    venv/bin/python schema.py > schema.json

What is sent is stricter than the models say, as their server always writes every member that is not None: those are
required, and others are refused. Widgets and what else is not text are left out, so that sending them is refused, too.
"""

import json
import sys
from importlib.metadata import distribution

# chatkit/__init__.py would import the agents SDK, which the types do not need.
import types as modules

package = modules.ModuleType("chatkit")
package.__path__ = [str(distribution("openai-chatkit").locate_file("chatkit"))]
sys.modules["chatkit"] = package

from chatkit import types  # noqa: E402
from pydantic import TypeAdapter  # noqa: E402

NOT_TEXT = {
    "ClientToolCallItem", "WidgetItem", "GeneratedImageItem", "StructuredInputItem", "WorkflowItem", "TaskItem",
    "HiddenContextItem", "SDKHiddenContextItem", "EndOfTurnItem", "WidgetStreamingTextValueDelta", "WidgetComponentUpdated",
    "WidgetRootUpdated", "WorkflowTaskAdded", "WorkflowTaskUpdated", "GeneratedImageUpdated", "ClientEffectEvent",
}


def name(ref):
    return ref["$ref"].rsplit("/", 1)[1]


def cut(node, sent):
    """Takes out of a schema what is not text and what only describes; closes and completes objects that are sent."""
    if isinstance(node, list):
        return [cut(n, sent) for n in node if not ("$ref" in n and name(n) in NOT_TEXT)] if all(isinstance(n, dict) for n in node) else node
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        if key in ("description", "discriminator", "title", "default", "deprecated") and not isinstance(node.get("$defs"), dict):
            if not (isinstance(value, dict) and ("type" in value or "anyOf" in value)):  # a property of that name
                continue
        kept[key] = cut(value, sent)
    if sent and kept.get("type") == "object" and "properties" in kept:
        kept["additionalProperties"] = False
        kept["required"] = [p for p, s in kept["properties"].items() if {"type": "null"} not in s.get("anyOf", [])]
    return kept


def reachable(schema, defs):
    found, todo = {}, [schema]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            if "$ref" in node and name(node) not in found:
                found[name(node)] = defs[name(node)]
                todo.append(defs[name(node)])
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)
    return dict(sorted(found.items()))


def schemas(sent, **named):
    defs, all_of_them = {}, {}
    for called, what in named.items():
        whole = cut(TypeAdapter(what).json_schema(mode="serialization" if sent else "validation"), sent)
        all_of_them.update(whole.pop("$defs", {}))
        defs[called] = whole
    return {"$defs": {**defs, **reachable(defs, all_of_them)}}


json.dump({
    "source": "openai-chatkit 1.6.5 (https://pypi.org/project/openai-chatkit/), chatkit/types.py. Copyright 2025 OpenAI. "
              "Apache License 2.0, http://www.apache.org/licenses/LICENSE-2.0. Changed: see schema.py.",
    "received": schemas(False, request=types.ChatKitReq),
    "sent": schemas(True, event=types.ThreadStreamEvent, thread=types.Thread, threads=types.Page[types.Thread], items=types.Page[types.ThreadItem]),
}, sys.stdout, indent=1, sort_keys=True)
print()
