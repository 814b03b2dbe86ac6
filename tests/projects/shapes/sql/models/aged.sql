-- The current date: the fact shows one day, the end of the run's window, and is built anew when the day moves.
{{ config(unique_key='order_id') }}
SELECT
  o.id AS order_id,
  c.name AS name,
  DATEDIFF(DAY, o.created_at, CURRENT_DATE) AS days,
  CASE WHEN DATE_TRUNC('day', o.created_at) = TRUNC(GETDATE()) THEN 1 ELSE 0 END AS is_new
FROM {{ source('live', 'orders') }} AS o
LEFT JOIN {{ source('live', 'customers') }} AS c
  ON c.id = o.customer_id
WHERE
  o.created_at >= DATEADD(DAY, -2, CURRENT_DATE)
