package agenttools

// Message is one message of a conversation. It never changes once it is kept.
type Message struct {
	// ID is a UUID that whoever writes the message chooses, so that writing it again changes nothing.
	ID   string `json:"id"`
	Role string `json:"role" jsonschema:"user or assistant"`
	Text string `json:"text"`
	// InReplyTo is the user's message that an assistant's message answers.
	InReplyTo string `json:"in_reply_to,omitempty"`
	// TaskIDs are the tasks the message is about.
	TaskIDs []string `json:"task_ids,omitempty"`
	// Receipts are the tools an assistant's message rests on.
	Receipts []Receipt `json:"receipts,omitempty"`
	// Approvals are what an assistant's message asks the user to agree to.
	Approvals []Approval `json:"approvals,omitempty"`
	// Model is the model that wrote an assistant's message.
	Model string `json:"model,omitempty"`
	// CreatedAt is RFC 3339 in UTC, given when it is kept.
	CreatedAt string `json:"created_at,omitempty"`
}

// Receipt is a call of a tool as the user may see it.
type Receipt struct {
	Tool string `json:"tool"`
	// Arguments is a JSON object.
	Arguments map[string]any `json:"arguments,omitempty"`
	// Outcome is done, failed, unknown (nobody knows whether it was executed) or waiting (for the user's approval).
	Outcome string `json:"outcome"`
	// Summary is one line, such as "3 tasks completed".
	Summary string `json:"summary,omitempty"`
}

// Approval is something the agent does only after the user agreed.
type Approval struct {
	ID   string `json:"id"`
	Tool string `json:"tool"`
	// Summary says in a sentence what would be done.
	Summary string `json:"summary"`
	// Tasks are the titles of the tasks it concerns, at most 20.
	Tasks     []string `json:"tasks,omitempty"`
	ExpiresAt string   `json:"expires_at"`
}

// LoadConversationInput is the input of load_conversation.
type LoadConversationInput struct {
	ConversationID string `json:"conversation_id"`
	// Before is a message's id: older ones are wanted. Empty wants the newest.
	Before string `json:"before,omitempty"`
	// Limit is 1 to 100; 0 is 30.
	Limit int `json:"limit,omitempty"`
	// Run, when set, asks for the calls that were made for this message of the user, and for its answer.
	Run string `json:"run,omitempty"`
	// Attempt, a UUIDv7, takes the run over from all earlier attempts: what they called for and was not executed yet is
	// refused from here on, so that Calls is all there will ever be of theirs.
	Attempt string `json:"attempt,omitempty"`
}

// LoadedConversation is the output of load_conversation.
type LoadedConversation struct {
	ConversationID string `json:"conversation_id"`
	Title          string `json:"title,omitempty"`
	// Messages are in the order they were said.
	Messages []Message `json:"messages"`
	// More says that there are older ones.
	More bool `json:"more,omitempty"`
	// Answer is the message that answers the run, if it was answered.
	Answer *Message `json:"answer,omitempty"`
	// Calls are the tool calls that were executed for the run, in order, at most 100.
	Calls []Call `json:"calls,omitempty"`
	// TimeZone and Now are the user's, for the agent's prompt: an IANA zone, and RFC 3339 in it.
	TimeZone string `json:"time_zone"`
	Now      string `json:"now"`
}

// Call is a tool call that was executed.
type Call struct {
	RequestID string         `json:"request_id"`
	Tool      string         `json:"tool"`
	Arguments map[string]any `json:"arguments,omitempty"`
	// Outcome is done or failed.
	Outcome string `json:"outcome"`
	// Result is the text of the tool's result, cut at 8 KiB.
	Result string `json:"result"`
}

// AppendMessagesInput is the input of append_messages. The conversation begins with its first message.
type AppendMessagesInput struct {
	// ConversationID is a UUID that the agent chooses for a new conversation.
	ConversationID string `json:"conversation_id"`
	// Messages are 1 to 10, each with an id, a role and a text.
	Messages []Message `json:"messages"`
}

// AppendedMessages is the output of append_messages.
type AppendedMessages struct {
	ConversationID string `json:"conversation_id"`
	// Messages are as they are kept, also those that were there before.
	Messages []Message `json:"messages"`
}

// SearchConversationsInput is the input of search_conversations.
type SearchConversationsInput struct {
	// Query is words that must occur in a message; empty lists all conversations, the last used first.
	Query string `json:"query,omitempty"`
	// Limit is 1 to 50; 0 is 10.
	Limit  int    `json:"limit,omitempty"`
	Cursor string `json:"cursor,omitempty"`
}

// FoundConversations is the output of search_conversations.
type FoundConversations struct {
	TimeZone      string         `json:"time_zone"`
	Conversations []Conversation `json:"conversations"`
	NextCursor    string         `json:"next_cursor,omitempty"`
}

// Conversation is a conversation in a list.
type Conversation struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Messages is how many there are.
	Messages  int    `json:"messages"`
	StartedAt string `json:"started_at"`
	UpdatedAt string `json:"updated_at"`
	// Snippet is the part of the newest message that has the words that were searched; MessageID is that message.
	Snippet   string `json:"snippet,omitempty"`
	MessageID string `json:"message_id,omitempty"`
}
