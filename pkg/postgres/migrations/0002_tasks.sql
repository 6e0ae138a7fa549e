-- +goose Up

CREATE TABLE profiles (
    user_id    text COLLATE "C" PRIMARY KEY CHECK (length(user_id) BETWEEN 1 AND 255),
    time_zone  text             NOT NULL CHECK (time_zone <> ''),
    version    integer          NOT NULL CHECK (version >= 1),
    created_at timestamptz      NOT NULL,
    updated_at timestamptz      NOT NULL
);

CREATE TABLE tasks (
    id                uuid             PRIMARY KEY,
    user_id           text COLLATE "C" NOT NULL REFERENCES profiles ON DELETE CASCADE,
    title             text             NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
    description       text             NOT NULL CHECK (char_length(description) <= 10000),
    -- 0 none, 1 low, 2 medium, 3 high, 4 urgent: so that it sorts.
    priority          smallint         NOT NULL CHECK (priority BETWEEN 0 AND 4),
    tags              text[]           NOT NULL CHECK (cardinality(tags) <= 20),
    due_at            timestamptz,
    due_date          date,
    -- Derived: due_at, or the end of due_date in the owner's zone. It moves with the zone and is no part of events.
    deadline          timestamptz,
    -- Minutes before the due time.
    reminders         integer[]        NOT NULL CHECK (cardinality(reminders) <= 10),
    recurrence_rule   text,
    recurrence_anchor text             CHECK (recurrence_anchor IN ('schedule', 'completion')),
    recurrence_zone   text,
    completed_at      timestamptz,
    version           integer          NOT NULL CHECK (version >= 1),
    created_at        timestamptz      NOT NULL,
    updated_at        timestamptz      NOT NULL,
    deleted_at        timestamptz,
    -- A column of its own, because Postgres does not take "deleted_at IS NULL" for a constant when it looks for an index
    -- that is sorted already.
    trashed           boolean          NOT NULL GENERATED ALWAYS AS (deleted_at IS NOT NULL) STORED,
    search            tsvector         NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', title || ' ' || description)) STORED,
    CHECK (due_at IS NULL OR due_date IS NULL),
    CHECK ((deadline IS NULL) = (due_at IS NULL AND due_date IS NULL)),
    CHECK (num_nonnulls(recurrence_rule, recurrence_anchor, recurrence_zone) IN (0, 3))
);

-- One per order of a list; each also serves the trash. The first also serves deleting a profile.
CREATE INDEX tasks_by_created ON tasks (user_id, trashed, created_at, id);
CREATE INDEX tasks_by_updated ON tasks (user_id, trashed, updated_at, id);
CREATE INDEX tasks_by_deadline ON tasks (user_id, trashed, deadline, id);
CREATE INDEX tasks_by_priority ON tasks (user_id, trashed, priority, id);
CREATE INDEX tasks_by_title ON tasks (user_id, trashed, lower(title), id);
CREATE INDEX tasks_by_text ON tasks USING gin (search);
CREATE INDEX tasks_to_purge ON tasks (deleted_at) WHERE deleted_at IS NOT NULL;

-- Answers to requests that must take effect once.
CREATE TABLE idempotency (
    user_id    text COLLATE "C" NOT NULL REFERENCES profiles ON DELETE CASCADE,
    key        text COLLATE "C" NOT NULL CHECK (key <> ''),
    hash       text             NOT NULL,
    answer     bytea            NOT NULL,
    created_at timestamptz      NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);
