-- How many rows a table holds.
SELECT
  COUNT(*)
FROM {{ relation | name }}
