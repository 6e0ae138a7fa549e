// Package chatkit speaks the protocol of OpenAI's ChatKit, as far as it is text, about conversations with the agent: one
// address that takes typed requests and answers with JSON or a stream of thread events. What the protocol is was learnt
// from openai-chatkit 1.6.5 (https://pypi.org/project/openai-chatkit/), against whose own definitions the tests hold every
// answer.
//
// It owns what a conversation looks like as a thread: its pages, its items and its stream. It refuses what a thread could be
// beyond that (attachments, widgets, feedback, renaming), to delete what is kept, and to know HTTP's statuses or who calls.
package chatkit
