-- The SELECTs that facts were built by, one row per fact.
-- Names: control.
SELECT
  fact_name,
  fingerprint,
  moment
FROM {{ control | name }}.definitions
