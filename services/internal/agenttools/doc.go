// Package agenttools is what the two ends of MCP agree on beyond MCP itself: the tools' names, the shapes that the chat
// agent and the offline model read in their results, and the three tools that only TaskFlow's own agent may call, which
// are its memory. Any other MCP client learns everything from tools/list.
//
// It holds plain values. It refuses to call tools and to run them.
package agenttools

// The tools, for every MCP client.
const (
	AddTasks          = "add_tasks"
	FindTasks         = "find_tasks"
	GetTasks          = "get_tasks"
	UpdateTasks       = "update_tasks"
	CompleteTasks     = "complete_tasks"
	ReopenTasks       = "reopen_tasks"
	RescheduleTasks   = "reschedule_tasks"
	DeleteTasks       = "delete_tasks"
	RestoreTasks      = "restore_tasks"
	PreviewRecurrence = "preview_recurrence"
	GetOverview       = "get_overview"
	GetProfile        = "get_profile"
)

// The tools for TaskFlow's own agent: its memory. The model is shown the last of them only.
const (
	LoadConversation    = "load_conversation"
	AppendMessages      = "append_messages"
	SearchConversations = "search_conversations"
)

// Keys of a tool call's _meta on the pub/sub transport. Over HTTP they mean nothing.
const (
	// MetaRequest is the request's id, a UUID: the same id is the same call, executed once. Without it each call has its
	// own.
	MetaRequest = "io.taskflow/request-id"
	// MetaConversation is the conversation the call belongs to, a UUID.
	MetaConversation = "io.taskflow/conversation"
	// MetaRun is the message of the user that the call answers, a UUID.
	MetaRun = "io.taskflow/run"
	// MetaAttempt is the attempt at the run, a UUIDv7: see LoadConversationInput.Attempt.
	MetaAttempt = "io.taskflow/attempt"
)
