"""The answer opens with a refusal. Whether refusing was right, the words do not tell: a weak sign."""

from flywheel_assets.examples.labelers.labeler import Labeler

LABELER = Labeler(
    name="refusal",
    version="1",
    tier="heuristic",
    one_sided=True,
    sql=r"""
        SELECT run_id, 0.0 AS value, 0.55 AS confidence, 'opens with a refusal' AS evidence
        FROM runs
        -- One letter tells of most answers that they open otherwise.
        WHERE contains('aisu', lower(substr(ltrim(output_text), 1, 1))) AND regexp_matches(
            replace(lower(substr(ltrim(output_text), 1, 120)), '’', ''''),
            '^(i''m sorry|i am sorry|sorry|i apologi[sz]e|unfortunately),? (but )?,?\s*(i )?'
                || '(can(no|''|)t|am unable|won''t)'
                || '|^i (can''t|cannot|am unable to|am not able to|won''t) (help|assist|comply|do that|provide|fulfil)'
                || '|^as an ai( language)? model'
        )
    """,
)
