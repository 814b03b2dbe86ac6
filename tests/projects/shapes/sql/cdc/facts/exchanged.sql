-- The SELECT of exchanged on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A row key made of a rank: rows exchange their keys when another column changes. */
SELECT
  CAST(o.customer_id AS VARCHAR(20)) || '#' || CAST(ROW_NUMBER() OVER (PARTITION BY o.customer_id ORDER BY o.amount, o.id) AS VARCHAR(20)) AS place,
  o.customer_id AS customer_id,
  o.region_ids AS region_ids,
  o.amount AS amount
FROM shapes_live.orders AS o
WHERE
  NOT o.customer_id IS NULL
