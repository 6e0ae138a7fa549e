-- +goose Up

-- A conversation's version, in its events, is one more than its messages: it began, and each message was added.
CREATE TABLE conversations (
    id         uuid             PRIMARY KEY,
    user_id    text COLLATE "C" NOT NULL REFERENCES profiles ON DELETE CASCADE,
    -- From the first message of the user; empty before it.
    title      text             NOT NULL CHECK (char_length(title) <= 80),
    messages   integer          NOT NULL CHECK (messages >= 0),
    started_at timestamptz      NOT NULL,
    updated_at timestamptz      NOT NULL,
    -- For the messages' foreign key: a message is its conversation's user's.
    UNIQUE (user_id, id)
);
CREATE INDEX conversations_by_use ON conversations (user_id, updated_at, id);

-- What was said. A row is written once and never changed; only the whole of a forgotten user goes.
CREATE TABLE messages (
    -- Chosen by whoever writes the message, so it names a message of this user only.
    id              uuid             NOT NULL,
    user_id         text COLLATE "C" NOT NULL,
    conversation_id uuid             NOT NULL,
    -- From 1, without a gap.
    position        integer          NOT NULL CHECK (position >= 1),
    role            text             NOT NULL CHECK (role IN ('user', 'assistant')),
    text            text             NOT NULL CHECK (char_length(text) BETWEEN 1 AND CASE role WHEN 'user' THEN 8000 ELSE 32000 END),
    -- No foreign key: an answer may be kept before its question.
    in_reply_to     uuid,
    -- No foreign keys: what was said stays when a task is purged.
    task_ids        uuid[]           NOT NULL CHECK (cardinality(task_ids) <= 20),
    receipts        json             NOT NULL,
    approvals       json             NOT NULL,
    model           text             NOT NULL,
    created_at      timestamptz      NOT NULL,
    search          tsvector         NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED,
    PRIMARY KEY (user_id, id),
    UNIQUE (conversation_id, position),
    FOREIGN KEY (user_id, conversation_id) REFERENCES conversations (user_id, id) ON DELETE CASCADE
);
CREATE INDEX messages_by_question ON messages (user_id, in_reply_to) WHERE in_reply_to IS NOT NULL;
CREATE INDEX messages_by_text ON messages USING gin (search);

-- +goose StatementBegin
CREATE FUNCTION messages_are_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'messages are immutable' USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER messages_are_immutable BEFORE UPDATE OR TRUNCATE ON messages
    FOR EACH STATEMENT EXECUTE FUNCTION messages_are_immutable();

-- The newest attempt to answer a message of the user. Whoever takes a run over locks the row and thereby waits for the calls
-- of the attempt before; calls that come later are refused.
CREATE TABLE runs (
    user_id    text COLLATE "C" NOT NULL REFERENCES profiles ON DELETE CASCADE,
    -- The message's id.
    id         uuid             NOT NULL,
    -- A UUIDv7: a later attempt is greater.
    attempt    uuid             NOT NULL,
    updated_at timestamptz      NOT NULL,
    PRIMARY KEY (user_id, id)
);
CREATE INDEX runs_by_age ON runs (updated_at);

-- Every call of a tool: the row, what the call did, and its events are one transaction, so that a call of the same name
-- is executed once and answered as before afterwards.
CREATE TABLE tool_invocations (
    user_id         text COLLATE "C" NOT NULL REFERENCES profiles ON DELETE CASCADE,
    client_id       text COLLATE "C" NOT NULL CHECK (client_id <> ''),
    request_id      uuid             NOT NULL,
    -- What the call's event is about.
    id              uuid             NOT NULL,
    tool            text             NOT NULL CHECK (tool <> ''),
    -- json, not jsonb: input and result are kept byte by byte.
    input           json             NOT NULL,
    input_hash      bytea            NOT NULL,
    -- NULL within the transaction that executes the call, and for nobody else.
    outcome         text             CHECK (outcome IN ('done', 'failed')),
    -- NULL also if the call may be executed again, because it only reads what the agent remembers.
    result          json,
    conversation_id uuid,
    -- The message of the user that the call is part of the answer to.
    run_id          uuid,
    correlation_id  text             NOT NULL,
    started_at      timestamptz      NOT NULL,
    duration_ms     integer,
    PRIMARY KEY (user_id, client_id, request_id)
) WITH (
    -- Written, then updated in the same transaction: room on the page keeps the update out of the index (HOT).
    fillfactor = 70
);
CREATE INDEX tool_invocations_of_run ON tool_invocations (user_id, run_id, started_at, id) WHERE run_id IS NOT NULL;
CREATE INDEX tool_invocations_by_age ON tool_invocations (started_at);
