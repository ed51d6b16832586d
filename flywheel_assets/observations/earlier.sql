-- Signatures of earlier days in the scopes that the day has.
SELECT DISTINCT ON (example_id) example_id, scope, minhash
FROM example_signatures
WHERE
    day < $day
    AND scope <> ''
    AND scope IN (SELECT scope FROM example_signatures WHERE day = $day)
ORDER BY example_id
