"""Inngest: a run is a function run; every attempt is its own trace, joined by the run id.

The server states the run's status on `executor.run` and on `EXTEND` rows that extend it (those have
no parent). A third-party OTLP endpoint receives only the app's spans, which never say how the run
ended: it then failed if the last attempt of any step did. What the server answers when it is asked
(`flywheel.inngest.*`) outweighs both. Discovery spans, memoised steps and
metadata rows are not work. `userland` rows are the server's copies of app spans, under other ids.
A run invoked by a step of another is part of that one.
"""

from flywheel_assets.runs.units.unit import Unit

# A run's id is a ULID: its first ten digits, in Crockford's base 32, are the time at which it was queued.
QUEUED = """
    epoch_ms(list_sum(list_transform(range(10), lambda place:
        (strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(invocation_id, place::INT + 1, 1)) - 1)
        * (1::BIGINT << (5 * (9 - place::INT)))))::BIGINT)
"""

UNIT = Unit(
    runtime="inngest",
    opens="invocation_id IS NOT NULL",
    states="""
        CASE WHEN name IN ('executor.run', 'flywheel.inngest.status')
            OR (name = 'EXTEND' AND parent_span_id IS NULL)
        THEN
            CASE lower(runtime_status)
                WHEN 'completed' THEN 'ok'
                WHEN 'failed' THEN 'error'
                WHEN 'errored' THEN 'error'
                WHEN 'timedout' THEN 'error'
                WHEN 'timed_out' THEN 'error'
                WHEN 'cancelled' THEN 'cancelled'
                WHEN 'skipped' THEN 'cancelled'
                ELSE 'open'
            END
        END
    """,
    silent="CASE WHEN failed_steps > 0 THEN 'error' ELSE 'ok' END",
    begins=f"""
        CASE WHEN regexp_matches(invocation_id, '^[0-7][0-9A-HJKMNP-TV-Z]{{25}}$')
            THEN day <= CAST({QUEUED} AS DATE) + 1 ELSE true END
    """,
    answered="name = 'flywheel.inngest.status'",
    mirrors="name IN ('userland', 'flywheel.inngest.call')",
    attempt="attempt + 1",
    invoking="name IN ('executor.step', 'EXTEND', 'flywheel.inngest.invoked') AND invocation_id IS NOT NULL",
    invokes="attr_text['_inngest.step.invoke.run.id']",
)
