-- Of each of the $runs that went wrong, the spans that bear most of the blame, and the kinds of error that they show.
WITH blamed AS (
    SELECT run_id, trace_id, span_id, concat(trace_id, ':', span_id) AS span, role, name, blame, failed, reason,
        row_number() OVER (PARTITION BY run_id ORDER BY blame DESC, place) AS place
    FROM span_credit WHERE run_id IN (SELECT unnest($runs)) AND span_id <> '-'
),
shown AS (
    SELECT run_id, trace_id, span_id, list_sort(list(DISTINCT kind)) AS kinds,
        string_agg(DISTINCT evidence, '; ' ORDER BY evidence) AS evidence
    FROM span_findings WHERE run_id IN (SELECT unnest($runs)) GROUP BY ALL
)
SELECT b.run_id, b.span, b.role, b.name, b.place, b.blame, b.failed, b.reason, coalesce(s.kinds, []) AS kinds, s.evidence
FROM blamed AS b
LEFT JOIN shown AS s USING (run_id, trace_id, span_id)
WHERE b.place <= $most OR b.span = $span
ORDER BY b.run_id, b.place
