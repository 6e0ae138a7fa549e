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

-- What is committed and not yet published: pointers into the log. Short-lived rows: inserted once, deleted once.
CREATE TABLE outbox (
    -- A user's rows are all in one shard. hashtext may change with a major version of Postgres, which does no harm to rows
    -- that live for milliseconds.
    shard      smallint         NOT NULL GENERATED ALWAYS AS ((hashtext(user_id) & 15)::smallint) STORED,
    -- One value at a time (CACHE 1): a later commit of the same user must not get a smaller id.
    id         bigint           GENERATED ALWAYS AS IDENTITY (CACHE 1),
    user_id    text COLLATE "C" NOT NULL,
    -- No foreign key: whoever takes a row whose event has been erased drops it.
    event_id   uuid             NOT NULL,
    created_at timestamptz      NOT NULL DEFAULT now(),
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

-- An event gets the next sequence of its user and topic, and is announced, in the statement that writes it: there is no
-- event without a number and none that is not published. The lock of the sequence's row lasts until the commit, so that
-- a user's order of sequences, and of outbox ids, is the order of that user's commits.
-- +goose StatementBegin
CREATE FUNCTION events_are_numbered_and_announced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sequences AS s (user_id, topic, value) VALUES (NEW.user_id, NEW.topic, 1)
        ON CONFLICT (user_id, topic) DO UPDATE SET value = s.value + 1
        RETURNING s.value INTO NEW.sequence;
    INSERT INTO outbox (user_id, event_id) VALUES (NEW.user_id, NEW.id);
    RETURN NEW;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER events_are_numbered_and_announced BEFORE INSERT ON events
    FOR EACH ROW EXECUTE FUNCTION events_are_numbered_and_announced();

-- Deletes the oldest rows of up to `shards` shards in which some wait and which nobody else has, `rows` of them about, and
-- returns their events in order. The shards stay the caller's until its transaction ends; rolled back, the rows are there
-- again. Which shards come first is the caller's choice of `start`.
-- +goose StatementBegin
CREATE FUNCTION outbox_take(start integer, shards integer, rows integer)
    RETURNS TABLE (outbox_shard smallint, outbox_id bigint, event events) LANGUAGE plpgsql
    -- The table is empty for the planner and full of dead rows for a scan; its index is neither.
    SET enable_seqscan = off
AS $$
DECLARE
    mine smallint[];
BEGIN
    SELECT array_agg(claimed.shard) INTO mine FROM (
        SELECT s.shard FROM outbox_shards s
        WHERE EXISTS (SELECT FROM outbox o WHERE o.shard = s.shard)
        ORDER BY (s.shard + start) % 16 LIMIT shards
        FOR UPDATE SKIP LOCKED
    ) claimed;
    IF mine IS NULL THEN
        RETURN;
    END IF;
    -- A statement of its own, which sees what others committed before we got the locks.
    RETURN QUERY
        WITH taken AS (
            DELETE FROM outbox o USING (
                SELECT oldest.shard, oldest.id FROM unnest(mine) m (shard) CROSS JOIN LATERAL (
                    SELECT w.shard, w.id FROM outbox w WHERE w.shard = m.shard
                    ORDER BY w.id LIMIT (rows + cardinality(mine) - 1) / cardinality(mine)
                ) oldest
            ) first
            WHERE o.shard = first.shard AND o.id = first.id
            RETURNING o.shard, o.id, o.event_id
        )
        SELECT t.shard, t.id, e FROM taken t JOIN events e ON e.id = t.event_id ORDER BY t.id;
END
$$;
-- +goose StatementEnd

-- Which consumer has acted on which event.
CREATE TABLE inbox (
    consumer   text COLLATE "C" NOT NULL CHECK (consumer <> ''),
    event_id   uuid             NOT NULL,
    handled_at timestamptz      NOT NULL,
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_by_age ON inbox (handled_at);
