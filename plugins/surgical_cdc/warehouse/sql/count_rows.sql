-- How many rows a table has.
-- Names: relation.
SELECT
  COUNT(*) AS row_count
FROM {{ relation | name }}
