-- Every key of a fact that is recomputed in full: those it has and those it will have.
-- Names: fact.
CREATE TEMP TABLE scdc_affected_keys AS
SELECT
  {{ fact.anchor | name }} AS anchor
FROM {{ fact.relation | name }}
UNION
SELECT
  {{ fact.anchor | name }} AS anchor
FROM scdc_recomputed
