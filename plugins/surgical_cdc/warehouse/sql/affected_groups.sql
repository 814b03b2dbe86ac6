-- The affected keys of a fact that is maintained by contributions: the anchors of the groups that these are for.
CREATE TEMP TABLE scdc_affected_keys AS
SELECT DISTINCT
  anchor
FROM scdc_contributions
