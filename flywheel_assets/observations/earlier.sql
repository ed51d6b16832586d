-- Signatures of earlier days in the scopes that the day has.
SELECT example_id, scope, minhash
FROM example_signatures
SEMI JOIN (SELECT scope FROM example_signatures WHERE day = $day) AS ours USING (scope)
WHERE day < $day AND scope <> ''
ORDER BY example_id
