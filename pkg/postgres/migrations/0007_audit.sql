-- +goose NO TRANSACTION
-- +goose Up

-- What is written from here on is chained; what there is already is chained user by user, while everybody works on. Each step is
-- short, and can be done again.

-- The digest of what an event says. First a line of numbers, by which the rest can be taken apart again in one way only: id,
-- version, microseconds since 1970, and how many bytes of UTF-8 each of the texts has; then the texts; then the data to the end.
-- pkg/postgres computes the same in Go.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION event_digest(id uuid, user_id text, topic text, type text, aggregate_id text, version integer,
    correlation_id text, causation_id text, traceparent text, occurred_at timestamptz, data json)
    -- A single expression, so that it costs no call.
    RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(concat(
        id, ' ', version, ' ', (extract(epoch FROM occurred_at) * 1000000)::bigint, ' ', octet_length(user_id), ' ', octet_length(topic),
        ' ', octet_length(type), ' ', octet_length(aggregate_id), ' ', octet_length(correlation_id), ' ', octet_length(causation_id),
        ' ', octet_length(traceparent), E'\n',
        user_id, topic, type, aggregate_id, correlation_id, causation_id, traceparent, data), 'UTF8'))
$$;
-- +goose StatementEnd

-- Functions that do for the services what their roles may not do themselves. They see nothing but this schema, whatever the
-- search_path of their caller.
-- +goose StatementBegin
DO $migration$
BEGIN
    -- The hash of the event before (empty before the first), its own sequence and its digest, hashed.
    ALTER TABLE events ADD COLUMN IF NOT EXISTS hash bytea;
    ALTER TABLE sequences
        -- Of the last event.
        ADD COLUMN IF NOT EXISTS hash bytea,
        -- The tombstone: how far the user's events were erased, and the hash of the last of those, on which the next one rests.
        ADD COLUMN IF NOT EXISTS erased_through bigint NOT NULL DEFAULT 0 CHECK (erased_through >= 0),
        ADD COLUMN IF NOT EXISTS erased_hash bytea NOT NULL DEFAULT '';

    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION events_are_numbered_and_announced() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$I, pg_temp AS $$
        DECLARE
            digest bytea := event_digest(NEW.id, NEW.user_id, NEW.topic, NEW.type, NEW.aggregate_id, NEW.version,
                NEW.correlation_id, NEW.causation_id, NEW.traceparent, NEW.occurred_at, NEW.data);
        BEGIN
            -- Until what was there before is chained, the hash is null, and so is that of what comes after.
            INSERT INTO sequences AS s (user_id, topic, value, hash)
                VALUES (NEW.user_id, NEW.topic, 1, sha256(int8send(1) || digest))
                ON CONFLICT (user_id, topic) DO UPDATE
                SET value = s.value + 1, hash = sha256(s.hash || int8send(s.value + 1) || digest)
                RETURNING s.value, s.hash INTO NEW.sequence, NEW.hash;
            INSERT INTO outbox (user_id, event_id) VALUES (NEW.user_id, NEW.id);
            RETURN NEW;
        END
        $$
    $create$, current_schema());

    -- Events go with their user only, from the first on, and leave a tombstone.
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION events_leave_a_tombstone() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$I, pg_temp AS $$
        DECLARE
            log record;
        BEGIN
            FOR log IN
                SELECT g.user_id, g.topic, max(g.sequence) AS through, (array_agg(g.hash ORDER BY g.sequence DESC))[1] AS hash
                FROM gone g GROUP BY g.user_id, g.topic ORDER BY g.user_id, g.topic
            LOOP
                IF EXISTS (SELECT FROM profiles p WHERE p.user_id = log.user_id)
                    OR EXISTS (SELECT FROM events e WHERE e.user_id = log.user_id AND e.topic = log.topic AND e.sequence < log.through) THEN
                    RAISE EXCEPTION 'events are immutable: they go with their user only' USING ERRCODE = 'restrict_violation';
                END IF;
                UPDATE sequences s SET erased_through = log.through, erased_hash = coalesce(log.hash, '')
                    WHERE s.user_id = log.user_id AND s.topic = log.topic;
            END LOOP;
            RETURN NULL;
        END
        $$
    $create$, current_schema());

    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION events_forget(forgotten text) RETURNS void LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$I, pg_temp AS $$
        BEGIN
            -- Who writes an event of this user at this moment is waited for: the deletion below sees it.
            PERFORM FROM sequences s WHERE s.user_id = forgotten ORDER BY s.topic FOR UPDATE;
            -- What a relay is publishing is not waited for: it goes with the relay's commit, or else with its next attempt, which
            -- finds no event.
            DELETE FROM outbox o USING (
                SELECT w.shard, w.id FROM outbox w WHERE w.shard = (hashtext(forgotten) & 15)::smallint AND w.user_id = forgotten
                FOR UPDATE SKIP LOCKED
            ) free WHERE o.shard = free.shard AND o.id = free.id;
            DELETE FROM dead_letters d WHERE d.user_id = forgotten;
            DELETE FROM events e WHERE e.user_id = forgotten;
        END
        $$
    $create$, current_schema());

    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION tool_invocations_sweep(before timestamptz, portion integer) RETURNS bigint LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$I, pg_temp AS $$
        DECLARE
            swept bigint;
        BEGIN
            IF before > now() - interval '30 days' THEN
                RAISE EXCEPTION 'tool calls are kept for 30 days at least' USING ERRCODE = 'restrict_violation';
            END IF;
            DELETE FROM tool_invocations t USING (
                SELECT o.user_id, o.client_id, o.request_id FROM tool_invocations o WHERE o.started_at < before LIMIT portion
            ) old WHERE t.user_id = old.user_id AND t.client_id = old.client_id AND t.request_id = old.request_id;
            GET DIAGNOSTICS swept = ROW_COUNT;
            RETURN swept;
        END
        $$
    $create$, current_schema());

    -- An event that was on its way when its user was forgotten may die later.
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION dead_letters_forget() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$I, pg_temp AS $$
        BEGIN
            IF EXISTS (SELECT FROM sequences s WHERE s.user_id = NEW.user_id AND s.erased_through > 0)
                AND NOT EXISTS (SELECT FROM events e WHERE e.id = NEW.event_id AND e.user_id = NEW.user_id)
                AND (NEW.record IS NOT NULL OR NOT EXISTS (SELECT FROM profiles p WHERE p.user_id = NEW.user_id)) THEN
                NEW.user_id := '';
                NEW.record := NULL;
            END IF;
            RETURN NEW;
        END
        $$
    $create$, current_schema());

    -- For roles that are granted it, and for the owner.
    REVOKE ALL ON FUNCTION events_forget(text), tool_invocations_sweep(timestamptz, integer) FROM PUBLIC;

    CREATE OR REPLACE TRIGGER events_leave_a_tombstone AFTER DELETE ON events
        REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION events_leave_a_tombstone();
    CREATE OR REPLACE TRIGGER dead_letters_forget BEFORE INSERT OR UPDATE ON dead_letters
        FOR EACH ROW WHEN (NEW.user_id <> '') EXECUTE FUNCTION dead_letters_forget();
