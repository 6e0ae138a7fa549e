-- +goose Up

-- What users' scripts show in place of a session. As idempotency, it is no part of the event log: what a rebuild makes from the
-- log has nothing to do with it.
CREATE TABLE api_tokens (
    id           uuid             PRIMARY KEY,
    user_id      text COLLATE "C" NOT NULL REFERENCES profiles ON DELETE CASCADE,
    name         text             NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    -- The SHA-256 of the token, which nobody keeps.
    hash         bytea            NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    scope        text             NOT NULL CHECK (scope IN ('read', 'write')),
    created_at   timestamptz      NOT NULL,
    expires_at   timestamptz      NOT NULL CHECK (expires_at > created_at),
    last_used_at timestamptz
) WITH (
    -- last_used_at is updated again and again: room on the page keeps that out of the indexes (HOT).
    fillfactor = 70
);
CREATE INDEX api_tokens_by_user ON api_tokens (user_id, created_at, id);
CREATE INDEX api_tokens_by_age ON api_tokens (expires_at);
