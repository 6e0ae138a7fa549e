// Reads UI message streams as a page with useChat does: the transport's own parser with its validation, and the reader
// that makes messages of the parts. Takes {recorded: {name: text}} or {fetch: {url, headers, body}} on standard input and
// prints, for each, the message and the errors.
import { text } from "node:stream/consumers";
import { DefaultChatTransport, readUIMessageStream } from "ai";

async function read(transport) {
  const errors = [];
  let message = null;
  const states = [];
  const said = { id: "said", role: "user", parts: [{ type: "text", text: "hello" }] };
  try {
    const stream = await transport.sendMessages({ trigger: "submit-message", chatId: "chat", messages: [said] });
    const seen = readUIMessageStream({ stream, onError: (e) => errors.push(String(e?.message ?? e)) });
    for await (message of seen) {
      const state = message.parts.map((p) => (p.state ? `${p.type}:${p.state}` : p.type)).join(" ");
      if (state !== states.at(-1)) states.push(state);
    }
  } catch (e) {
    errors.push(String(e?.message ?? e));
  }
  return { message, states, errors };
}

const job = JSON.parse(await text(process.stdin));
const out = {};
for (const [name, recorded] of Object.entries(job.recorded ?? {})) {
  out[name] = await read(new DefaultChatTransport({ fetch: async () => new Response(recorded) }));
}
if (job.fetch) {
  const { url, headers, body } = job.fetch;
  out.fetch = await read(new DefaultChatTransport({ api: url, headers, prepareSendMessagesRequest: () => ({ body }) }));
}
process.stdout.write(JSON.stringify(out));