END
$migration$;
-- +goose StatementEnd

-- A call is written down before it is executed, and once more when it has ended; never again after that.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION tool_invocations_are_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a tool call that has ended is immutable' USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER tool_invocations_are_immutable BEFORE UPDATE ON tool_invocations
    FOR EACH ROW WHEN (OLD.outcome IS NOT NULL) EXECUTE FUNCTION tool_invocations_are_immutable();

CREATE OR REPLACE TRIGGER tool_invocations_are_not_truncated BEFORE TRUNCATE ON tool_invocations
    FOR EACH STATEMENT EXECUTE FUNCTION tool_invocations_are_immutable();

-- While what there is already is chained, an event may get its hash, once, and nothing else.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION events_get_their_hash() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.hash IS NULL AND (OLD.id, OLD.user_id, OLD.topic, OLD.type, OLD.aggregate_id, OLD.version, OLD.sequence, OLD.correlation_id,
            OLD.causation_id, OLD.traceparent, OLD.occurred_at, OLD.data::text)
        IS NOT DISTINCT FROM (NEW.id, NEW.user_id, NEW.topic, NEW.type, NEW.aggregate_id, NEW.version, NEW.sequence, NEW.correlation_id,
            NEW.causation_id, NEW.traceparent, NEW.occurred_at, NEW.data::text) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'events are immutable' USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM sequences WHERE hash IS NULL) THEN
        CREATE OR REPLACE TRIGGER events_get_their_hash BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION events_get_their_hash();
        CREATE OR REPLACE TRIGGER events_are_immutable BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION events_are_immutable();
    END IF;
END
$$;
-- +goose StatementEnd

-- A user's events are chained in one transaction, for which that user's writers wait.
-- +goose StatementBegin
DO $$
DECLARE
    log sequences;
    e events;
    before bytea;
    first bigint;
BEGIN
    FOR log IN SELECT * FROM sequences WHERE hash IS NULL ORDER BY user_id, topic LOOP
        SELECT * INTO log FROM sequences s WHERE s.user_id = log.user_id AND s.topic = log.topic FOR UPDATE;
        before := '';
        first := NULL;
        FOR e IN SELECT * FROM events x WHERE x.user_id = log.user_id AND x.topic = log.topic ORDER BY x.sequence LOOP
            first := coalesce(first, e.sequence);
            before := sha256(before || int8send(e.sequence) || event_digest(e.id, e.user_id, e.topic, e.type, e.aggregate_id, e.version,
                e.correlation_id, e.causation_id, e.traceparent, e.occurred_at, e.data));
            UPDATE events x SET hash = before WHERE x.id = e.id;
        END LOOP;
        -- Of those who were forgotten before, nothing but the number is known.
        UPDATE sequences s SET hash = before, erased_through = coalesce(first - 1, log.value), erased_hash = ''
            WHERE s.user_id = log.user_id AND s.topic = log.topic;
        COMMIT;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- A constraint that is validated by itself, so that nobody waits while the rows are looked at; a column takes its word for it.
-- +goose StatementBegin
DO $$
BEGIN
    ALTER TABLE events DROP CONSTRAINT IF EXISTS events_hash_check, ADD CONSTRAINT events_hash_check CHECK (octet_length(hash) = 32 AND hash IS NOT NULL) NOT VALID;
    ALTER TABLE sequences DROP CONSTRAINT IF EXISTS sequences_hash_check, ADD CONSTRAINT sequences_hash_check CHECK (hash IS NOT NULL) NOT VALID;
END
$$;
-- +goose StatementEnd
ALTER TABLE events VALIDATE CONSTRAINT events_hash_check;
ALTER TABLE sequences VALIDATE CONSTRAINT sequences_hash_check;
-- +goose StatementBegin
DO $$
BEGIN
    ALTER TABLE events ALTER COLUMN hash SET NOT NULL;
    ALTER TABLE sequences ALTER COLUMN hash SET NOT NULL, DROP CONSTRAINT sequences_hash_check;
    CREATE OR REPLACE TRIGGER events_are_immutable BEFORE UPDATE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION events_are_immutable();
    DROP TRIGGER IF EXISTS events_get_their_hash ON events;
    DROP FUNCTION events_get_their_hash();
END
$$;
-- +goose StatementEnd
