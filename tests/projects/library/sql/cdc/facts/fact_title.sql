-- The SELECT of fact_title on the sources, its models as CTEs. Made by compiling; edit the models instead.
/* One row per title, with its copies. */
SELECT
  titles.isbn,
  titles.title,
  titles.author,
  copies.copies,
  copies.shelves
FROM dev_library_raw.titles AS titles
LEFT JOIN (
  SELECT
    copies.isbn,
    COUNT(*) AS copies,
    COUNT(DISTINCT copies.shelf) AS shelves
  FROM dev_library_raw.copies AS copies
  WHERE
    NOT copies.lost
  GROUP BY
    copies.isbn
) AS copies
  ON copies.isbn = titles.isbn
