-- A row for each day of a calendar, which reads no table.
{{ config(unique_key='day') }}
WITH numbers AS (
  SELECT
    0 AS i
  UNION ALL
  SELECT
    1 AS i
), calendar AS (
  SELECT
    DATEADD(DAY, ROW_NUMBER() OVER (ORDER BY a.i, b.i) - 1, CAST('2026-01-01' AS DATE)) AS day
  FROM numbers AS a
  CROSS JOIN numbers AS b
)
SELECT
  d.day AS day,
  COUNT(o.id) AS order_count,
  SUM(o.amount) AS amount
FROM calendar AS d
LEFT JOIN {{ source('live', 'orders') }} AS o
  ON CAST(o.created_at AS DATE) = d.day
GROUP BY
  d.day
