-- The SELECT of labelled on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* A row key that ends in a string: with other blanks behind it, it is the same key. */
SELECT
  CAST(c.id AS VARCHAR(20)) || ' ' || COALESCE(c.name, '') AS label,
  c.name AS name,
  c.status AS status
FROM shapes_live.customers AS c
