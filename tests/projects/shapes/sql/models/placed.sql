-- A row key of several columns, one of them a rank: rows exchange their keys when another column changes.
{{ config(unique_key=['customer_id', 'place']) }}
SELECT
  o.customer_id AS customer_id,
  ROW_NUMBER() OVER (PARTITION BY o.customer_id ORDER BY o.amount, o.id) AS place,
  o.region_ids AS region_ids,
  c.name AS name
FROM {{ source('live', 'orders') }} AS o
INNER JOIN {{ source('live', 'customers') }} AS c
  ON c.id = o.customer_id
