-- +goose Up

-- What consumers could not handle. A row begins with the first attempt that failed, and is a dead letter from died_at on. It is
-- no part of the log: nothing is made from it.
CREATE TABLE dead_letters (
    consumer       text COLLATE "C" NOT NULL CHECK (consumer <> ''),
    topic          text COLLATE "C" NOT NULL CHECK (topic <> ''),
    -- The event's, or a hash of what is none.
    id             uuid             NOT NULL,
    -- Null if the record holds no event. No foreign key: whoever can publish can invent one.
    event_id       uuid,
    -- As the record says; nobody vouches for it. Empty if it does not say.
    user_id        text COLLATE "C" NOT NULL CHECK (length(user_id) <= 255),
    event_type     text             NOT NULL CHECK (length(event_type) <= 100),
    correlation_id text             NOT NULL CHECK (length(correlation_id) <= 200),
    -- Of the last attempt; empty if nobody noted it.
    reason         text             NOT NULL CHECK (length(reason) <= 1000),
    kind           text             NOT NULL CHECK (kind <> ''),
    -- Those that failed and were noted.
    attempts       integer          NOT NULL CHECK (attempts >= 0),
    first_seen     timestamptz      NOT NULL,
    last_seen      timestamptz      NOT NULL,
    -- The last time, and how often: what was sent again may come back.
    died_at        timestamptz,
    deaths         integer          NOT NULL CHECK (deaths >= 0),
    -- Where the dead letter's topic has it, partition and offset: the same delivery again is no further death.
    place          text             NOT NULL,
    retried_at     timestamptz,
    -- When the consumer handled the event after all: the inbox forgets sooner.
    handled_at     timestamptz,
    discarded_at   timestamptz,
    -- Null if the log has the event, it is too long, or nobody may keep it.
    record         bytea            CHECK (octet_length(record) <= 65536),
    PRIMARY KEY (consumer, topic, id),
    CHECK ((died_at IS NULL) = (deaths = 0))
);
CREATE INDEX dead_letters_open ON dead_letters (consumer, event_id) WHERE handled_at IS NULL AND discarded_at IS NULL;
CREATE INDEX dead_letters_by_age ON dead_letters (last_seen, id);
CREATE INDEX dead_letters_by_user ON dead_letters (user_id);
CREATE INDEX dead_letters_by_correlation ON dead_letters (correlation_id);
