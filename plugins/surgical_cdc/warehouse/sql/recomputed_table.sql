-- The table of recomputed rows, with the fact's own column types, so that a value that does not fit is refused here.
-- Names: fact.
CREATE TEMP TABLE scdc_recomputed (LIKE {{ fact.relation | name }})
