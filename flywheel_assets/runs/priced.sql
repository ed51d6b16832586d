-- What calls cost by the price table: the exact name, else the longest pattern, of that the latest.
WITH priced AS (
    SELECT c.provider, c.model, c.day, arg_max(p, {
            'exact': p.model_pattern IN (c.model, c.provider || '/' || c.model),
            'length': length(p.model_pattern), 'from': p.from_day, 'pattern': p.model_pattern
        }) AS price
    FROM (SELECT DISTINCT provider, model, day FROM calls WHERE model IS NOT NULL) c
    JOIN prices p ON p.from_day <= c.day
        AND (c.model GLOB p.model_pattern OR c.provider || '/' || c.model GLOB p.model_pattern)
    GROUP BY ALL
)
SELECT span, (
        coalesce(fresh_input_tokens, input_tokens, 0) * price.input_usd
        + coalesce(cache_read_tokens, 0) * price.cache_read_usd
        + coalesce(cache_write_tokens, 0) * price.cache_write_usd
        + coalesce(plain_output_tokens + coalesce(reasoning_tokens, 0), output_tokens, 0) * price.output_usd
    ) / 1e6 AS usd
FROM calls c JOIN priced p ON p.model = c.model AND p.day = c.day AND p.provider IS NOT DISTINCT FROM c.provider;
