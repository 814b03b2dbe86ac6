-- The rows that a fact should have, to be filled by its query; with the fact's own column types.
-- Names: fact.
CREATE TEMP TABLE scdc_expected (LIKE {{ fact.relation | name }})
