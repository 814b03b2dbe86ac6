-- Writes down by which SELECT a fact was built. Grain: a fact.
-- Names: control. Parameters: fact, fingerprint.
INSERT INTO {{ control | name }}.definitions (
  fact_name,
  fingerprint
)
VALUES
  (%s::VARCHAR(64), %s::VARCHAR(16))
