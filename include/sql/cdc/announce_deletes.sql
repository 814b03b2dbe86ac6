-- Row keys of some rows that would be deleted from the fact.
-- Names: fact, null_key (whether NULL is an affected key), limit.
SELECT
  existing.{{ fact.unique_key | name }} AS row_key
FROM {{ fact.relation | name }} AS existing
LEFT JOIN affected_keys
  ON affected_keys.anchor = existing.{{ fact.anchor | name }}
LEFT JOIN recomputed
  ON recomputed.{{ fact.unique_key | name }} = existing.{{ fact.unique_key | name }}
WHERE
  recomputed.{{ fact.unique_key | name }} IS NULL
  AND (
    NOT affected_keys.anchor IS NULL
{% if null_key %}
    OR existing.{{ fact.anchor | name }} IS NULL
{% endif %}
  )
ORDER BY
  row_key
LIMIT {{ limit }}
