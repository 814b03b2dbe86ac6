-- Writes down up to which time a fact's keys have been verified. Grain: a fact.
-- Names: control. Parameters: time, fact.
UPDATE {{ control | name }}.definitions
SET
  verified_to = %s::TIMESTAMP
WHERE
  fact_name = %s::VARCHAR(64)
