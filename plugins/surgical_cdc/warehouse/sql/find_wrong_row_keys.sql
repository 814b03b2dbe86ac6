-- Up to five row keys of a relation that are NULL or not unique, with their number of rows.
-- Names: relation, fact.
SELECT
  {{ fact.unique_key | name }} AS row_key,
  COUNT(*) AS row_count
FROM {{ relation | name }}
GROUP BY
  {{ fact.unique_key | name }}
HAVING
  COUNT(*) > 1 OR {{ fact.unique_key | name }} IS NULL
ORDER BY
  1
LIMIT 5
