-- A chain of outer joins entered from its optional end, where each ON reaches back.
{{ config(unique_key='region_id') }}
SELECT
  r.id AS region_id,
  g.order_count,
  g.referrers,
  (
    SELECT
      COUNT(*)
    FROM {{ source('live', 'orders') }} AS o
    LEFT JOIN {{ source('live', 'customers') }} AS r
      ON r.id = o.customer_id
    WHERE
      r.region_id = g.region_id
  ) AS all_orders
FROM {{ source('live', 'regions') }} AS r
LEFT JOIN (
  SELECT
    home.parent_id AS region_id,
    COUNT(*) AS order_count,
    COUNT(DISTINCT referrer.id) AS referrers
  FROM {{ source('live', 'orders') }} AS o
  LEFT JOIN {{ source('live', 'customers') }} AS c
    ON o.customer_id = c.id AND c.status = o.status
  LEFT JOIN {{ source('live', 'customers') }} AS referrer
    ON c.referrer_id = referrer.id
  LEFT JOIN {{ source('live', 'regions') }} AS home
    ON referrer.region_id = home.id AND home.status = o.status
  GROUP BY
    home.parent_id
) AS g
  ON g.region_id = r.id
