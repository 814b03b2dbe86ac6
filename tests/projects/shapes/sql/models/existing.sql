-- EXISTS, NOT EXISTS and IN.
{{ config(unique_key='customer_id') }}
SELECT
  c.id AS customer_id,
  c.name AS name
FROM {{ source('live', 'customers') }} AS c
WHERE
  EXISTS(
    SELECT
      1
    FROM {{ source('live', 'orders') }} AS o
    WHERE
      o.customer_id = c.id AND o.status = 1
  )
  AND NOT EXISTS(
    SELECT
      1
    FROM {{ source('live', 'customers') }} AS other
    WHERE
      other.referrer_id = c.id AND other.status = 0
  )
  AND c.region_id IN (
    SELECT
      r.id
    FROM {{ source('live', 'regions') }} AS r
    WHERE
      r.status = 1
  )
