-- Writes down by which SELECT a fact was built. Grain: a fact.
-- Names: control. Parameters: fact, fingerprint, moment.
INSERT INTO {{ control | name }}.definitions (
  fact_name,
  fingerprint,
  moment
)
VALUES
  (%s::VARCHAR(64), %s::VARCHAR(16), %s::TIMESTAMP)
