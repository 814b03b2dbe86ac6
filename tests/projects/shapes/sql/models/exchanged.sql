-- A row key made of a rank: rows exchange their keys when another column changes.
{{ config(unique_key='place', meta={'cdc': {'anchor': 'customer_id'}}) }}
SELECT
  CAST(o.customer_id AS VARCHAR(20)) || '#'
  || CAST(ROW_NUMBER() OVER (PARTITION BY o.customer_id ORDER BY o.amount, o.id) AS VARCHAR(20)) AS place,
  o.customer_id AS customer_id,
  o.region_ids AS region_ids,
  o.amount AS amount
FROM {{ source('live', 'orders') }} AS o
WHERE
  o.customer_id IS NOT NULL
