{{ config(alias="SHIPS_SEEN") }}

-- Ships.
SELECT
  id AS ship_id,
  {{ metres("length") }} AS length,
  "Flag" AS flag
FROM {{ source("pilotage", "ships") }}


