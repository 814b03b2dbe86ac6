-- How many rows a fact of first rows had, and how many of those that may be among its first are known as far as its last.
SELECT
  COUNT(CASE WHEN scdc_known = 0 THEN 1 END) AS seen,
  COUNT(
    CASE
      WHEN scdc_known = 1
      AND scdc_place <= (SELECT MAX(scdc_place) FROM scdc_placed WHERE scdc_known = 0) THEN 1
    END
  ) AS known
FROM scdc_placed
