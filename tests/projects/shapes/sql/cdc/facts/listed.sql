-- The SELECT of listed on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A predicate that is no equality: ids in a list match as a whole. */
SELECT
  o.id AS order_id,
  o.region_ids AS region_ids,
  names.region_names
FROM shapes_live.orders AS o
LEFT JOIN (
  SELECT
    o.id AS order_id,
    LISTAGG(r.name, ',') WITHIN GROUP (ORDER BY
      r.id) AS region_names
  FROM shapes_live.orders AS o
  INNER JOIN shapes_live.regions AS r
    ON ',' || o.region_ids || ',' LIKE '%,' || CAST(r.id AS VARCHAR(20)) || ',%'
  GROUP BY
    o.id
) AS names
  ON names.order_id = o.id
