"""An answer was handed in though no tool had returned anything, in a run that was offered tools.

It rests on language alone, and what the run was given to do its task with was left aside. Runs that
worked for several steps by themselves (code that needs no tool) have seen something, and are not meant.
"""

from flywheel_assets.examples.signs.sign import Sign

SIGN = Sign(
    name="answered_unseen",
    version="1",
    sql="""
        SELECT h.run_id, h.trace_id, h.span_id, unnest(['Goal Deviation', 'Language-only']) AS kind,
            'it answers, and no tool that was offered had returned anything' AS evidence
        FROM handing_in h
        SEMI JOIN offered o USING (run_id)
        ANTI JOIN used u ON u.run_id = h.run_id AND u.end_unix_nano <= h.start_unix_nano AND NOT u.erred
    """,
)
