// Package offline is TaskFlow's offline model: a small OpenAI-compatible server (Chat Completions) that answers with plain
// rules instead of a language model, for machines without a key and for tests.
//
// It reads English, and of a conversation the user's last message: earlier ones only say what "it" or "the first one" are.
// The time and the zone are those of the prompt's line (agenttools.NowLine), the tools those the request offers, and what
// tools answered is data: no text in it is read as a wish. It does nothing but answer or ask for one tool call at a time, and
// keeps nothing between requests.
//
// Its rules rather miss a wish than invent one: a word is a date only where it can hardly be anything else (The 5th Wave,
// Black Friday and check money are titles), what is quoted is taken literally, 12/01/2026 is asked about, and what fits no
// rule is answered with examples. What they cannot do: other languages, dates counted from other dates, ranges, several tasks
// with dates of their own unless each begins with a common verb, and wishes that take more than finding tasks and changing
// them all in one way.
package offline
