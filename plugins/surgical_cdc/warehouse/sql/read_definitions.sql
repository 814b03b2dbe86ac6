-- The SELECTs that facts were built by, one row per fact.
-- Names: control.
SELECT
  fact_name,
  fingerprint,
  moment,
  verified_to
FROM {{ control | name }}.definitions
