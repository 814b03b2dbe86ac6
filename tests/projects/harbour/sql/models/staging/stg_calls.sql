{#- Calls of ships. -#}
/* Of ships
   that are known. */
WITH
  -- As pilots saw them.
  seen AS (SELECT * FROM {{ source('pilotage', 'calls') }})
SELECT seen.*, ships.flag
FROM seen
INNER JOIN {{ ref('stg_ships') }} AS ships
  ON ships.ship_id = seen.ship_id AND ships.length < {{ var('draught') * 10 }}
