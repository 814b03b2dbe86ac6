with recursive up as (
  SELECT ship_id, flag FROM {{ ref('stg_calls') }}
  UNION ALL
  SELECT ship_id, flag FROM up WHERE 1 = 0
)
SELECT ship_id, flag FROM up
