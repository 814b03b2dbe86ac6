-- Up to five row keys of a relation that are NULL or not unique, with their number of rows.
-- Names: relation, fact.
{% from "key.jinja" import key_columns, null_key_part, shown_key %}
SELECT
  {{ shown_key(fact.unique_key, "scdc_rows") }} AS row_key,
  COUNT(*) AS row_count
FROM {{ relation | name }} AS scdc_rows
GROUP BY
  {{ key_columns(fact.unique_key, "scdc_rows") }}
HAVING
  COUNT(*) > 1 OR {{ null_key_part(fact.unique_key, "scdc_rows") }}
ORDER BY
  1
LIMIT 5
