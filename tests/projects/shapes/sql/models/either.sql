-- A tie by OR, and a join written with WHERE.
{{ config(unique_key='pair', meta={'cdc': {'anchor': 'customer_id'}}) }}
SELECT
  CAST(c.id AS VARCHAR(20)) || '_' || CAST(r.id AS VARCHAR(20)) AS pair,
  c.id AS customer_id,
  r.name AS name,
  o.amount AS amount
FROM {{ source('live', 'customers') }} AS c
INNER JOIN {{ source('live', 'regions') }} AS r
  ON c.region_id = r.id OR c.region_id = r.parent_id
LEFT JOIN (
  SELECT
    o.customer_id,
    MAX(o.amount) AS amount
  FROM {{ source('live', 'orders') }} AS o, {{ source('live', 'customers') }} AS buyer
  WHERE
    o.customer_id = buyer.id AND buyer.status = 1
  GROUP BY
    o.customer_id
) AS o
  ON o.customer_id = c.id
