-- EXCEPT and INTERSECT, entered by a column of all that they are made of.
{{ config(unique_key='pair', meta={'cdc': {'anchor': 'customer_id'}}) }}
SELECT
  CAST(u.customer_id AS VARCHAR(20)) || '_' || COALESCE(CAST(u.status AS VARCHAR(20)), 'none') AS pair,
  u.customer_id AS customer_id,
  u.status AS status
FROM (
  SELECT
    c.id AS customer_id,
    c.status
  FROM {{ source('live', 'customers') }} AS c
  EXCEPT
  (
    SELECT
      o.customer_id,
      o.status
    FROM {{ source('live', 'orders') }} AS o
    INTERSECT
    SELECT
      c.referrer_id,
      c.status
    FROM {{ source('live', 'customers') }} AS c
  )
) AS u
