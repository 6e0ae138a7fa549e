-- +goose Up

-- The event log: the system of record. A row is written once and never changed; only the whole of a forgotten user goes.
CREATE TABLE events (
    id             uuid PRIMARY KEY,
    user_id        text COLLATE "C" NOT NULL CHECK (user_id <> ''),
    topic          text COLLATE "C" NOT NULL CHECK (topic <> ''),
    type           text COLLATE "C" NOT NULL CHECK (type <> ''),
    aggregate_id   text COLLATE "C" NOT NULL CHECK (aggregate_id <> ''),
    version        integer          NOT NULL CHECK (version >= 1),
    sequence       bigint           NOT NULL CHECK (sequence >= 1),
    correlation_id text             NOT NULL,
    causation_id   text             NOT NULL,
    traceparent    text             NOT NULL,
    occurred_at    timestamptz      NOT NULL,
    -- json, not jsonb: what was published is kept byte by byte.
    data           json             NOT NULL,
    UNIQUE (user_id, topic, sequence)
);

-- Two writers that both made the same version of something have overwritten each other: the second one fails.
CREATE UNIQUE INDEX events_versions ON events (topic, aggregate_id, version);

-- +goose StatementBegin
CREATE FUNCTION events_are_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are immutable' USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER events_are_immutable BEFORE UPDATE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_are_immutable();

-- The last sequence per user and topic. It stays when a user is forgotten, so that a returning id counts on and no
-- consumer takes a new event for one it has seen.
CREATE TABLE sequences (
    user_id text COLLATE "C" NOT NULL,
    topic   text COLLATE "C" NOT NULL,
    value   bigint           NOT NULL CHECK (value >= 1),
    PRIMARY KEY (user_id, topic)
) WITH (
    -- Updated with every event; room on the page keeps the updates out of the index (HOT).
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.05
);

-- What is committed and not yet published. Short-lived rows: inserted once, deleted once.
CREATE TABLE outbox (
    shard      smallint         NOT NULL CHECK (shard BETWEEN 0 AND 15),
    -- One value at a time (CACHE 1): a later commit of the same user must not get a smaller id.
    id         bigint           GENERATED ALWAYS AS IDENTITY (CACHE 1),
    topic      text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    event_id   uuid             NOT NULL,
    type       text COLLATE "C" NOT NULL,
    trace      text             NOT NULL,
    data       bytea            NOT NULL,
    created_at timestamptz      NOT NULL,
    PRIMARY KEY (shard, id)
) WITH (
    -- By number of dead rows, not by share: the table is empty most of the time.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 10000
);

-- Whoever publishes rows of a shard holds the lock of its row here meanwhile.
CREATE TABLE outbox_shards (
    shard smallint PRIMARY KEY CHECK (shard BETWEEN 0 AND 15)
) WITH (
    fillfactor = 50
);
INSERT INTO outbox_shards SELECT generate_series(0, 15);

-- Which consumer has acted on which event.
CREATE TABLE inbox (
    consumer   text COLLATE "C" NOT NULL CHECK (consumer <> ''),
    event_id   uuid             NOT NULL,
    handled_at timestamptz      NOT NULL,
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_by_age ON inbox (handled_at);
