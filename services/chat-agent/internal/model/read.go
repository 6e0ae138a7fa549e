package model

import (
	"context"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

// Bounds of what is taken from one answer. What exceeds them is garbage.
const (
	maxBody  = 8 << 20
	maxText  = 256 << 10
	maxCalls = 64
)

func (c *Client) params(q Question, stream bool) openai.ChatCompletionNewParams {
	p := openai.ChatCompletionNewParams{
		Model:               c.config.Model,
		Messages:            []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(q.System)},
		MaxCompletionTokens: openai.Int(int64(c.config.MaxTokens)),
	}
	for _, t := range q.Turns {
		p.Messages = append(p.Messages, message(t))
	}
	for _, t := range q.Tools {
		p.Tools = append(p.Tools, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
			Name: t.Name, Description: openai.String(t.Description), Parameters: t.Parameters,
		}))
	}
	if stream {
		p.StreamOptions.IncludeUsage = openai.Bool(true)
	}
	return p
}

func message(t Turn) openai.ChatCompletionMessageParamUnion {
	switch t.Role {
	case Assistant:
		m := openai.ChatCompletionAssistantMessageParam{}
		if t.Text != "" || len(t.Calls) == 0 {
			m.Content.OfString = openai.String(t.Text)
		}
		for _, call := range t.Calls {
			m.ToolCalls = append(m.ToolCalls, openai.ChatCompletionMessageToolCallUnionParam{
				OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{
					ID:       call.ID,
					Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{Name: call.Name, Arguments: call.Arguments},
				},
			})
		}
		return openai.ChatCompletionMessageParamUnion{OfAssistant: &m}
	case ToolResult:
		return openai.ToolMessage(t.Text, t.CallID)
	default:
		return openai.UserMessage(t.Text)
	}
}

// read asks and reads the answer, in pieces if onText is to be told them.
func (c *Client) read(ctx context.Context, p openai.ChatCompletionNewParams, seen *response, onText func(string), watch watchdog) (Reply, error) {
	if onText == nil {
		whole, err := c.chat.New(ctx, p, option.WithMiddleware(seen.note))
		if err != nil {
			return Reply{}, err
		}
		return fromWhole(whole)
	}
	stream := c.chat.NewStreaming(ctx, p, option.WithMiddleware(seen.note))
	defer stream.Close()
	var a assembly
	for stream.Next() {
		watch.alive()
		if err := a.add(stream.Current(), onText); err != nil {
			return Reply{}, err
		}
	}
	if err := stream.Err(); err != nil {
		if a.began {
			return Reply{}, &Fault{Kind: Broken}
		}
		return Reply{}, err
	}
	return a.reply()
}

func fromWhole(whole *openai.ChatCompletion) (Reply, error) {
	if whole == nil || len(whole.Choices) == 0 {
		return Reply{}, &Fault{Kind: Garbage}
	}
	choice := whole.Choices[0]
	a := assembly{finish: choice.FinishReason, usage: whole.Usage}
	if err := a.say(choice.Message.Content+choice.Message.Refusal, nil); err != nil {
		return Reply{}, err
	}
	for i, call := range choice.Message.ToolCalls {
		if err := a.call(int64(i), call.ID, call.Function.Name, call.Function.Arguments); err != nil {
			return Reply{}, err
		}
	}
	if a.finish == "" {
		a.finish = "stop" // an answer in one piece is whole even if its server does not say why it ended
	}
	return a.reply()
}

// assembly puts an answer together from its pieces. Only the first choice counts; no more was asked for.
type assembly struct {
	began  bool
	text   strings.Builder
	calls  []Call
	slots  map[int64]int // the server's index of a call to its place in calls
	size   int
	finish string
	usage  openai.CompletionUsage
}

func (a *assembly) add(chunk openai.ChatCompletionChunk, onText func(string)) error {
	a.began = true
	if chunk.Usage.TotalTokens != 0 {
		a.usage = chunk.Usage
	}
	for _, choice := range chunk.Choices {
		if choice.Index != 0 {
			continue
		}
		if err := a.say(choice.Delta.Content+choice.Delta.Refusal, onText); err != nil {
			return err
		}
		for _, call := range choice.Delta.ToolCalls {
			if err := a.call(call.Index, call.ID, call.Function.Name, call.Function.Arguments); err != nil {
				return err
			}
		}
		if choice.FinishReason != "" {
			a.finish = choice.FinishReason
		}
	}
	return nil
}

func (a *assembly) say(piece string, onText func(string)) error {
	// A database keeps no NUL, and no reader wants one.
	if piece = strings.ReplaceAll(piece, "\x00", ""); piece == "" {
		return nil
	}
	if a.size += len(piece); a.size > maxText {
		return &Fault{Kind: Garbage}
	}
	a.text.WriteString(piece)
	if onText != nil {
		onText(piece)
	}
	return nil
}

// call adds a piece of a call. Some servers number all calls 0 and tell them apart by their ids.
func (a *assembly) call(index int64, id, name, arguments string) error {
	at, known := a.slots[index]
	if known && id != "" && a.calls[at].ID != "" && a.calls[at].ID != id {
		known = false
	}
	if !known {
		if len(a.calls) == maxCalls {
			return &Fault{Kind: Garbage}
		}
		if a.slots == nil {
			a.slots = map[int64]int{}
		}
		at = len(a.calls)
		a.slots[index] = at
		a.calls = append(a.calls, Call{})
	}
	if a.size += len(name) + len(arguments); a.size > maxText {
		return &Fault{Kind: Garbage}
	}
	c := &a.calls[at]
	if c.ID == "" {
		c.ID = id
	}
	if c.Name == "" {
		c.Name = name
	}
	c.Arguments += arguments
	return nil
}

// reply is the answer, if it is one.
func (a *assembly) reply() (Reply, error) {
	r := Reply{
		Text: a.text.String(), Calls: a.calls,
		InputTokens: count(a.usage.PromptTokens), OutputTokens: count(a.usage.CompletionTokens),
	}
	switch a.finish {
	case "":
		if !a.began {
			return Reply{}, &Fault{Kind: Garbage}
		}
		return Reply{}, &Fault{Kind: Broken}
	case "length":
		r.End, r.Calls = Cut, nil
	case "content_filter":
		r.End, r.Calls = Filtered, nil
	default:
		if strings.TrimSpace(r.Text) == "" && len(r.Calls) == 0 {
			return Reply{}, &Fault{Kind: Garbage}
		}
	}
	return r, nil
}

// count is a number of tokens as a server reported it, which may be nonsense.
func count(tokens int64) int { return int(min(max(tokens, 0), 1<<30)) }
