-- +goose Up

CREATE TABLE series (
    id                uuid             PRIMARY KEY,
    user_id           text COLLATE "C" NOT NULL REFERENCES profiles ON DELETE CASCADE,
    -- What occurrences are made of.
    title             text             NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
    description       text             NOT NULL CHECK (char_length(description) <= 10000),
    priority          smallint         NOT NULL CHECK (priority BETWEEN 0 AND 4),
    tags              text[]           NOT NULL CHECK (cardinality(tags) <= 20),
    reminders         integer[]        NOT NULL CHECK (cardinality(reminders) <= 10),
    recurrence_rule   text             NOT NULL,
    recurrence_anchor text             NOT NULL CHECK (recurrence_anchor IN ('schedule', 'completion')),
    -- Null is the owner's zone, wherever that is.
    recurrence_zone   text             CHECK (recurrence_zone <> ''),
    catch_up          text             NOT NULL CHECK (catch_up IN ('latest', 'all', 'skip')),
    -- On the clock.
    start             timestamp        NOT NULL,
    whole_day         boolean          NOT NULL,
    version           integer          NOT NULL CHECK (version >= 1),
    created_at        timestamptz      NOT NULL,
    updated_at        timestamptz      NOT NULL,
    ended_at          timestamptz,
    -- How far it has come. Derived: no part of events, but for those of the claims.
    zone              text             NOT NULL CHECK (zone <> ''),
    cursor            timestamp        NOT NULL,
    made              integer          NOT NULL CHECK (made >= 0),
    -- No foreign key: the task may be purged.
    newest            uuid             NOT NULL,
    next              timestamp,
    next_at           timestamptz,
    -- When it can be claimed: at next_at, or when a claim ends.
    claim_at          timestamptz,
    -- How often it was claimed. It never goes down: it is the version of the trigger.
    claims            integer          NOT NULL CHECK (claims >= 0),
    CHECK ((next IS NULL) = (next_at IS NULL)),
    CHECK ((claim_at IS NULL) = (next_at IS NULL))
);
CREATE INDEX series_to_claim ON series (claim_at) WHERE claim_at IS NOT NULL;
CREATE INDEX series_by_user ON series (user_id, id);

-- tasks_check2 wanted all columns of a recurrence or none.
ALTER TABLE tasks
    -- No foreign key: a series goes with its user only.
    ADD COLUMN series_id           uuid,
    -- On the clock. It stays when the due date is moved.
    ADD COLUMN occurrence          timestamp,
    ADD COLUMN skipped_at          timestamptz,
    ADD COLUMN remind_at           timestamptz[] NOT NULL DEFAULT '{}' CHECK (cardinality(remind_at) <= 10),
    -- Null, with a rule, is 'latest'.
    ADD COLUMN recurrence_catch_up text          CHECK (recurrence_catch_up IN ('all', 'skip')),
    DROP CONSTRAINT tasks_check2,
    -- A rule without a zone is read in the owner's.
    ADD CHECK ((recurrence_rule IS NULL) = (recurrence_anchor IS NULL)),
    ADD CHECK (recurrence_rule IS NOT NULL OR recurrence_zone IS NULL AND recurrence_catch_up IS NULL),
    ADD CHECK ((series_id IS NULL) = (occurrence IS NULL)),
    ADD CHECK (skipped_at IS NULL OR completed_at IS NULL AND series_id IS NOT NULL);

-- Whoever makes an occurrence, and however often: it exists once.
CREATE UNIQUE INDEX tasks_occurrences ON tasks (series_id, occurrence) WHERE series_id IS NOT NULL;

-- The reminders of tasks: those that wait, and those that rang, so that none rings twice.
CREATE TABLE alarms (
    id       uuid             PRIMARY KEY,
    -- The task's. No foreign key: it would be a lock of the profile behind that of the task.
    user_id  text COLLATE "C" NOT NULL,
    task_id  uuid             NOT NULL REFERENCES tasks ON DELETE CASCADE,
    -- Before due_at; -1 for one at a time of its own, which is due_at.
    minutes  integer          NOT NULL CHECK (minutes BETWEEN -1 AND 525600),
    due_at   timestamptz      NOT NULL,
    at       timestamptz      NOT NULL,
    -- When it can be claimed: at its time, or when a claim ends. Null when it rang.
    claim_at timestamptz,
    -- How often it was claimed: the version of the trigger.
    claims   integer          NOT NULL CHECK (claims >= 0),
    UNIQUE (task_id, minutes, due_at)
);
CREATE INDEX alarms_to_claim ON alarms (claim_at) WHERE claim_at IS NOT NULL;
