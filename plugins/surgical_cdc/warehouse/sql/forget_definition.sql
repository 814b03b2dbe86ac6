-- Removes what is known of the SELECT that a fact was built by.
-- Names: control. Parameters: fact.
DELETE FROM {{ control | name }}.definitions
WHERE
  fact_name = %s::VARCHAR(64)
