-- One row for all orders and one for all regions: recomputed when a row changes that counts in one of them.
{{ config(unique_key='place') }}
SELECT
  kinds.place AS place,
  kinds.amount AS amount,
  (
    SELECT
      COUNT(*)
    FROM {{ source('live', 'customers') }} AS c
  ) AS customer_count
FROM (
  SELECT
    'orders' AS place,
    MAX(o.amount) AS amount
  FROM {{ source('live', 'orders') }} AS o
  UNION ALL
  SELECT
    'regions' AS place,
    CAST(COUNT(*) AS NUMERIC(10, 2)) AS amount
  FROM {{ source('live', 'regions') }} AS r
) AS kinds
